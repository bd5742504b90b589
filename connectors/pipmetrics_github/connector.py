"""GitHub, as `pipmetrics.plugin.Connector` asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import CHANGE_KINDS, Gap, Json, Source
from pipmetrics.plugin import Comparison, Finding, Page, Parameter
from pipmetrics_github.state import LARGEST, State, read, written

if TYPE_CHECKING:
    from pipmetrics.transport import Wire
    from pipmetrics_github.api import Hub
    from pipmetrics_github.streams import Wish
    from pipmetrics_github.walk import Found

DERIVED = frozenset({"change_deployed", "change_reverted"})
ISSUE_KINDS = frozenset({"issue_opened", "issue_assigned", "issue_done", "issue_reopened", "issue_linked"})
"""Issues have neither statuses nor due dates here."""


class GithubConnector:
    """GitHub and GitHub Enterprise Server, read by GraphQL. Nothing is asked before `pull`, `compare` or `check`.

    One object serves one source; threads do not share it. Client libraries are loaded when the first question is
    asked, so that reading the configuration stays quick.
    """

    options: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "releases", "list", "Repositories (owner/name, owner/lib-*) whose published releases are deployments."
        ),
        Parameter("app_id", "text", "The id of a GitHub App to ask as, instead of a token."),
        Parameter("installation_id", "count", "The installation of the GitHub App."),
        Parameter("private_key", "text", "Its private key: ${NAME} or file:PATH."),
    )
    kinds: ClassVar[frozenset[str]] = CHANGE_KINDS | ISSUE_KINDS | {"deployed"}

    first_size: ClassVar[int] = LARGEST
    """Nodes of a page that a repository is first asked for; then each has its own memory."""

    def __init__(self, source: Source, wire: Wire) -> None:
        self.source, self.wire = source, wire
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        if self._hub is None:
            from pipmetrics_github.api import Hub

            self._hub = Hub(self.source, self.wire)
        return self._hub

    def pull(self, bookmarks: Mapping[str, Json], since: datetime) -> Iterator[Page]:
        """Pages of whole groups; repositories that have not moved since the last pull give none."""
        from pipmetrics_github.streams import Wish
        from pipmetrics_github.survey import Surveyor

        wish = Wish.of(self.source)
        surveyor = Surveyor(self.hub, self.source, wish)
        for found in surveyor.look(surveyor.names()):
            state = resumed(bookmarks.get(found.bookmark), found, since, self.first_size)
            if moved(state, found, wish):
                yield from self._read(found, replace(wish, issue_types=surveyor.issue_types), state)
        if surveyor.gaps:
            yield Page(gaps=surveyor.gaps)

    def _read(self, found: Found, wish: Wish, state: State) -> Iterator[Page]:
        """The pages of one repository; what fails in it does not stop the others."""
        from pipmetrics_github.taking import Taker
        from pipmetrics_github.walk import read_repository

        since = read(state.start)
        try:
            yield from read_repository(found, Taker(self.hub, found.place, wish, state, found.at))
        except Deferred:
            raise
        except SourceError as error:
            if error.status == 401:
                raise
            yield Page(gaps=[Gap(self.source.name, found.place.repository, str(error), since)])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"an answer is not made as the service documents ({type(error).__name__}: {error})"
            yield Page(gaps=[Gap(self.source.name, found.place.repository, reason, since)])

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """Commits that `head` has and `base` has not; SourceError with status 404 when either is gone."""
        from pipmetrics_github.comparing import compare

        return compare(self.hub, repository, base, head)

    def check(self, logins: Sequence[str]) -> Iterator[Finding]:
        """The token, what it may do and see, the clock, and which of the logins exist."""
        from pipmetrics_github.inspection import inspect

        return inspect(self.hub, self.source, logins)


def resumed(bookmark: Json, found: Found, since: datetime, size: int) -> State:
    """Where the reading goes on; from the start again for a new name, or when more of the past is wanted."""
    state = State.of(bookmark)
    if state is None or since < read(state.start):
        return State(found.place.repository, written(since), state.size if state else size)
    if state.name != found.place.repository:
        return State(found.place.repository, state.start, state.size)
    return state


def moved(state: State, found: Found, wish: Wish) -> bool:
    """Whether anything is to be read."""
    names = {kind.name for kind in wish.kinds(found.place.repository)} - found.denied
    streams = [state.streams.get(name) for name in names]
    unfinished = any(stream is None or stream.open or stream.until is None for stream in streams)
    return unfinished or bool(state.watch) or state.seen != found.print or _asks_otherwise(state, wish)


def _asks_otherwise(state: State, wish: Wish) -> bool:
    from pipmetrics_github.streams import KINDS

    return any(stream.asked != wish.asked(KINDS[name]) for name, stream in state.streams.items())

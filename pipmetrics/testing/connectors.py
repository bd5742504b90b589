"""The contract of a connector: complete, resumable, silent about tokens, and never silent about what it misses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pipmetrics.errors import SourceError
from pipmetrics.model import SIGNAL_KINDS, Secret, Signal, Source
from pipmetrics.plugin import Comparison, Connector, Finding, Page, Parameter
from pipmetrics.testing.faults import Findings, told
from pipmetrics.testing.keeping import Kept, Probe, differing
from pipmetrics.testing.vocabulary import DETAILS, wrong_in
from pipmetrics.transport import reveal

DERIVED = frozenset({"change_deployed", "change_reverted"})
COMMON = frozenset({
    "connector", "url", "token", "user", "repositories", "projects", "production", "bugs", "caused_by", "generated",
})  # fmt: skip
"""Keys of `sources.NAME` that every source has."""
NOBODY = "nobody-of-this-name-4711"


def check_connector(
    kind: type[Connector],
    source: Source,
    *,
    since: datetime,
    logins: Sequence[str] = (),
    secrets: Sequence[str] = (),
    cuts: int = 12,
) -> None:
    """Raises ContractBroken unless `kind` reads `source` as `pipmetrics.plugin.Connector` promises.

    `source.url` is a running stand-in (or a service for tests) whose facts stand still meanwhile, with work in it for
    more than one page. `logins` are accounts that exist there; `secrets` what must never be seen beside the token.
    The reading is stopped after up to `cuts` pages and refused at up to `cuts` of its requests, spread evenly.
    """
    _Check(kind, source, since, logins, _secrets(source, secrets), cuts, Findings(kind.__name__)).run()


def _secrets(source: Source, more: Sequence[str]) -> tuple[str, ...]:
    named = (source.token, source.user, *source.options.values())
    return tuple(secret for secret in (*(reveal(each) for each in named if isinstance(each, Secret)), *more) if secret)


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 1 to `count`, evenly spread, the first and the last among them."""
    if count <= most or most < 2:
        return list(range(1, min(count, most) + 1))
    return sorted({1 + round(place * (count - 1) / (most - 1)) for place in range(most)})


@dataclass(slots=True)
class _Check:
    kind: type[Connector]
    source: Source
    since: datetime
    logins: Sequence[str]
    secrets: tuple[str, ...]
    cuts: int
    findings: Findings

    def run(self) -> None:
        self.declared()
        whole = self.undisturbed()
        if whole is not None:
            self.again(whole)
            self.stopped(whole)
            self.refused(whole)
            self.through_the_store(whole)
        self.shut_out()
        self.questioned()
        self.findings.close()

    def connector(self, wire: Probe) -> Connector:
        return self.kind(self.source, wire)

    def declared(self) -> None:
        unless = self.findings.unless
        options = list(getattr(self.kind, "options", ()))
        unless(all(isinstance(each, Parameter) for each in options), "options", "an option is no Parameter")
        names = [each.name for each in options if isinstance(each, Parameter)]
        unless(len(set(names)) == len(names), "options", "two options have one name")
        for name in sorted(COMMON & set(names)):
            self.findings.add("options", f"{name!r} is a key of every source")
        strange = sorted(set(getattr(self.kind, "kinds", ())) - SIGNAL_KINDS)
        unless(not strange, "kinds", f"there are no signals of kind {', '.join(strange)}")
        unless(bool(getattr(self.kind, "kinds", ())), "kinds", "it gives no kind of signal")
        wire = Probe(self.source.url)
        self.connector(wire)
        unless(wire.asked == 0, "quiet start", "it asks the service before anything is asked of it")

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, kept: Kept, wire: Probe, pages: int = 0) -> SourceError | None:
        """Pulls into `kept`; after `pages` pages the generator is dropped. A SourceError is an answer."""
        pulling = self.connector(wire).pull(dict(kept.bookmarks), self.since)
        try:
            for count, page in enumerate(pulling, 1):
                kept.keep(page)
                if count == pages:
                    break
        except SourceError as error:
            self.silent("an error", str(error))
            return error
        finally:
            close = getattr(pulling, "close", None)
            if close is not None:
                close()
        return None

    def undisturbed(self) -> Kept | None:
        """One pull from nothing with every page looked at; None when there is nothing to go on with."""
        kept, owners = Kept(), dict[str, str]()
        pages = self.pages(kept)
        try:
            for page in pages:
                self.page(page, owners)
                self.whole_groups(page, kept)
                kept.keep(page)
        except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong is a finding
            self.findings.add("pull", f"an undisturbed pull fails: {told(error)}")
            return None
        self.findings.unless(not kept.gaps, "pull", f"an undisturbed pull leaves gaps: {sorted(kept.gaps)}")
        self.findings.unless(any(kept.signals()), "pull", "it gives no signals; let the stand-in hold some work")
        self.known_actors(kept)
        return kept

    def pages(self, kept: Kept) -> Iterator[Page]:
        return self.connector(Probe(self.source.url)).pull(dict(kept.bookmarks), self.since)

    def again(self, whole: Kept) -> None:
        """A second pull of unchanged facts changes nothing."""
        kept = whole.copy()
        try:
            error = self.read(kept, Probe(self.source.url))
        except Exception as failure:  # noqa: BLE001
            error = SourceError(told(failure))
        changed = f"it fails: {error}" if error else differing(kept, whole)
        self.findings.unless(not changed, "second pull", f"facts have not changed, but {changed}")

    def stopped(self, whole: Kept) -> None:
        """Stopped after any page, the next pull comes to the same end."""
        for cut in spread(whole.pages, self.cuts):
            kept = Kept()
            self.resumed(kept, whole, f"stopped after page {cut} of {whole.pages}", Probe(self.source.url), cut)

    def refused(self, whole: Kept) -> None:
        """Refused at any request, it raises or leaves a gap, and the next pull comes to the same end."""
        anew, counting = Kept(), Probe(self.source.url)
        self.read(anew, counting)
        if other := differing(anew, whole):
            self.findings.add("keys", f"read from nothing once more, the same facts come out otherwise: {other}")
        for number in spread(counting.asked, self.cuts):
            kept, place = Kept(), f"refused (503) at request {number} of {counting.asked}"
            if self.resumed(kept, whole, place, Probe(self.source.url, refuse=number), 0):
                return

    def resumed(self, kept: Kept, whole: Kept, place: str, wire: Probe, pages: int) -> bool:
        """Reads once disturbed and once not; whether the connector raised what nobody expects."""
        try:
            error = self.read(kept, wire, pages)
        except Exception as failure:  # noqa: BLE001
            self.findings.add("errors", f"{place}, it raises {told(failure)}; raise SourceError or leave a gap")
            return True
        if not pages and error is None and not kept.gaps and (missing := differing(kept, whole)):
            self.findings.add("gaps", f"{place}, it says nothing of what it misses: {missing}")
        try:
            error = self.read(kept, Probe(self.source.url))
        except Exception as failure:  # noqa: BLE001
            error = SourceError(told(failure))
        wrong = f"it fails: {error}" if error else differing(kept, whole)
        self.findings.unless(not wrong, "resumable", f"{place} and read again, {wrong}")
        return False

    def through_the_store(self, whole: Kept) -> None:
        """The same through the engine: a real store takes the pages, and a second night writes nothing."""
        from pipmetrics.pull import pull
        from pipmetrics.store import Store

        with TemporaryDirectory() as folder:
            store = Store.open(f"sqlite:///{Path(folder, 'store.db')}", now=self.since)
            try:
                for night in ("first", "second"):
                    wire = Probe(self.source.url)
                    report = pull(store, self.source, self.connector(wire), wire, since=self.since, now=self.since)
                    wrong = report.error or ", ".join(report.gaps)
                    self.findings.unless(not wrong, "store", f"the {night} pull into a store is incomplete: {wrong}")
                    if night == "second" and report.written:
                        self.findings.add("second pull", f"a second night writes {report.written}")
                stored = store.signals()
                keys = set(stored.loc[~stored["kind"].isin(DERIVED), "key"])
                self.findings.unless(keys == set(whole.facts()), "store", "the store holds other facts than were given")
            finally:
                store.close()

    # --- one page ---------------------------------------------------------------------------------------------------

    def page(self, page: Page, owners: dict[str, str]) -> None:
        add = self.findings.add
        if not isinstance(page, Page):
            raise TypeError(f"{type(page).__name__} is no Page")
        self.silent("a page", repr(page))
        try:
            json.dumps(dict(page.bookmarks), allow_nan=False)
        except (TypeError, ValueError) as error:
            add("bookmarks", f"they are no JSON: {error}")
        for name, signals in page.groups.items():
            for signal in signals:
                if owners.setdefault(signal.key, name) != name:
                    add("keys", f"{signal.key!r} is in the groups {owners[signal.key]!r} and {name!r}")
                self.signal(signal)
            if len({signal.key for signal in signals}) < len(signals):
                add("keys", f"a key comes twice in the group {name!r}")
        for account in page.accounts:
            self.findings.unless(account.source == self.source.name, "accounts", f"{account} is of another source")
            self.findings.unless(bool(account.id and account.login), "accounts", f"{account} has no id or no login")
        for gap in page.gaps:
            self.findings.unless(gap.source == self.source.name, "gaps", f"{gap} is of another source")

    def whole_groups(self, page: Page, kept: Kept) -> None:
        """A group is replaced as a whole: one that comes in pieces loses all but the last."""
        for name, signals in page.groups.items():
            lost = {signal.key for signal in kept.groups.get(name, ())} - {signal.key for signal in signals}
            self.findings.unless(not lost, "groups", f"{name!r} comes again without {sorted(lost)[:3]}")

    def signal(self, signal: Signal) -> None:
        unless, key = self.findings.unless, signal.key
        unless(bool(key), "keys", f"a signal of {signal.subject} has no key")
        unless(signal.source == self.source.name, "signals", f"{key} is of another source: {signal.source!r}")
        unless(
            signal.subject.startswith(f"{self.source.name}:"),
            "signals",
            f"the subject of {key} does not begin with {self.source.name}: ({signal.subject})",
        )
        unless(signal.at.utcoffset() == timedelta(), "instants", f"{key} is at {signal.at}, not in UTC")
        unless(signal.url.startswith(("https://", "http://")), "signals", f"{key} has no address to see it at")
        unless(signal.actor != "", "signals", f"{key} has an empty actor; write None")
        if signal.kind in DERIVED:
            self.findings.add("kinds", f"{signal.kind} is derived after the pull, not given by a connector ({key})")
            return
        unless(signal.kind in self.kind.kinds, "kinds", f"{signal.kind} is not among the kinds declared ({key})")
        for wrong in wrong_in(signal.kind, signal.detail) if signal.kind in DETAILS else ():
            self.findings.add("detail", f"{signal.kind} {key}: {wrong}")

    def known_actors(self, kept: Kept) -> None:
        """Ids are matched to people through the accounts that were shown with them."""
        for signal in kept.signals():
            actor = signal.actor
            if actor and not actor.startswith("@") and actor not in kept.accounts:
                self.findings.add("accounts", f"nobody can tell who {actor!r} is: no page gave that account")

    def silent(self, where: str, text: str) -> None:
        if any(secret in text for secret in self.secrets):
            self.findings.add("secrets", f"{where} holds a secret")

    # --- the other questions ----------------------------------------------------------------------------------------

    def shut_out(self) -> None:
        """A token that nothing accepts is an error, never an empty answer."""
        wire = Probe(self.source.url, refuse=1, always=True, status=401)
        kept = Kept()
        try:
            error = self.read(kept, wire)
        except Exception as failure:  # noqa: BLE001
            self.findings.add("errors", f"a refused token ends in {told(failure)}; raise SourceError")
            return
        if wire.asked:
            self.findings.unless(error is not None, "errors", "a pull with a refused token (401) does not raise")

    def questioned(self) -> None:
        """`check` knows who is there and who is not, and says so of a refused token; `compare` refuses to guess."""
        answers = self.answers(Probe(self.source.url), [*self.logins, NOBODY])
        bad = [answer for answer in answers if answer.level in ("warning", "error")]
        self.findings.unless(
            any(NOBODY in answer.what for answer in bad), "check", "it does not warn of a login that does not exist"
        )
        for login in self.logins:
            named = any(f"{login}" in answer.what.split() for answer in bad)
            self.findings.unless(not named, "check", f"it warns of {login}, who exists")
        wire = Probe(self.source.url, refuse=1, always=True, status=401)
        shut_out = self.answers(wire, [NOBODY])
        if wire.asked:
            loud = any(answer.level == "error" for answer in shut_out)
            self.findings.unless(loud, "check", "it finds no error in a refused token (401)")
        try:
            answer = self.connector(Probe(self.source.url)).compare("no/such", "0" * 40, "1" * 40)
        except SourceError:
            return
        except Exception as failure:  # noqa: BLE001
            self.findings.add("compare", f"commits that do not exist end in {told(failure)}; raise SourceError")
            return
        what = "a comparison" if isinstance(answer, Comparison) else type(answer).__name__
        self.findings.add("compare", f"it gives {what} of commits that do not exist; raise SourceError")

    def answers(self, wire: Probe, logins: Sequence[str]) -> list[Finding]:
        """What `check` finds; a SourceError is an error that was found."""
        found: list[Finding] = []
        try:
            for answer in self.connector(wire).check(logins):
                if not isinstance(answer, Finding):
                    self.findings.add("check", f"{type(answer).__name__} is no Finding")
                    continue
                self.silent("a finding", f"{answer.what} {answer.mend}")
                found.append(answer)
        except SourceError as error:
            found.append(Finding("error", error.what))
        except Exception as failure:  # noqa: BLE001
            self.findings.add("check", f"it ends in {told(failure)}; yield a Finding")
        return found

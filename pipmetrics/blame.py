"""The rung `fix`: which of a person's changes brought the lines that the fix of a bug changed, read from local clones.

This only ever suggests. A line is changed by a fix for many reasons, and a bug may have come with a line that the fix
never touched: so nothing counts before a named person has confirmed it, and then only where the plan's `attribution`
names `fix`. The history is read by PyDriller (the extra `blame`), and no line of code is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from pipmetrics import identity, windows
from pipmetrics.errors import UsageError
from pipmetrics.metrics.attribution import KINDS, carriers, fixes
from pipmetrics.metrics.bugs import bugs
from pipmetrics.model import Attestation, Json, Plan, Window
from pipmetrics.plugin import SIGNAL_COLUMNS

if TYPE_CHECKING:
    from pipmetrics.api import Organisation

State = Literal["open", "confirmed", "denied"]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, as they were before `fix` (a commit) changed them, that came with `commit`."""

    path: str
    lines: tuple[int, ...]
    commit: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {_spans(self.lines)}, of {self.commit[:12]}, changed by {self.fix[:12]}"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A bug, the change that fixed it, and a change of the person whose lines that fix changed. `deployed`: when that
    one reached production, None: not before the bug, and then it could not count. `state`: what people said of it."""

    bug: str
    bug_url: str
    created: datetime
    fix: str
    fix_url: str
    change: str
    change_url: str
    deployed: datetime | None
    lines: tuple[Lines, ...]
    state: State = "open"
    by: str = ""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Those of one plan; `counts`: whether its `attribution` names `fix`. `unread`: repositories of fixes that no
    clone was given for, `missing`: commits of fixes that their clone does not have."""

    plan: str
    counts: bool
    found: tuple[Suggestion, ...]
    unread: tuple[str, ...]
    missing: tuple[str, ...]

    def to_json(self) -> Json:
        told = asdict(self)
        for each in told["found"]:
            each |= {name: each[name] and _iso(each[name]) for name in ("created", "deployed")}
        return told

    def to_text(self) -> str:
        return "\n".join(_text(self))


def suggest(company: Organisation, plan: str, clones: Mapping[str, str], as_of: datetime) -> Suggestions:
    """For each bug of the plan's windows (its baselines and the plan to date) the changes of the person whose lines
    its fix changed. `clones`: ``SOURCE:owner/name`` -> folder of a local clone.

    UsageError when the extra is missing, or a folder holds no repository.
    """
    if find_spec("pydriller") is None:
        raise UsageError("to read changed lines needs PyDriller", mend="pip install 'pipmetrics[blame]'")
    (found,) = company.plans(plan, as_of)
    signals = _signals(company, as_of)
    fixed = _fixed(company, signals, _window(found, as_of))
    own = signals[signals["kind"].eq("change_opened") & signals["person"].eq(found.person)]
    said = {(each.bug, each.change): each for each in _said(company, plan)}
    changed: list[tuple[dict[str, Any], Lines]] = []
    missing: list[str] = []
    for repository, of_repository in fixed.groupby("repository", sort=True):
        if repository in clones:
            for row in ({str(name): value for name, value in row.items()} for row in of_repository.to_dict("records")):
                lines, unknown = _changed_lines(clones[str(repository)], _commits_of(signals, row["by"]))
                changed += [(row, each) for each in lines]
                missing += [f"{repository} {sha}" for sha in unknown]
    unread = sorted(set(fixed["repository"]) - set(clones))
    found_lines = _by_change(signals, changed, set(own["subject"]))
    suggestions = tuple(_suggestion(signals, row, change, lines, said) for row, change, lines in found_lines)
    return Suggestions(plan, "fix" in found.attribution, suggestions, tuple(unread), tuple(missing))


def confirm(
    company: Organisation, plan: str, bug: str, change: str, clones: Mapping[str, str], *, confirmed: bool, by: str,
    why: str, now: datetime,
) -> int:  # fmt: skip
    """Records that a named person confirms, or denies, one of the suggestions; gives the number of the entry."""
    from pipmetrics import acts

    found = suggest(company, plan, clones, now)
    lines = [str(each) for one in found.found if (one.bug, one.change) == (bug, change) for each in one.lines]
    if not lines:
        known = ", ".join(f"{one.bug} {one.change}" for one in found.found) or "nothing"
        raise UsageError(f"no fix of {bug} is known to have changed lines of {change}", mend=f"Suggested: {known}.")
    return acts.blame(
        company.store, company.config, plan, bug, change, confirmed=confirmed, evidence=lines, by=by, why=why, now=now
    )


# --- what is known ------------------------------------------------------------------------------------------------


def _signals(company: Organisation, as_of: datetime) -> pd.DataFrame:
    signals = company.store.signals(KINDS, until=as_of, revision=company.revision)[list(SIGNAL_COLUMNS)]
    people = identity.resolve(list(company.config.people.values()), company.store.accounts(revision=company.revision))
    return signals.assign(person=identity.attach(signals["source"], signals["actor"], people))


def _window(plan: Plan, as_of: datetime) -> Window:
    longest = max(criterion.baseline for criterion in plan.criteria)
    return Window(windows.baseline(plan, longest).start, windows.to_date(plan, as_of).end)


def _fixed(company: Organisation, signals: pd.DataFrame, window: Window) -> pd.DataFrame:
    """bug, by (the change that closes it), repository (of that change): of the bugs created in the window."""
    found = bugs(signals, company.config.settings.sources)
    found = found[found["at"].ge(window.start) & found["at"].lt(window.end)]
    closed = fixes(signals, found["subject"])
    return closed.assign(repository=closed["by"].str.extract(r"^([^#!]+)[#!]", expand=False)).dropna()


def _commits_of(signals: pd.DataFrame, change: str) -> list[str]:
    """The commits of a change, that of its merge last."""
    own = signals[signals["subject"].eq(change) & signals["kind"].isin(["commits_pushed", "change_merged"])]
    ordered = own.sort_values("kind", ascending=False, kind="stable")
    return list(dict.fromkeys(sha for detail in ordered["detail"] if (sha := str(detail.get("sha") or ""))))


def _said(company: Organisation, plan: str) -> Iterator[Attestation]:
    """What was said last of each suggestion, denials included, whatever instant the suggestions are of."""
    from pipmetrics.acts import blamed

    entries = company.store.entries(acts=("blame",), subjects=(f"plan:{plan}",), through=company.through)
    yield from blamed(entries)


def _by_change(
    signals: pd.DataFrame, changed: Sequence[tuple[dict[str, Any], Lines]], own: set[str]
) -> Iterator[tuple[dict[str, Any], str, tuple[Lines, ...]]]:
    """Fixes with the person's changes that brought the lines; what a fix changed of itself is left out."""
    shas = sorted({lines.commit for _, lines in changed})
    brought = carriers(signals, shas) if shas else pd.DataFrame(columns=["repository", "sha", "change"])
    change_of = {(row["repository"], row["sha"]): row["change"] for row in brought.to_dict("records")}
    found: dict[tuple[str, str, str], tuple[dict[str, Any], list[Lines]]] = {}
    for row, lines in changed:
        change = change_of.get((str(row["repository"]).casefold(), lines.commit))
        if change in own and change != row["by"]:
            found.setdefault((row["bug"], str(change), row["by"]), (row, []))[1].append(lines)
    for (_, change, _), (row, parts) in sorted(found.items()):
        yield row, change, tuple(parts)


def _suggestion(
    signals: pd.DataFrame, row: Mapping[str, Any], change: str, lines: tuple[Lines, ...],
    said: Mapping[tuple[str, str], Attestation],
) -> Suggestion:  # fmt: skip
    opened = signals[signals["kind"].isin(["issue_opened", "change_opened"])].drop_duplicates("subject")
    urls = opened.set_index("subject")["url"]
    created = opened.loc[opened["subject"].eq(row["bug"]), "at"].iloc[0].to_pydatetime()
    deployed = signals[signals["kind"].eq("change_deployed") & signals["subject"].eq(change)]["at"].min()
    before = None if pd.isna(deployed) or deployed >= created else deployed.to_pydatetime()
    word = said.get((row["bug"], change))
    state: State = "open" if word is None else "confirmed" if word.value else "denied"
    return Suggestion(
        bug=row["bug"],
        bug_url=str(urls.get(row["bug"], "")),
        created=created,
        fix=row["by"],
        fix_url=str(urls.get(row["by"], "")),
        change=change,
        change_url=str(urls.get(change, "")),
        deployed=before,
        lines=lines,
        state=state,
        by=word.by if word else "",
    )


# --- what the clones say ------------------------------------------------------------------------------------------


def _changed_lines(folder: str, shas: Sequence[str]) -> tuple[list[Lines], list[str]]:
    """The lines that these commits changed or took away, with the commits that they came with; and the commits that
    the clone does not have. A merge is opened down to the commits that it merged."""
    from git.exc import BadName, GitCommandError, InvalidGitRepositoryError, NoSuchPathError
    from pydriller import Git  # type: ignore[import-untyped]  # it has no types

    try:
        clone = Git(folder)
        repository = clone.repo
    except (InvalidGitRepositoryError, NoSuchPathError) as error:
        raise UsageError(f"{folder} holds no git repository", mend="Give the folder of a local clone.") from error
    chosen: dict[str, None] = {}
    missing = []
    for sha in shas:
        try:
            chosen.update(dict.fromkeys(_single(repository, sha)))
        except (BadName, GitCommandError, ValueError):
            missing.append(sha)
    try:
        found = [lines for sha in chosen for lines in _of_commit(clone, sha) if lines.commit not in chosen]
    finally:
        clone.clear()
    return found, missing if not chosen else []


def _single(repository: Any, sha: str) -> list[str]:
    """The commit; for a merge, the commits that came with it."""
    commit = repository.commit(sha)
    if len(commit.parents) < 2:
        return [commit.hexsha]
    return str(repository.git.rev_list("--no-merges", f"{sha}^1..{sha}")).split()


def _of_commit(clone: Any, sha: str) -> Iterator[Lines]:
    commit = clone.get_commit(sha)
    if not commit.parents:
        return
    for file in commit.modified_files:
        gone = {number for number, text in file.diff_parsed["deleted"] if text.strip()}
        if file.old_path is not None and gone:
            for origin, numbers in _origins(clone.repo, f"{sha}^", file.old_path, gone).items():
                yield Lines(file.old_path, tuple(numbers), origin, sha)


def _origins(repository: Any, revision: str, path: str, gone: Iterable[int]) -> dict[str, list[int]]:
    """By commit, the lines of a file that came with it, of those that are gone; changes of white space passed over."""
    wanted = set(gone)
    each = (commit.hexsha for commit, lines in repository.blame(revision, path, w=True) for _ in lines)
    found: dict[str, list[int]] = {}
    for number, sha in enumerate(each, 1):
        if number in wanted:
            found.setdefault(sha, []).append(number)
    return found


# --- as text ------------------------------------------------------------------------------------------------------


def _text(found: Suggestions) -> Iterator[str]:
    yield f"{found.plan}: fixes of bugs that changed lines of the person's changes"
    yield "Suggestions alone: none of them counts before a named person has confirmed it."
    if not found.counts:
        yield "The plan's `attribution` does not name `fix`: confirmed or not, they do not count for it."
    for one in found.found:
        yield f"\n{one.bug}  {_iso(one.created)}  {one.bug_url}"
        yield f"  fixed by {one.fix}  {one.fix_url}"
        yield f"  which changed lines of {one.change}  {one.change_url}"
        yield from (f"    {lines}" for lines in one.lines)
        if one.deployed is None:
            yield "  it was not in production before the bug, and so could not count"
        yield f"  {one.state}{f' by {one.by}' if one.by else ''}"
    if not found.found:
        yield "\nNothing is suggested."
    yield from (f"\nnot read, no clone was given: {repository}" for repository in found.unread)
    yield from (f"\nnot in the clone: {commit}" for commit in found.missing)


def _spans(numbers: Sequence[int]) -> str:
    """Line numbers in few words: 12-14, 20."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

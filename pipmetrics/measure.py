"""Step two: signals -> measurements, for all people at once, with what the plan's rules leave out marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipmetrics import calendars, identity, registry
from pipmetrics.errors import PluginError
from pipmetrics.metrics._frames import INSTANT, TEXTS, detail, matches, of_kind
from pipmetrics.model import Clock, ExcludeRule, MeasureRequest, Person, Source
from pipmetrics.plugin import MEASUREMENT_COLUMNS, REASONS, SIGNAL_COLUMNS, Facts, Metric

if TYPE_CHECKING:
    from pipmetrics.model import Attestation, Json

FIELDS = MEASUREMENT_COLUMNS[:-1]
"""What is printed of a measurement; its evidence is opened by `explain`."""

_SIGNAL_TEXTS = ("source", "kind", "subject", "key", "actor", "mark", "url")


def measure(
    request: MeasureRequest,
    signals: pd.DataFrame,
    accounts: pd.DataFrame,
    people: Sequence[Person],
    sources: Mapping[str, Source],
    attestations: Sequence[Attestation] = (),
) -> pd.DataFrame:
    """The metric's rows for everybody in `people`, as known before `request.as_of`, by person, start, source and key.

    `signals` has SIGNAL_COLUMNS, `accounts` what the store gives (identity.resolve). The result has
    MEASUREMENT_COLUMNS and whatever more the metric adds. PluginError when the metric breaks its contract.
    """
    return measure_all([request], signals, accounts, people, sources, attestations)[request]


def measure_all(
    requests: Iterable[MeasureRequest],
    signals: pd.DataFrame,
    accounts: pd.DataFrame,
    people: Sequence[Person],
    sources: Mapping[str, Source],
    attestations: Sequence[Attestation] = (),
) -> dict[MeasureRequest, pd.DataFrame]:
    """`measure` for many requests over the same signals: people are found and signals sorted once."""
    return Background.of(accounts, people, sources, attestations).measure(requests, signals)


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """All that measuring takes beside signals, made once for as many of them as there are."""

    people: Sequence[Person]
    sources: Mapping[str, Source]
    attestations: Sequence[Attestation]
    identities: pd.DataFrame
    accounts: pd.DataFrame
    hours: Callable[..., pd.Series[Any]]

    @classmethod
    def of(
        cls,
        accounts: pd.DataFrame,
        people: Sequence[Person],
        sources: Mapping[str, Source],
        attestations: Sequence[Attestation] = (),
    ) -> Background:
        identities = identity.resolve(people, accounts)
        now = identity.current(accounts, identities)
        return cls(people, sources, attestations, identities, now, hours_of(people))

    def measure(self, requests: Iterable[MeasureRequest], signals: pd.DataFrame) -> dict[MeasureRequest, pd.DataFrame]:
        """The rows of everybody by request, from these signals."""
        asked = {request: registry.metric(request.metric) for request in requests}
        known = _known(signals, frozenset().union(*(metric.kinds for metric in asked.values())), self.identities)
        kinds, names = pd.factorize(known["kind"])
        measured = {}
        for request, metric in asked.items():
            seen = np.append(np.isin(names, list(metric.kinds)), False)[kinds]
            seen &= known["at"].lt(request.as_of).to_numpy()
            facts = self._facts(request, metric, known[seen].reset_index(drop=True))
            measured[request] = in_order(_checked(metric, metric.measure(facts), self.people))
        return measured

    def _facts(self, request: MeasureRequest, metric: Metric, signals: pd.DataFrame) -> Facts:
        return Facts(
            signals=signals,
            as_of=request.as_of,
            people=self.people,
            sources=self.sources,
            hours=self.hours,
            clock=request.clock or metric.clock or "elapsed",
            attribution=request.attribution,
            follow_up_days=request.follow_up.total_seconds() / 86_400,
            include=request.include,
            attestations=self.attestations,
            accounts=self.accounts,
        )


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows by person, start, source and key, numbered from 0; texts are compared only within one instant."""
    people, _ = pd.factorize(rows["person"], sort=True)
    starts = rows["start"].to_numpy(dtype="datetime64[us]").view(np.int64)
    order = np.lexsort((starts, people))
    same = (np.diff(people[order]) == 0) & (np.diff(starts[order]) == 0)
    if same.any():
        group = np.cumsum(np.append(True, ~same))
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        source, key = (rows[name].to_numpy(dtype=object)[order[tied]] for name in ("source", "key"))
        texts = list(zip(group[tied].tolist(), source, key, range(len(tied)), strict=True))
        order[tied] = order[tied][[place for *_, place in sorted(texts)]]
    return rows.take(order).reset_index(drop=True)


def hours_of(people: Sequence[Person]) -> Callable[..., pd.Series[Any]]:
    """`Facts.hours` for these people; spans of anybody else have no hours (NaN)."""
    ids = pd.Index([person.id for person in people], dtype="str")
    distinct = list(dict.fromkeys(person.calendar for person in people))
    place = {calendar: code for code, calendar in enumerate(distinct)}
    codes = np.array([place[person.calendar] for person in people] + [0], dtype=np.int64)

    def hours(person: pd.Series[Any], start: pd.Series[Any], end: pd.Series[Any], clock: Clock) -> pd.Series[Any]:
        who = ids.get_indexer(pd.Index(person.astype("str")))
        since, until = (at.to_numpy(dtype="datetime64[us]", copy=True) for at in (start, end))
        until[who < 0] = np.datetime64("NaT")
        return pd.Series(
            calendars.hours(clock, distinct, codes[who], since, until), index=person.index, dtype="float64"
        )

    return hours


def no_signals() -> pd.DataFrame:
    """SIGNAL_COLUMNS without a row."""
    empty = pd.DataFrame({column: pd.Series([], dtype="str") for column in SIGNAL_COLUMNS})
    return empty.astype({"at": INSTANT, "value": "float64", "detail": "object"})


def _known(signals: pd.DataFrame, kinds: frozenset[str], identities: pd.DataFrame) -> pd.DataFrame:
    """The signals of these kinds, sorted by (at, key, source), each with its person."""
    known = signals.loc[signals["kind"].isin(kinds), list(SIGNAL_COLUMNS)]
    known = known.astype(dict.fromkeys(_SIGNAL_TEXTS, "str") | {"at": INSTANT, "value": "float64"})
    if not _in_order(known):
        known = known.sort_values(["at", "key", "source"], kind="stable")
    return known.reset_index(drop=True).assign(
        person=lambda frame: identity.attach(frame["source"], frame["actor"], identities)
    )


def _in_order(signals: pd.DataFrame) -> bool:
    """Whether they stand by (at, key, source) already, as a store gives them: cheaper than sorting a million keys."""
    at = signals["at"].to_numpy(dtype="datetime64[us]")
    if (at[1:] < at[:-1]).any():
        return False
    same = np.flatnonzero(at[1:] == at[:-1])
    names = signals["key"].to_numpy(dtype=object), signals["source"].to_numpy(dtype=object)
    earlier, later = (list(zip(names[0][rows], names[1][rows], strict=True)) for rows in (same, same + 1))
    return all(map(tuple.__le__, earlier, later))


def _checked(metric: Metric, rows: pd.DataFrame, people: Sequence[Person]) -> pd.DataFrame:
    """The rows in the promised types, or PluginError that says what is wrong with them."""
    absent = [column for column in MEASUREMENT_COLUMNS if column not in rows]
    if absent:
        raise _broken(metric, f"its rows have no column {', '.join(absent)}")
    empty = [column for column in ("start", "end") if rows[column].isna().all()]
    rows = rows.assign(**dict.fromkeys(empty, pd.Series(pd.NaT, index=rows.index, dtype=INSTANT)))
    try:
        rows = rows.astype(dict.fromkeys(TEXTS, "str") | {"start": INSTANT, "end": INSTANT, "value": "float64"})
    except (TypeError, ValueError) as error:
        raise _broken(metric, f"a column has the wrong type: {error}") from error
    faults = {
        "a row of another metric": rows["metric"].ne(metric.name),
        f"a unit other than {metric.unit}": rows["unit"].ne(metric.unit),
        "a person who is not in people.yaml": ~rows["person"].isin([person.id for person in people]),
        "a row without source, subject or key": rows[["source", "subject", "key"]].isna().any(axis=1),
        "a row without start": rows["start"].isna(),
        "a counted row without value": rows["state"].eq("counted") & rows["value"].isna(),
        "an unknown reason": ~rows["reason"].isin(list(REASONS)),
        "a state that its reason does not make": rows["state"].ne(rows["reason"].map(REASONS)),
        "evidence that is no tuple": ~rows["evidence"].map(lambda keys: isinstance(keys, tuple)).astype(bool),
        "two rows with one key": rows.duplicated(["person", "source", "key"]),
    }
    for fault, where in faults.items():
        if where.any():
            raise _broken(metric, f"it gave {fault}: {rows.loc[where, 'key'].iloc[0]}")
    more = [column for column in rows.columns if column not in MEASUREMENT_COLUMNS]
    return rows[[*MEASUREMENT_COLUMNS, *more]]


def _broken(metric: Metric, what: str) -> PluginError:
    return PluginError(
        f"the metric {metric.name!r} breaks its contract: {what}",
        mend="Report it to whoever wrote the metric; pipmetrics/plugin.py states the contract.",
    )


# --- what a plan's rules leave out --------------------------------------------------------------------------------


def attributes(signals: pd.DataFrame, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """What exclude rules ask of a subject: columns source, subject, repository, labels, author_login, paths.

    One row a change or issue. The last three are tuples: the labels of today, every login that the author is known by
    (`accounts`, as the store gives them, add the former ones), the files of a merged change.
    """
    opened = of_kind(signals, "change_opened", "issue_opened").drop_duplicates("subject", ignore_index=True)
    merged = of_kind(signals, "change_merged").drop_duplicates("subject").set_index("subject")
    files = detail(merged, "files").map(lambda files: [file[0] for file in files or ()])
    subjects = opened["subject"]
    return pd.DataFrame(
        {
            "source": opened["source"],
            "subject": subjects,
            "repository": repository_of(subjects),
            "labels": _tuples(detail(opened, "labels"), subjects.map(detail(merged, "labels"))),
            "author_login": _tuples(detail(opened, "author_login"), _former_logins(opened, accounts)),
            "paths": _tuples(subjects.map(files)),
        }
    )


def repository_of(subjects: pd.Series[Any]) -> pd.Series[Any]:
    """``owner/name`` of a change, an issue or a deployment; the project's key of a Jira issue."""
    return subjects.astype("str").str.extract(r"^[^:]*:(.+?)(?:[#!@][^#!@]*|-\d+)$", expand=False)


def apply_rules(measurements: pd.DataFrame, rules: Sequence[ExcludeRule], attributes: pd.DataFrame) -> pd.DataFrame:
    """The rows with what a rule hits excluded (rule); the new column `note` holds the reason that the rule gives.

    Patterns are those of fnmatch, with case for all but authors, over the whole text; repositories and subjects may be
    written with their source before them. A change is hit when any of its labels, logins or files is. The first rule
    that hits decides. Rows that are already excluded keep their reason; withdrawn ones do not, because a criterion
    with a limit counts those again.
    """
    rows = measurements.assign(note="")
    for rule in rules:
        hit = _hit(rows["subject"], rule, attributes)
        hit &= rows["state"].ne("excluded") | rows["reason"].eq("withdrawn")
        rows = rows.assign(
            state=rows["state"].mask(hit, "excluded"),
            reason=rows["reason"].mask(hit, "rule"),
            note=rows["note"].mask(hit, rule.reason),
        )
    return rows.astype({"note": "str"})


def _hit(subjects: pd.Series[Any], rule: ExcludeRule, attributes: pd.DataFrame) -> pd.Series[Any]:
    if rule.part in ("subject", "repository"):
        parts = subjects.astype("str").str.extract(r"^([^:]*):(.*)$")  # two columns, also of no rows
        texts = parts[1] if rule.part == "subject" else repository_of(subjects)
        return matches(texts, [rule.pattern]) | matches(parts[0] + ":" + texts, [rule.pattern])
    column = {"label": "labels", "author": "author_login", "path": "paths"}[rule.part]
    each = attributes[["subject", column]].explode(column).dropna()
    folded = rule.part == "author"
    texts = each[column].str.lower() if folded else each[column]
    hit = matches(texts, [rule.pattern.lower() if folded else rule.pattern])
    return subjects.isin(each.loc[hit, "subject"])


def _former_logins(opened: pd.DataFrame, accounts: pd.DataFrame | None) -> pd.Series[Any]:
    """All logins of each author, as lists; missing where no account is known."""
    if accounts is None:
        return pd.Series(None, index=opened.index, dtype=object)
    known = (
        accounts.dropna(subset=["login"]).groupby(["source", "id"])["login"].agg(list).rename("logins").reset_index()
    )
    actors = opened[["source", "actor"]].astype("str")
    return actors.merge(known, left_on=["source", "actor"], right_on=["source", "id"], how="left")["logins"]


def _tuples(*columns: pd.Series[Any]) -> pd.Series[Any]:
    """The texts and lists of texts of all columns, one tuple a row without repeats."""
    parts = [[value if isinstance(value, list) else [value] for value in column] for column in columns]
    joined = [
        tuple(dict.fromkeys(t for part in row for t in part if isinstance(t, str))) for row in zip(*parts, strict=True)
    ]
    return pd.Series(joined, index=columns[0].index, dtype=object)


# --- choosing and printing ----------------------------------------------------------------------------------------


def in_window(
    measurements: pd.DataFrame, metric: Metric, start: datetime | None = None, end: datetime | None = None
) -> pd.DataFrame:
    """The rows that belong to [start, end) by the instant that the metric goes by; None leaves a side open."""
    at = measurements[metric.window_by]
    inside = at.notna()
    if start is not None:
        inside &= at >= pd.Timestamp(start)
    if end is not None:
        inside &= at < pd.Timestamp(end)
    return measurements[inside].reset_index(drop=True)


def to_json(measurements: pd.DataFrame) -> list[dict[str, Json]]:
    """A list of objects with FIELDS: instants in ISO 8601 UTC, full floats, null for what there is not."""
    shown = _shown(measurements).astype(object)
    return [dict(zip(FIELDS, row, strict=True)) for row in shown.where(shown.notna(), None).itertuples(index=False)]


def to_csv(measurements: pd.DataFrame) -> str:
    """The same as a table with a header; what there is not is left empty."""
    return _shown(measurements).to_csv(index=False, lineterminator="\n")


def _shown(measurements: pd.DataFrame) -> pd.DataFrame:
    shown = measurements[list(FIELDS)]
    return shown.assign(
        start=_iso(shown["start"]), end=_iso(shown["end"]), reason=shown["reason"].where(shown["reason"].ne(""), None)
    )


def _iso(at: pd.Series[Any]) -> pd.Series[Any]:
    texts = at.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%f").astype("str")
    printed: pd.Series[Any] = texts.str.removesuffix(".000000") + "Z"
    return printed

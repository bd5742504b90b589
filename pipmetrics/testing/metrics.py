"""The contract of a metric: the promised columns, honest states, and rows that depend on nothing but the facts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd

from pipmetrics import identity
from pipmetrics.errors import PluginError

# The engine's own examination of rows, so that there is one contract and not two.
from pipmetrics.measure import _checked as examined
from pipmetrics.measure import hours_of
from pipmetrics.model import CLOCKS, SIGNAL_KINDS, Account, Attestation, Clock, Person, Signal, Source
from pipmetrics.plugin import MEASUREMENT_COLUMNS, SIGNAL_COLUMNS, Facts, Metric
from pipmetrics.testing.connectors import spread
from pipmetrics.testing.faults import Findings, told

LATER = (timedelta(hours=1), timedelta(days=45), timedelta(days=400))
_TEXTS = dict.fromkeys(("source", "kind", "subject", "key", "actor", "mark", "url"), "str")
_NEEDS = ("changes", "tickets", "")
_ENDS = {"unanswered", "unresolved", "withdrawn"}


def facts_of(
    signals: Iterable[Signal],
    people: Sequence[Person],
    sources: Mapping[str, Source],
    *,
    as_of: datetime,
    accounts: Iterable[Account] = (),
    clock: Clock = "elapsed",
    attribution: tuple[str, ...] = ("link",),
    follow_up_days: float = 30.0,
    include: frozenset[str] = frozenset(),
    attestations: Sequence[Attestation] = (),
) -> Facts:
    """What a metric would see of these signals. Logins of people.yaml that no account shows are accounts of their own,
    so that in a test the actor of a signal may simply be the login."""
    known = _accounts(people, accounts)
    identities = identity.resolve(people, known)
    rows = [
        [s.source, s.kind, s.subject, s.key, s.at, s.actor, s.mark, s.value, s.url, copy.deepcopy(dict(s.detail))]
        for s in signals
    ]
    frame = pd.DataFrame(rows, columns=list(SIGNAL_COLUMNS)).astype(
        _TEXTS | {"at": "datetime64[us, UTC]", "value": "float64", "detail": "object"}
    )
    frame = frame.sort_values(["at", "key", "source"], kind="stable").reset_index(drop=True)
    frame = frame.assign(person=identity.attach(frame["source"], frame["actor"], identities))
    return Facts(
        signals=frame[frame["at"].lt(pd.Timestamp(as_of))].reset_index(drop=True),
        as_of=as_of,
        people=people,
        sources=sources,
        hours=hours_of(people),
        clock=clock,
        attribution=attribution,
        follow_up_days=follow_up_days,
        include=include,
        attestations=attestations,
        accounts=identity.current(known, identities),
    )


def _accounts(people: Sequence[Person], accounts: Iterable[Account]) -> pd.DataFrame:
    seen = pd.Timestamp("2000-01-01", tz="UTC")
    rows = [(a.source, a.id, a.login, a.email, a.mark, seen, seen) for a in accounts]
    shown = {(source, login.lower()) for source, _, login, *_ in rows}
    for person in people:
        for source, logins in person.accounts.items():
            if logins and (source, logins[0].lower()) not in shown:
                rows.append((source, logins[0], logins[0], None, "", seen, seen))
    columns = ["source", "id", "login", "email", "mark", "first_seen", "last_seen"]
    return pd.DataFrame(rows, columns=columns)


def check_metric(metric: Metric, facts: Facts, *, cuts: int = 6) -> pd.DataFrame:
    """Raises ContractBroken unless `metric` measures `facts` as `pipmetrics.plugin.Metric` promises; gives its rows.

    `facts` hold work of at least two people, with everything in it that the metric tells apart. It is measured as of
    up to `cuts` earlier instants too.
    """
    check = _Check(metric, facts, Findings(metric.name), cuts)
    rows = check.run()
    check.findings.close()
    return rows


class _Check:
    def __init__(self, metric: Metric, facts: Facts, findings: Findings, cuts: int) -> None:
        seen = facts.signals["kind"].isin(list(metric.kinds))
        self.metric, self.findings, self.cuts = metric, findings, cuts
        self.facts = replace(facts, signals=facts.signals[seen].reset_index(drop=True))

    def run(self) -> pd.DataFrame:
        self.declared()
        rows = self.measured("with the facts given", self.facts)
        if rows is None:
            return pd.DataFrame(columns=list(MEASUREMENT_COLUMNS))
        if rows.empty:
            self.findings.add("facts", "the facts give no row; give some that do")
        self.rows(rows)
        self.same("pure", "measured twice", self.facts, rows)
        turned = replace(self.facts, people=list(reversed(self.facts.people)))
        self.same("order", "with the people in another order", turned, rows)
        self.alone(rows)
        if self.metric.by_subject:
            self.by_subject(rows)
        self.measured("without any signal", self.before(self.facts.as_of - timedelta(days=36_500)))
        for at in self.instants():
            self.measured(f"as of {at}", self.before(at))
        self.later(rows)
        return rows

    def declared(self) -> None:
        unless, metric = self.findings.unless, self.metric
        unless(metric.name.isidentifier() and metric.name.islower(), "name", f"{metric.name!r} is no snake_case name")
        for part in ("unit", "title", "definition"):
            unless(bool(getattr(metric, part).strip()), part, "it is empty")
        strange = sorted(metric.kinds - SIGNAL_KINDS)
        unless(not strange, "kinds", f"there are no signals of kind {', '.join(strange)}")
        unless(metric.needs in _NEEDS, "needs", f"{metric.needs!r} is none of {', '.join(_NEEDS[:-1])} and ''")
        unless(metric.clock in (None, *CLOCKS), "clock", f"{metric.clock!r} is none of {', '.join(CLOCKS)}")
        unless(metric.window_by in ("start", "end"), "window_by", "it is start or end")
        unless(metric.better in ("lower", "higher", ""), "better", "it is lower, higher or empty")
        open_hours = not metric.open_ended or metric.unit == "hours"
        unless(open_hours, "open_ended", "only hours go on while an item is open")

    def measured(self, where: str, facts: Facts) -> pd.DataFrame | None:
        """The rows in the engine's order, or None and a finding."""
        before = facts.signals.copy()
        details = [copy.deepcopy(each) for each in before["detail"]]
        try:
            rows = examined(self.metric, self.metric.measure(facts), facts.people)
        except PluginError as error:
            self.findings.add("rows", f"{where}, {error.what}")
            return None
        except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong is a finding
            self.findings.add("raises", f"{where}: {told(error)}")
            return None
        untouched = before.drop(columns="detail").equals(facts.signals.drop(columns="detail", errors="ignore"))
        if not untouched or details != list(facts.signals["detail"]):
            self.findings.add("pure", "it changes the facts that it was given")
        return rows.sort_values(["person", "start", "source", "key"], kind="stable").reset_index(drop=True)

    def rows(self, rows: pd.DataFrame) -> None:
        unless = self.findings.unless
        known = set(self.facts.signals["key"])
        for key, evidence, url in zip(rows["key"], rows["evidence"], rows["url"].fillna(""), strict=True):
            proven = bool(evidence) and all(each in known or each.startswith("attestation:") for each in evidence)
            unless(proven, "evidence", f"{key} rests on {evidence!r}, not on signals that it was given")
            unless(url == "" or url.startswith(("http://", "https://")), "url", f"{key}: {url}")
        values = rows["value"].dropna()
        if self.metric.unit == "share":
            unless(bool(values.between(0, 1).all()), "value", "a share is not between 0 and 1")
        if self.metric.unit == "hours":
            unless(bool(values.ge(0).all()), "value", "hours are negative")
        if self.metric.open_ended:
            silent = rows[rows["reason"].isin(_ENDS) & rows["value"].isna()]
            unless(
                silent.empty, "open_ended", f"open and withdrawn rows have no hours so far: {list(silent['key'])[:3]}"
            )
        waiting = rows[rows["reason"].isin({"unanswered", "unresolved"}) & rows["end"].notna()]
        unless(waiting.empty, "end", f"items still open have an end: {list(waiting['key'])[:3]}")

    def same(self, rule: str, how: str, facts: Facts, rows: pd.DataFrame) -> None:
        other = self.measured(how, facts)
        if other is not None and (wrong := _unlike(rows, other)):
            self.findings.add(rule, f"{how}, {wrong}")

    def alone(self, rows: pd.DataFrame) -> None:
        """What counts for one person does not hang on who else is in people.yaml."""
        for person in self.facts.people:
            other = self.measured(f"for {person.id} alone", _only(self.facts, person))
            mine = rows[rows["person"].eq(person.id)]
            if other is not None and (wrong := _unlike(_counting(mine), _counting(other))):
                self.findings.add("alone", f"measured alone, {person.id} has other rows than among others: {wrong}")

    def by_subject(self, rows: pd.DataFrame) -> None:
        """What is promised to hang on one subject does: its rows are the same without any other, and they are of people
        who acted on it."""
        signals = self.facts.signals
        for subject in rows["subject"].drop_duplicates():
            its = signals[signals["subject"].eq(subject)].reset_index(drop=True)
            mine = rows[rows["subject"].eq(subject)].reset_index(drop=True)
            other = self.measured(f"of {subject} alone", replace(self.facts, signals=its))
            if other is not None and (wrong := _unlike(mine, other)):
                self.findings.add("by_subject", f"measured alone, {subject} has other rows than among others: {wrong}")
            if not mine["person"].isin(its["person"]).all():
                self.findings.add("by_subject", f"{subject} has rows of somebody who did nothing there")

    def before(self, at: datetime) -> Facts:
        signals = self.facts.signals
        return replace(self.facts, signals=signals[signals["at"].lt(pd.Timestamp(at))].reset_index(drop=True), as_of=at)

    def instants(self) -> list[datetime]:
        """A few instants within the facts, each just after a signal."""
        at = sorted(set(self.facts.signals["at"]))
        return [(at[place - 1] + timedelta(seconds=1)).to_pydatetime() for place in spread(len(at), self.cuts)]

    def later(self, rows: pd.DataFrame) -> None:
        """Time alone takes no row away, changes nothing that was decided, and lets open items only grow."""
        earlier = rows
        for span in LATER:
            now = self.measured(f"{span} later", replace(self.facts, as_of=self.facts.as_of + span))
            if now is None:
                return
            both = earlier.merge(now, on=["person", "source", "key"], how="left", suffixes=("", "_now"))
            gone = both["metric_now"].isna()
            settled = ~gone & both["state"].ne("pending")
            changed = settled & both["state_now"].ne(both["state"])
            lasting = both["state"].eq("counted") | (settled & both["end"].notna() & self.metric.by_subject)
            known = both["value_now"].notna() | both["value"].notna()
            changed |= lasting & ~gone & known & both["value_now"].ne(both["value"])
            shrunk = ~gone & both["state"].eq("pending") & both["state_now"].eq("pending")
            shrunk &= both["value_now"].lt(both["value"])
            for where, what in ((gone, "is gone"), (changed, "changed although decided"), (shrunk, "became less")):
                if where.any():
                    self.findings.add(
                        "as_of", f"{span} later, with no new fact, {both.loc[where, 'key'].iloc[0]} {what}"
                    )
            earlier = now


def _only(facts: Facts, person: Person) -> Facts:
    """The facts as they would be if people.yaml held this person alone."""
    mine: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame.assign(  # noqa: E731 - used twice below
        person=frame["person"].where(frame["person"].eq(person.id))
    )
    accounts = None if facts.accounts is None else mine(facts.accounts)
    return replace(facts, people=[person], signals=mine(facts.signals), accounts=accounts)


def _counting(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["state"].ne("excluded")].reset_index(drop=True)


def _unlike(rows: pd.DataFrame, other: pd.DataFrame) -> str:
    """How two frames of rows differ, in words; "" when they do not."""
    if len(rows) != len(other):
        return f"there are {len(other)} rows, not {len(rows)}"
    for column in MEASUREMENT_COLUMNS:
        same = [
            a == b or (pd.isna(a) is True and pd.isna(b) is True)
            for a, b in zip(rows[column], other[column], strict=True)
        ]
        if not all(same):
            return f"{column} of {rows['key'].iloc[same.index(False)]} differs"
    return ""

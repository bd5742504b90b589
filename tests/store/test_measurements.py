"""Kept measurements in the store: found by an index, replaced by the difference, and gone with what they came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from pipmetrics.model import Calendar, Person
from pipmetrics.store import Store, copying, measurements, signals
from pipmetrics.store.engine import reading, writing
from pipmetrics.store.measurements import Known, Renewal, Row
from pipmetrics.store.signals import Choice
from tests.conftest import NOW
from tests.store.dump import dump
from tests.store.facts import MORNING, change, page

RECIPE = '{"metric":"reviews_given"}'
PAIR = (RECIPE, "ada")
KNOWN = Known({("hub", "1"): "ada", ("hub", "@ada"): "ada", ("hub", "2"): "bob"}, {"ada": "c", "bob": "c"})
ONE = "hub:acme/api#1"


def row(key: str, subject: str = ONE, value: float | None = 1.0, person: str = "ada") -> Row:
    return (person, "hub", key, subject, 1_000_000, 2_000_000, value, "", None, "")


@pytest.fixture
def kept(store: Store) -> Store:
    store.write("hub", page(change(1), change(2)), NOW)
    other = row("k1", person="bob")
    assert store.keep(store.revision(), NOW, KNOWN, {PAIR: [row("k1"), row("k2")], (RECIPE, "bob"): [other]})
    return store


def found(store: Store, known: Known = KNOWN, since: Any = NOW) -> tuple[dict[str, list[str]], set[str]]:
    """The keys of whose rows are right, and the subjects of which they are not."""
    read = store.kept({RECIPE: ["ada", "bob"]}, known, {"reviewed"}, since)
    rows = read.rows.get(RECIPE)
    people = sorted(read.people.get(RECIPE, ()))
    return {one: sorted(rows[rows["person"] == one]["key"]) for one in people if rows is not None}, set(read.unsettled)


def renewal(store: Store, **more: Any) -> Renewal:
    pairs = [PAIR, (RECIPE, "bob")]
    return replace(Renewal(store.revision(), NOW, KNOWN.identities, pairs, [], {RECIPE: []}), **more)


def test_rows_come_back_as_they_were_kept(kept: Store) -> None:
    assert found(kept) == ({"ada": ["k1", "k2"], "bob": ["k1"]}, set())
    rows = kept.kept({RECIPE: ["bob"]}, KNOWN, {"reviewed"}, NOW).rows[RECIPE]
    (told,) = rows.to_dict("records")
    assert (told["start"].isoformat(), told["value"]) == ("1970-01-01T00:00:01+00:00", 1.0)
    assert rows["url"].isna().all()
    assert str(rows["end"].dtype) == "datetime64[us, UTC]"
    assert found(kept, replace(KNOWN, calendars={"ada": "other", "bob": "c"})) == ({"bob": ["k1"]}, set())


def test_what_changed_and_what_is_not_over_yet_is_named(kept: Store) -> None:
    kept.write("hub", page({ONE: change(1)[ONE][:1]}, change(3)), NOW)
    assert found(kept)[1] == {ONE, "hub:acme/api#3"}
    kept.renew(renewal(kept))
    assert found(kept)[1] == set()
    assert found(kept, since=MORNING + timedelta(hours=3))[1] == {"hub:acme/api#2", "hub:acme/api#3"}


def test_another_account_makes_two_people_anew_and_names_what_it_did(kept: Store) -> None:
    moved = replace(KNOWN, identities={**KNOWN.identities, ("hub", "2"): "cyd"})
    assert found(kept, moved) == ({"ada": ["k1", "k2"]}, {ONE, "hub:acme/api#2"})


def test_a_renewal_writes_what_differs_and_nothing_else(kept: Store) -> None:
    written: list[str] = []

    def watch(_: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        written.extend([statement] * (not statement.lstrip().startswith(("SELECT", "BEGIN", "PRAGMA", "SET"))))

    event.listen(kept.engine, "before_cursor_execute", watch)
    same = {RECIPE: [row("k1"), row("k2"), row("k1", person="bob")]}
    kept.renew(renewal(kept, subjects=[ONE], rows=same))
    assert written == []
    kept.renew(renewal(kept, subjects=[ONE], rows={RECIPE: [row("k1", value=2.0), row("k3")]}))
    event.remove(kept.engine, "before_cursor_execute", watch)
    assert written
    assert found(kept)[0] == {"ada": ["k1", "k3"], "bob": []}


def test_nothing_is_kept_of_signals_that_have_changed_meanwhile(kept: Store) -> None:
    before, stale = kept.revision(), renewal(kept, subjects=[ONE])
    kept.write("hub", page(change(3)), NOW)
    kept.renew(stale)
    assert not kept.keep(before, NOW, KNOWN, {(RECIPE, "cyd"): []})
    assert not kept.keep(kept.revision(), NOW, KNOWN, {(RECIPE, "cyd"): []})
    assert found(kept)[0] == {"ada": ["k1", "k2"], "bob": ["k1"]}


def test_who_is_not_asked_for_any_more_is_dropped_with_the_recipe(kept: Store) -> None:
    kept.renew(renewal(kept, pairs=[PAIR]))
    assert found(kept)[0] == {"ada": ["k1", "k2"]}
    kept.renew(renewal(kept, pairs=[], rows={}))
    held = kept.held()
    assert held is not None
    assert (held.calendars, dump(kept)["recipe"]) == ({}, [])


def test_an_erasure_and_a_copy_leave_nothing_of_it(kept: Store, tmp_path: Path) -> None:
    ada = Person("ada", "Ada", Calendar("UTC"), accounts={"hub": ("ada",)})
    exported = kept.export_person(ada, "ada", NOW)["measurements.csv"].decode()
    assert [told["key"] for told in csv.DictReader(io.StringIO(exported))] == ["k1", "k2"]
    target = Store.open(f"sqlite:///{tmp_path}/copy.db", now=NOW, key=tmp_path / "ledger.key")
    copying.copy(kept, target)
    assert (target.held(), dump(target)["measurement"]) == (None, [])
    target.close()
    kept.erase_person(ada, "petra", "asked", NOW)
    assert (kept.held(), dump(kept)["measurement"], dump(kept)["measured"]) == (None, [], [])


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda c: signals.changed_since(c, 7), ("ix_signal_revision (revision>?)", "ix_signal_past_ended (ended>?)")),
        (lambda c: signals.touched_since(c, ["reviewed"], NOW), ("ix_signal_kind_signal_at (kind=? AND at>?)",)),
        (lambda c: signals.touched_by(c, [("hub", "1")]), ("ix_signal_source_signal_actor (source=? AND actor=?)",)),
        (lambda c: signals.spelled(c, [("hub", "@a")]), ("(source=? AND actor>? AND actor<?)",)),
        (lambda c: measurements._frame(c, 1, ["ada", "bob"]), ("PRIMARY KEY (recipe=? AND person=?)",)),
        (lambda c: measurements._of_subjects(c, [ONE]), ("ix_measurement_subject (subject=?)",)),
        (
            lambda c: signals.frame(c, Choice(kinds=("reviewed",), until=NOW, subjects=(ONE,), by=[("hub", "1")])),
            ("ix_signal_subject (subject=?)",),
        ),
    ],
)
def test_every_look_up_is_by_an_index(tmp_path: Path, ask: Callable[[Connection], Any], index: tuple[str, ...]) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW)
    asked: list[tuple[str, Any]] = []

    def watch(_: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    with reading(store.engine) as connection:
        event.listen(connection, "before_cursor_execute", watch)
        ask(connection)
        event.remove(connection, "before_cursor_execute", watch)
        plans = [
            " ".join(str(step[3]) for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
            for statement, parameters in asked
        ]
    store.close()
    assert len(plans) == len(index)
    assert all(place in plan for place, plan in zip(index, plans, strict=True)), plans


def test_forgetting_is_part_of_the_transaction_that_calls_for_it(kept: Store) -> None:
    def broken() -> None:
        with writing(kept.engine, "broken") as connection:
            measurements.forget(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert found(kept)[0] == {"ada": ["k1", "k2"], "bob": ["k1"]}

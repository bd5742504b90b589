from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipmetrics.errors import PluginError
from pipmetrics.model import Signal
from pipmetrics.plugin import SIGNAL_COLUMNS
from pipmetrics.store import Store, Written, repository_of
from pipmetrics.store.engine import reading
from pipmetrics.store.signals import Choice, _statement
from pipmetrics.store.tables import SIGNAL
from tests.conftest import NOW
from tests.store.facts import MORNING, change, page, signal


def keys(frame: pd.DataFrame) -> list[str]:
    return frame["key"].tolist()


def test_what_goes_in_comes_out_as_a_frame_of_the_promised_types(store: Store) -> None:
    there = signal(
        "reviewed", "hub:acme/api#1", "r1", hours=0.0000001, actor=None, value=2, state="approved", comments=[1]
    )
    store.write("hub", page({"hub:acme/api#1": [replace(there, mark="ghost")]}), NOW)
    frame = store.signals()
    assert tuple(frame.columns) == SIGNAL_COLUMNS
    assert {
        name: str(kind) for name, kind in frame.dtypes.items() if name not in ("at", "value", "detail")
    } == dict.fromkeys(("source", "kind", "subject", "key", "actor", "mark", "url"), "str")
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    assert frame["at"][0] == there.at
    assert frame["value"][0] == 2.0
    assert frame["detail"][0] == {"state": "approved", "comments": [1]}
    assert pd.isna(frame["actor"][0])
    assert frame["mark"][0] == "ghost"


def test_an_empty_store_gives_a_frame_of_the_same_types(store: Store) -> None:
    empty = store.signals()
    store.write("hub", page(change(1)), NOW)
    full = store.signals()
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_the_same_page_again_writes_nothing(store: Store) -> None:
    assert store.write("hub", page(change(1), change(2, reviews=2)), NOW) == Written(5, 0, 0)
    before = store.revision()
    assert store.write("hub", page(change(1), change(2, reviews=2)), NOW + timedelta(days=1)) == Written()
    assert store.revision() == before


def test_a_group_is_replaced_as_a_whole_and_only_the_difference_is_written(store: Store) -> None:
    store.write("hub", page(change(1, reviews=3), change(2)), NOW)
    assert store.write("hub", page(change(1, reviews=1, title="Pay once")), NOW) == Written(0, 1, 2)
    assert keys(store.signals()) == ["1-opened", "1-review-0", "2-opened", "2-review-0"]
    assert store.signals()["detail"][0]["title"] == "Pay once"


def test_an_empty_group_is_removed(store: Store) -> None:
    store.write("hub", page(change(1), change(2)), NOW)
    assert store.write("hub", page({"hub:acme/api#1": []}), NOW) == Written(0, 0, 2)
    assert keys(store.signals()) == ["2-opened", "2-review-0"]


def test_a_key_that_comes_under_another_name_moves(store: Store) -> None:
    opened = signal("issue_opened", "hub:acme/old#1", "i1")
    moved = replace(opened, subject="hub:acme/new#7")
    store.write("hub", page({"hub:acme/old#1": [opened]}), NOW)
    assert store.write("hub", page({"hub:acme/new#7": [moved]}), NOW) == Written(0, 1, 0)
    assert store.signals()["subject"].tolist() == ["hub:acme/new#7"]
    assert store.write("hub", page({"hub:acme/old#1": []}), NOW) == Written()
    assert keys(store.signals()) == ["i1"]


def test_a_key_may_be_the_same_in_two_sources(store: Store) -> None:
    store.write("hub", page(change(1)), NOW)
    store.write("lab", page(change(1, source="lab")), NOW)
    assert len(store.signals()) == 4
    store.write("lab", page({"lab:acme/api#1": []}), NOW)
    assert set(store.signals()["source"]) == {"hub"}


def test_a_connector_that_gives_two_facts_one_key_breaks_its_contract_and_nothing_is_written(store: Store) -> None:
    twice = [signal("reviewed", "hub:acme/api#1", "r", hours=hours) for hours in (1, 2)]
    with pytest.raises(PluginError, match="two signals with the key 'r'"):
        store.write("hub", page({"hub:acme/api#1": twice}, seen=1), NOW)
    assert store.bookmarks("hub") == {}
    assert len(store.signals()) == 0


def test_a_connector_speaks_for_its_own_source_alone(store: Store) -> None:
    with pytest.raises(PluginError, match="gave a signal of 'lab'"):
        store.write("hub", page(change(1, source="lab")), NOW)


def test_texts_that_a_database_refuses_are_kept_readable(store: Store) -> None:
    odd = signal("change_opened", "hub:acme/api#1", "c1", title="half \ud800 and nul \0 end")
    store.write("hub", page({"hub:acme/api#1": [odd]}), NOW)
    assert store.signals()["detail"][0]["title"] == "half � and nul \0 end"
    assert store.write("hub", page({"hub:acme/api#1": [odd]}), NOW) == Written()


def test_rows_are_sorted_by_instant_then_key_whatever_the_database_thinks_of_letters(store: Store) -> None:
    same = [signal("commented", "hub:acme/api#1", key, hours=1) for key in ("b", "A", "a", "B", "ä", "_")]
    store.write("hub", page({"hub:acme/api#1": [*same, signal("commented", "hub:acme/api#1", "z")]}), NOW)
    assert keys(store.signals()) == ["z", "A", "B", "_", "a", "b", "ä"]


def test_signals_are_chosen_by_kind_span_source_and_subject(store: Store) -> None:
    store.write("hub", page(change(1), change(2)), NOW)
    store.write("lab", page(change(3, source="lab")), NOW)
    assert keys(store.signals(["reviewed"])) == ["1-review-0", "2-review-0", "3-review-0"]
    assert keys(store.signals(until=MORNING + timedelta(hours=2))) == ["1-opened"]
    assert keys(store.signals(since=MORNING + timedelta(hours=3))) == ["2-review-0", "3-opened", "3-review-0"]
    assert keys(store.signals(sources=["lab"])) == ["3-opened", "3-review-0"]
    assert keys(store.signals(subjects=["hub:acme/api#2"])) == ["2-opened", "2-review-0"]
    assert keys(store.signals(subjects=[])) == []
    assert keys(store.signals(["reviewed"], involving=[("hub", "1")])) == ["1-review-0", "2-review-0"]
    assert keys(store.signals(involving=[("lab", "2"), ("hub", "7")])) == ["3-opened", "3-review-0"]
    assert keys(store.signals(involving=[])) == []


@pytest.mark.parametrize(
    ("choice", "index"),
    [
        (Choice(kinds=("reviewed",), since=MORNING), "ix_signal_kind_signal_at"),
        (Choice(kinds=("reviewed",), since=MORNING, involving=(("hub", "1"),)), "ix_signal_subject"),
        (Choice(subjects=("hub:acme/api#1",)), "ix_signal_subject"),
        (Choice(kinds=("deployed",), repositories=("hub:acme/api",)), "ix_signal_kind_signal_at"),
        (Choice(keys=(("hub", "k"),)), "sqlite_autoindex_signal_1"),
    ],
)
def test_what_is_read_is_found_by_an_index(tmp_path: Path, choice: Choice, index: str) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db", now=NOW)
    with reading(store.engine) as connection:
        statement = _statement(connection, SIGNAL, choice)
        text = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    store.close()
    assert f"USING INDEX {index}" in plan[0]


def test_a_repository_is_not_mistaken_for_one_whose_name_begins_alike(store: Store) -> None:
    subjects = ("hub:acme/api#1", "hub:acme/api!2", "hub:acme/api@3", "hub:acme/api-v2#4", "hub:acme/apis#5")
    store.write("hub", page({s: [signal("issue_opened", s, s)] for s in subjects}), NOW)
    assert set(keys(store.signals(repositories=["hub:acme/api"]))) == set(subjects[:3])


def test_more_subjects_than_a_statement_takes_are_read_in_parts(store: Store) -> None:
    groups = [change(number) for number in range(1, 700)]
    store.write("hub", page(*groups), NOW)
    assert len(store.signals(subjects=[name for group in groups for name in group])) == 2 * 699


def test_evidence_is_found_by_source_and_key(store: Store) -> None:
    store.write("hub", page(change(1)), NOW)
    store.write("lab", page(change(1, source="lab")), NOW)
    found = store.signal_rows([("hub", "1-opened"), ("lab", "1-review-0"), ("lab", "gone")])
    assert list(zip(found["source"], found["key"], strict=True)) == [("hub", "1-opened"), ("lab", "1-review-0")]


def test_a_former_revision_reads_as_the_store_was_then(store: Store) -> None:
    store.write("hub", page(change(1, reviews=2)), NOW)
    first, before = store.revision(), store.signals()
    store.write("hub", page(change(1, reviews=1, title="Other"), change(2)), NOW)
    second, middle = store.revision(), store.signals()
    store.write("hub", page(change(1, reviews=2), {"hub:acme/api#2": []}), NOW)
    pd.testing.assert_frame_equal(store.signals(revision=first), before)
    pd.testing.assert_frame_equal(store.signals(revision=second), middle)
    pd.testing.assert_frame_equal(store.signals(revision=store.revision()), store.signals())
    assert len(store.signals(revision=0)) == 0


@pytest.mark.parametrize(
    ("subject", "repository"),
    [
        ("hub:acme/api#12", "hub:acme/api"),
        ("lab:a/b/c!7", "lab:a/b/c"),
        ("hub:acme/api@99", "hub:acme/api"),
        ("jira:PAY-1", ""),
    ],
)
def test_the_repository_of_a_subject(subject: str, repository: str) -> None:
    assert repository_of(subject) == repository


def test_a_page_that_changes_merges_or_deployments_makes_its_repository_stale(store: Store) -> None:
    merged = signal("change_merged", "hub:acme/api#1", "m1", sha="abc")
    store.write("hub", page(change(2)), NOW)
    assert store.stale("hub") == []
    store.write("hub", page({"hub:acme/api#1": [merged]}), NOW)
    assert store.stale("hub") == ["hub:acme/api"]
    reverted = signal("change_reverted", "hub:acme/api#1", "v1", by="hub:acme/api#2")
    derived = page({"revert hub:acme/api#2": [reverted]}, cache={"a": 1})
    assert store.write_derived("hub", "hub:acme/api", derived, NOW) == Written(1, 0, 0)
    assert store.stale("hub") == []
    assert store.bookmarks("hub") == {}
    assert store.derived_bookmarks("hub") == {"cache": {"a": 1}}
    assert store.group_names("hub", "revert", "hub:acme/api") == ["revert hub:acme/api#2"]
    assert store.write("hub", page({"hub:acme/api#1": [merged]}), NOW) == Written()
    assert keys(store.signals(["change_reverted"])) == ["v1"]
    store.write("hub", page({"hub:acme/api#1": []}), NOW)
    assert store.stale("hub") == ["hub:acme/api"]


def test_merges_and_deployments_come_back_as_the_signals_they_were(store: Store) -> None:
    merged = signal("change_merged", "hub:acme/api#1", "m1", sha="abc", value=7.0)
    deployed = signal("deployed", "hub:acme/api@1", "d1", hours=5, sha="abc", environment="production")
    store.write("hub", page({"a": [merged], "b": [deployed], **change(2)}), NOW)
    there: tuple[list[Signal], list[Signal]] = store.merges_and_deployments("hub", "hub:acme/api")
    assert there == ([merged], [deployed])

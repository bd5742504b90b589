from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pipmetrics.model import Gap
from pipmetrics.plugin import Page
from pipmetrics.store import Run, Store
from tests.conftest import NOW
from tests.store.facts import change, page


def test_bookmarks_are_json_by_name_and_kept_for_each_source(store: Store) -> None:
    store.write("hub", page(since={"a": [1, None]}, etag="x"), NOW)
    store.write("lab", page(since=3), NOW)
    store.write("hub", page(etag="y"), NOW)
    assert store.bookmarks("hub") == {"since": {"a": [1, None]}, "etag": "y"}
    assert store.bookmarks("lab") == {"since": 3}


def test_a_gap_stays_open_since_it_was_first_seen(store: Store) -> None:
    store.write("hub", Page(gaps=[Gap("hub", "acme/api", "404", NOW)]), NOW)
    store.write("hub", Page(gaps=[Gap("hub", "acme/api", "403", NOW + timedelta(days=1))]), NOW)
    assert store.gaps() == [Gap("hub", "acme/api", "403", NOW)]


def test_a_gap_without_an_instant_is_as_old_as_the_last_complete_pull(store: Store) -> None:
    store.fail("hub", "401")
    assert store.gaps() == [Gap("hub", "", "401", None)]
    store.complete("hub", NOW)
    store.fail("hub", "401")
    assert store.gaps() == [Gap("hub", "", "401", NOW)]
    assert store.last_complete("hub") == NOW


def test_a_part_that_is_good_again_closes_its_gap(store: Store) -> None:
    store.write("hub", Page(gaps=[Gap("hub", part, "404", NOW) for part in ("a", "b", "c")]), NOW)
    store.write("hub", Page(gaps=[Gap("hub", "a", "")]), NOW)
    assert [gap.part for gap in store.gaps()] == ["b", "c"]
    store.complete("hub", NOW, still_open=["c"])
    assert [gap.part for gap in store.gaps()] == ["c"]


def test_a_source_that_was_never_pulled_to_its_end_is_a_gap_when_asked_for(store: Store) -> None:
    store.complete("hub", NOW)
    store.fail("lab", "401")
    assert [(gap.source, gap.part) for gap in store.gaps(["hub", "jira", "lab"])] == [("lab", ""), ("jira", "")]
    assert [gap.source for gap in store.gaps()] == ["lab"]


def test_a_run_record_grows_with_each_page_and_is_completed_at_the_end(store: Store) -> None:
    run = store.begin_run("nightly", NOW, "2026-11-24T01:30:00Z")
    store.write("hub", page(change(1)), NOW, run)
    store.write("hub", page(change(1, reviews=2)), NOW, run)
    assert store.runs()[0].ended is None
    ended = Run(run, "nightly", NOW, NOW + timedelta(minutes=1), "incomplete", requests=7, retried=1,
                counts={"evaluated": 3}, sources={"hub": {"requests": 7}})  # fmt: skip
    store.end_run(ended)
    counts = {"added": 3, "changed": 0, "removed": 0, "pages": 2, "requests": 7}
    assert store.runs(["nightly"], limit=1) == [replace(ended, slot="2026-11-24T01:30:00Z", sources={"hub": counts})]


def test_a_store_remembers_when_it_was_migrated(store: Store) -> None:
    assert [(run.kind, run.started, run.outcome) for run in store.runs()] == [("migrate", NOW, "done")]


def test_a_delivery_is_noted_once(store: Store) -> None:
    assert store.delivered("digest 2026-W47 dana") is None
    assert store.mark_delivered("digest 2026-W47 dana", NOW)
    assert not store.mark_delivered("digest 2026-W47 dana", NOW + timedelta(days=1))
    assert store.delivered("digest 2026-W47 dana") == NOW

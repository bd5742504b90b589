from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pipmetrics.store import Run
from tests.web.company import EVERYBODY, Browser, Company

Signed = Callable[[str | None], Browser]


def test_numbers_count_requests_by_the_pattern_of_their_route(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    dana.get("/plans/ada-q4")
    dana.get("/plans/ben-q4")
    dana.get("/plans/chen-q4")
    text = as_(None).get("/metrics").text
    assert 'pipmetrics_http_requests_total{method="GET",route="/plans/{plan}",status="200"} 2.0' in text
    assert 'pipmetrics_http_requests_total{method="GET",route="/plans/{plan}",status="404"} 1.0' in text
    assert "pipmetrics_plans 3.0" in text
    assert f"pipmetrics_ledger_entries {float(company.organisation.store.head().seq)}" in text


def test_numbers_tell_the_last_night_the_sources_and_the_store(as_: Signed, company: Company) -> None:
    store, now = company.organisation.store, company.now
    number = store.begin_run("nightly", now - timedelta(seconds=90))
    counts = {"hub": {"requests": 12, "gaps": []}}
    store.end_run(Run(number, "nightly", now - timedelta(seconds=90), now, "incomplete", requests=12, sources=counts))
    store.begin_run("nightly", now)  # under way: the one before is the last that ended
    store.complete("hub", now)
    store.fail("hub", "403", "acme/api")
    text = as_(None).get("/metrics").text
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(told["pipmetrics_last_night_seconds"]) == now.timestamp()
    assert float(told['pipmetrics_source_complete_seconds{source="hub"}']) == now.timestamp()
    assert float(told["pipmetrics_store_bytes"]) > 50_000
    assert told['pipmetrics_last_night{outcome="done"}'] == "0.0"
    assert 'pipmetrics_last_night{outcome="incomplete"} 1.0' in text
    assert "pipmetrics_last_night_duration_seconds 90.0" in text
    assert 'pipmetrics_last_night_requests{source="hub"} 12.0' in text
    assert 'pipmetrics_source_gaps{source="hub"} 1.0' in text


def test_no_label_names_a_person_or_a_plan(as_: Signed) -> None:
    for who in EVERYBODY:
        as_(who).get("/plans/ada-q4")
    text = as_(None).get("/metrics").text.lower()
    assert not any(name in text for name in (*EVERYBODY, "archer", "q4"))


def test_the_server_is_well_while_its_store_can_be_read(as_: Signed, monkeypatch: object) -> None:
    outside = as_(None)
    assert (outside.get("/healthz").status_code, outside.get("/healthz").json()) == (200, {"status": "ok"})


def test_the_server_is_down_while_its_store_cannot_be_read(as_: Signed, company: Company) -> None:
    outside = as_(None)
    outside.get("/healthz")
    for each in company.organisations:
        each.store.close()
    path = company.folder / "pipmetrics.db"
    for file in company.folder.glob("pipmetrics.db*"):
        file.unlink()
    path.write_bytes(b"this is not a database, " * 100)
    assert (outside.get("/healthz").status_code, outside.get("/healthz").json()) == (503, {"status": "down"})

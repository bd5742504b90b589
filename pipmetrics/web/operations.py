"""For whoever runs the server: is it well, and how busy is it. No label names a person or a plan."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipmetrics.errors import PipmetricsError
from pipmetrics.store import Store
from pipmetrics.store.engine import size
from pipmetrics.web.guard import public
from pipmetrics.web.office import Office

OUTCOMES = ("done", "incomplete", "failed", "stopped")
Public = Annotated[None, Depends(public())]


class Numbers:
    """The numbers of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("pipmetrics_http_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "pipmetrics_http_seconds", "Time to answer.", ("route",), registry=self.registry,
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip
        self.entries = Gauge("pipmetrics_ledger_entries", "Entries of the ledger.", registry=self.registry)
        self.plans = Gauge("pipmetrics_plans", "Plans in force.", registry=self.registry)
        self.night = Gauge("pipmetrics_last_night_seconds", "End of the last nightly run, since 1970.",
                           registry=self.registry)  # fmt: skip
        self.state = Gauge("pipmetrics_last_night", "1 for how the last nightly run ended, as `outcome`.", ("outcome",),
                           registry=self.registry)  # fmt: skip
        self.duration = Gauge("pipmetrics_last_night_duration_seconds", "How long the last nightly run took.",
                              registry=self.registry)  # fmt: skip
        self.asked = Gauge(
            "pipmetrics_last_night_requests", "Requests of the last nightly run.", ("source",), registry=self.registry
        )
        self.fresh = Gauge("pipmetrics_source_complete_seconds", "Begin of a source's last complete pull, since 1970.",
                           ("source",), registry=self.registry)  # fmt: skip
        self.gaps = Gauge("pipmetrics_source_gaps", "Parts of a source that could not be read.", ("source",),
                          registry=self.registry)  # fmt: skip
        self.bytes = Gauge("pipmetrics_store_bytes", "Size of the store on its disk.", registry=self.registry)
        self.stale = Gauge("pipmetrics_configuration_fault", "1 while the files are wrong and older ones are in use.",
                           registry=self.registry)  # fmt: skip

    def read(self, office: Office) -> bytes:
        standing = office.standing()
        store = standing.company.store
        self.entries.set(store.head().seq)
        self.plans.set(len(standing.plans))
        self.bytes.set(size(store.engine))
        self.read_runs(store)
        self.read_sources(store, list(standing.company.config.settings.sources))
        self.stale.set(bool(office.fault))
        return generate_latest(self.registry)

    def read_runs(self, store: Store) -> None:
        ended = [run for run in store.runs(("nightly",), 20) if run.ended is not None]
        if not ended:
            return
        last = ended[0]
        begun, over = last.started.timestamp(), last.ended.timestamp() if last.ended else 0.0
        self.night.set(over)
        self.duration.set(over - begun)
        for outcome in OUTCOMES:
            self.state.labels(outcome).set(outcome == last.outcome)
        for source, told in last.sources.items():
            self.asked.labels(source).set(told.get("requests", 0))

    def read_sources(self, store: Store, sources: Sequence[str]) -> None:
        gaps = [gap.source for gap in store.gaps(sources)]
        for source in sources:
            complete = store.last_complete(source)
            self.fresh.labels(source).set(complete.timestamp() if complete else 0)
            self.gaps.labels(source).set(gaps.count(source))


def add(app: FastAPI) -> None:
    numbers = app.state.numbers = Numbers()

    def health(request: Request, _: Public) -> Response:
        office: Office = request.app.state.office
        try:
            office.standing()
        except PipmetricsError:
            return JSONResponse({"status": "down"}, 503)
        return JSONResponse({"status": "stale configuration" if office.fault else "ok"})

    def metrics(request: Request, _: Public) -> Response:
        return Response(numbers.read(request.app.state.office), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/healthz", health, methods=["GET"], include_in_schema=False)
    app.add_api_route("/metrics", metrics, methods=["GET"], include_in_schema=False)


class Counting:
    """Counts requests by the pattern of their route."""

    def __init__(self, app: ASGIApp, numbers: Numbers) -> None:
        self.app, self.numbers = app, numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
            self.numbers.requests.labels(method, route, str(status)).inc()
            self.numbers.seconds.labels(route).observe(perf_counter() - begun)

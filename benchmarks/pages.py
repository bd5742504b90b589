"""Fifty people read plans while the nightly job writes: errors, and the time of a page against an empty one.

    python benchmarks/pages.py [--readers 50] [--seconds 20] [--plans 20] [--smoke]

A company of `plans` people with a plan each, and one manager, who reads. The server runs in a process of its own,
the nightly job in another: it writes changed signals, evaluates all plans and records them, over and over. Each reader
signs in through a link of their own and opens plan after plan; every reading is recorded in the ledger before its page
comes. "empty" is the sign-in page of the same server under the same readers. Times are those of one machine: compare
the ratios.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipmetrics.api import Organisation
from pipmetrics.config import load
from pipmetrics.ledger import verify
from pipmetrics.model import Account, Signal
from pipmetrics.plugin import Page
from pipmetrics.web import make_link
from pipmetrics.web.app import server

DAYS = 120
PLAN = """\
plan: plan-{n}
kind: pip
person: p{n}
manager: boss
start: {start}
days: 60
check_ins: {{every: week, on: Monday}}
criteria:
  - {{id: reviews, expectation: Answer in a day, metric: review_turnaround, criterion: share_within,
      limit: 24h, target: 90%}}
  - {{id: median, expectation: Half in 8 hours, metric: review_turnaround, criterion: threshold,
      statistic: median, at_most: 8h}}
"""


@dataclass
class Read:
    """What one reader saw."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def write_company(folder: Path, plans: int, now: datetime) -> None:
    (folder / "plans").mkdir(parents=True)
    (folder / "pipmetrics.yaml").write_text(
        "store: sqlite:///pipmetrics.db\nsources:\n"
        '  hub: {connector: github, url: "https://git.example.com", token: "${HUB}", repositories: [acme/api]}\n'
    )
    people = "".join(f"  p{n}: {{name: Person {n}, manager: boss, accounts: {{hub: p{n}}}}}\n" for n in range(plans))
    (folder / "people.yaml").write_text(f"people:\n  boss: {{name: The Boss, roles: [manager]}}\n{people}")
    start = (now - timedelta(days=40)).date()
    for n in range(plans):
        (folder / "plans" / f"{n}.yaml").write_text(PLAN.format(n=n, start=start))


def facts(plans: int, now: datetime, late: int = 0) -> Page:
    """Three reviews a week and person; `late` hours are added to each answer, so that a night changes something."""
    groups: dict[str, list[Signal]] = {}
    for n in range(plans):
        for week in range(DAYS // 7 * 3):
            subject, asked = f"hub:acme/api#{n * 1000 + week}", now - timedelta(days=DAYS - week * 7 / 3)
            where, mine, other = f"https://git.example.com/{n}/{week}", f"p{n}", f"p{(n + 1) % plans}"
            answered = asked + timedelta(hours=3 + week % 5 * 7 + late)
            opened = {"draft": False, "labels": [], "author_login": other, "title": "A change"}
            key = f"{n}-{week}"
            groups[subject] = [
                Signal("hub", "change_opened", subject, f"{key}-o", asked, where, other, detail=opened),
                Signal("hub", "review_requested", subject, f"{key}-q", asked, where, mine, detail={"requester": other}),
                Signal("hub", "reviewed", subject, f"{key}-r", answered, where, mine, detail={"state": "approved"}),
            ]  # fmt: skip
    return Page(groups=groups, accounts=[Account("hub", f"p{n}", f"p{n}") for n in range(plans)])


def night(folder: str, plans: int, stop: Any, nights: Any) -> None:
    """The nightly job, over and over."""
    with Organisation(load(folder)) as company:
        while not stop.is_set():
            now = company.now()
            company.store.write("hub", facts(plans, now, late=nights.value % 7), now)
            company.record(now)
            nights.value += 1


def serve(folder: str, port: int) -> None:
    with Organisation(load(folder)) as company:
        server(company, port=port).run()


def read(port: int, cookie: str, paths: list[str], until: float) -> Read:
    """One reader over one connection, page after page."""
    seen = Read()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    turn = 0
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            connection.request("GET", paths[turn % len(paths)], headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                seen.errors.append(f"{answer.status}")
        except OSError as error:
            seen.errors.append(type(error).__name__)
            connection.close()
        seen.seconds.append(time.monotonic() - begun)
        turn += 1
    connection.close()
    return seen


def sign_in(port: int, link: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", link)
    answer = connection.getresponse()
    answer.read()
    return str(answer.getheader("Set-Cookie")).partition(";")[0]


def measure(port: int, cookies: list[str], paths: list[str], seconds: float) -> dict[str, Any]:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(cookies)) as pool:
        turned = [paths[n % len(paths) :] + paths[: n % len(paths)] for n in range(len(cookies))]
        found = list(pool.map(lambda pair: read(port, pair[0], pair[1], until), zip(cookies, turned, strict=True)))
    times = sorted(each for one in found for each in one.seconds)
    errors = [each for one in found for each in one.errors]
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else times * 19
    return {"pages": len(times), "errors": len(errors), "first errors": errors[:3], "p50 ms": round(cuts[9] * 1000),
            "p95 ms": round(cuts[18] * 1000)}  # fmt: skip


def await_server(port: int) -> None:
    for _ in range(600):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--smoke", action="store_true", help="small and short, to see that it runs")
    asked = parser.parse_args()
    readers, seconds, plans = (4, 2.0, 3) if asked.smoke else (asked.readers, asked.seconds, asked.plans)
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(run(Path(place) / "config", readers, seconds, plans), indent=2))


def run(folder: Path, readers: int, seconds: float, plans: int) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    write_company(folder, plans, now)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    with Organisation(load(folder)) as company:
        company.store.write("hub", facts(plans, now), now)
        company.store.complete("hub", now)
        company.record(now)
        stop, nights = spawn.Event(), spawn.Value("i", 0)
        serving = spawn.Process(target=serve, args=(str(folder), port))
        serving.start()
        await_server(port)
        settings = company.config.settings
        cookies = [sign_in(port, make_link(settings, "boss", company.now())) for _ in range(readers)]
        pages = [f"/plans/plan-{n}" for n in range(plans)]
        measure(port, cookies[:1], pages, min(2.0, seconds))  # warms up
        quiet_empty = measure(port, cookies, ["/sign-in"], seconds / 2)
        quiet = measure(port, cookies, pages, seconds / 2)
        job = spawn.Process(target=night, args=(str(folder), plans, stop, nights))
        job.start()
        while not nights.value:
            time.sleep(0.1)
        empty = measure(port, cookies, ["/sign-in"], seconds / 2)
        busy = measure(port, cookies, pages, seconds)
        stop.set()
        job.join()
        serving.terminate()
        serving.join()
        checked = verify(company.store)
        ratio = round(busy["p95 ms"] / max(1, empty["p95 ms"]), 1)
        return {
            "readers": readers, "plans": plans, "nights while reading": nights.value,
            "quiet": {"empty": quiet_empty, "plan": quiet},
            "while the nightly job writes": {"empty": empty, "plan": busy},
            "p95 of a plan's page, empty pages": ratio, "ledger": str(checked),
        }  # fmt: skip


if __name__ == "__main__":
    main()

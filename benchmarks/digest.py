"""Measures a manager's weekly digest over a full store: ten plans, five million signals.

    python benchmarks/digest.py [--signals 5000000] [--people 5000] [--plans 10] [--smoke]

The store is that of benchmarks/night.py. A night evaluates the plans of one manager and puts the week's end on record;
then the digest is read and rendered as the pages, the command and the mail do it. Times are of CPU, after start-up: the
configuration is read and the store open, and nothing was rendered yet but an empty digest that warms the templates up.
"limit" is what people wait for without noticing: one second of CPU, and a page of 400 KB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from night import FIRST, NOW, fill, plan

from pipmetrics import acts, nightly
from pipmetrics.api import Organisation
from pipmetrics.config import load
from pipmetrics.digest import html, markdown, text
from pipmetrics.weekly import Week

SECOND, PAGE = 1.0, 400_000
SETTINGS = """\
store: sqlite:///night.db
timezone: Europe/Berlin
calendar: {country: DE}
sources:
  hub: {connector: github, url: "https://git.example.com", token: "${HUB_TOKEN}", repositories: ["acme/*"]}
"""
CRITERIA = """\
criteria:
  - {id: share, expectation: "Complete code reviews within 24 hours", metric: review_turnaround,
     criterion: share_within, limit: 24h, target: 90%}
  - {id: median, expectation: "Answer half of the requests in a day", metric: review_turnaround,
     criterion: threshold, statistic: median, at_most: 24h}
  - {id: p90, expectation: "Nine of ten in two days", metric: review_turnaround, criterion: threshold,
     statistic: p90, at_most: 48h}
  - {id: merged, expectation: "Five changes a plan", metric: changes_merged, criterion: threshold,
     statistic: count, at_least: 5}
  - {id: size, expectation: "Small changes", metric: change_size, criterion: threshold, statistic: median,
     at_most: 200}
  - {id: more, expectation: "A fifth more changes", metric: changes_merged, criterion: increase, target: 20%}
"""


def write(folder: Path, people: int, plans: int) -> None:
    """The configuration of a company whose manager "boss" has the first people."""
    (folder / "plans").mkdir(parents=True)
    (folder / "pipmetrics.yaml").write_text(SETTINGS)
    lines = [
        f"  p{n}: {{name: Person {n}, manager: {'boss' if n < plans else 'other'}, accounts: {{hub: login-{n}}}}}"
        for n in range(people)
    ]
    managers = ["  boss: {name: Boss Busy, roles: [manager]}", "  other: {name: Olga Other, roles: [manager]}"]
    (folder / "people.yaml").write_text("\n".join(["people:", *lines, *managers, ""]))
    for n in range(plans):
        like = plan(f"p{n}", n)
        head = f"plan: p{n}-q4\nkind: pip\nperson: p{n}\nmanager: boss\nstart: {like.start}\nend: {like.end}\n"
        (folder / "plans" / f"p{n}.yaml").write_text(f"{head}check_ins: {{every: week, on: Monday}}\n{CRITERIA}")


def night(company: Organisation) -> None:
    """Evaluates and records, as `pipmetrics run` does after pulling."""
    found = nightly.evaluate(company, company.now())
    acts.record_baselines(company.store, found.plans, found.baselines, by="scheduler", now=company.now())
    company.store.record_evaluations(found.evaluated, "scheduler", company.now())


def cpu(name: str, work: Callable[[], object]) -> float:
    began = time.process_time()
    given = work()
    took = time.process_time() - began
    size = f"{len(given.encode()):>9,} bytes" if isinstance(given, str) else ""
    print(f"{name:<34}{took:>8.2f} s of CPU  {took / SECOND:>6.2f} of the limit  {size}", flush=True)
    return took


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--signals", type=int, default=5_000_000)
    arguments.add_argument("--people", type=int, default=5_000)
    arguments.add_argument("--plans", type=int, default=10)
    arguments.add_argument("--smoke", action="store_true", help="A small one, to see that it runs.")
    asked = arguments.parse_args()
    signals, people = (20_000, 100) if asked.smoke else (asked.signals, asked.people)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "config"
        write(folder, people, asked.plans)
        with Organisation(load(str(folder)), now=lambda: NOW) as company:
            assert NOW - timedelta(days=180) > FIRST
            fill(company.store, signals, people)
            cpu("the night: evaluate and record", lambda: night(company))
        with Organisation(load(str(folder)), now=lambda: NOW) as company:
            measure(company)


def measure(company: Organisation) -> None:
    other = company.week(manager="other")
    html.render(other.digest, other.points)
    weeks: list[Week] = []
    read = cpu("read the digest", lambda: weeks.append(company.week(manager="boss")))
    (week,) = weeks
    page = html.render(week.digest, week.points)
    made = cpu("render it as a page", lambda: html.render(week.digest, week.points))
    cpu("render it as text", lambda: text.render(week.digest))
    cpu("render it as Markdown", lambda: markdown.render(week.digest))
    size = len(page.encode())
    print(f"plans {len(week.digest.cards)}, page of {size:,} bytes, {size / PAGE:.2f} of its limit")
    print(f"read and render a page: {read + made:.2f} s of CPU, {(read + made) / SECOND:.2f} of its limit")


if __name__ == "__main__":
    main()

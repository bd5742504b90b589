"""Changes the code of the rules, one small thing at a time, and counts the changes that no test notices.

    python .ci/mutation.py              every change of can(), and 60 of each other room, drawn with a fixed seed
    python .ci/mutation.py --sample 0   every change of every room (hours)

Works on a copy in build/mutation. Prints the score of each room, then the changes that survived; docs/quality.md
says which of them are no fault.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPY = ROOT / "build" / "mutation"
ROOMS = {
    "access (can)": "pipmetrics.access.",
    "calendars": "pipmetrics.calendars.",
    "criteria": "pipmetrics_criteria.",
    "metrics": "pipmetrics.metrics.",
    "statistics": "pipmetrics.statistics.",
}
WHOLE = "access (can)"


def lay_out() -> None:
    """The packages side by side, as they are when installed: mutants are known by the names that modules have then."""
    shutil.rmtree(COPY, ignore_errors=True)
    without = shutil.ignore_patterns("__pycache__", "*.db*")
    for name in ("pipmetrics", "tests", "docs", "config"):
        shutil.copytree(ROOT / name, COPY / name, ignore=without)
    for package in (*(ROOT / "connectors").iterdir(), *(ROOT / "criteria").iterdir()):
        if (package / "__init__.py").exists():
            shutil.copytree(package, COPY / package.name, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", COPY)


def mutmut(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=COPY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-4000:])
    return done.stdout


def names() -> list[str]:
    """Every mutant that was made."""
    made = (json.loads(path.read_text())["exit_code_by_key"] for path in (COPY / "mutants").rglob("*.meta"))
    return sorted(name for module in made for name in module)


def drawn(sample: int) -> list[str]:
    chosen = []
    for room, prefix in ROOMS.items():
        every = [name for name in names() if name.startswith(prefix)]
        if sample and room != WHOLE:
            every = random.Random(f"9:{room}").sample(every, min(sample, len(every)))
        chosen += every
    return chosen


def report(chosen: list[str]) -> None:
    lines = (line.strip().rpartition(": ") for line in mutmut("results", "--all", "true").splitlines() if ": " in line)
    outcome = {name: state for name, _, state in lines}
    total: Counter[str] = Counter()
    print(f"{'room':<14}{'drawn':>7}{'of':>7}{'noticed':>9}{'score':>8}")
    for room, prefix in ROOMS.items():
        states = Counter(outcome[name] for name in chosen if name.startswith(prefix))
        noticed = states["killed"] + states["timeout"]
        total += Counter({"drawn": states.total(), "noticed": noticed})
        of = sum(name.startswith(prefix) for name in names())
        print(f"{room:<14}{states.total():>7}{of:>7}{noticed:>9}{noticed / states.total():>8.1%}")
    score = total["noticed"] / total["drawn"]
    print(f"{'all':<14}{total['drawn']:>7}{len(names()):>7}{total['noticed']:>9}{score:>8.1%}")
    print()
    for name in chosen:
        if outcome[name] not in ("killed", "timeout"):
            print(f"{name}: {outcome[name]}")
            changed = (line for line in mutmut("show", name).splitlines() if re.match(r"[-+](?![-+])", line))
            print(*changed, sep="\n", end="\n\n")


def run() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=60, help="how many of each room; 0 for all")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    lay_out()
    mutmut("run", "--max-children", str(asked.jobs), f"{ROOMS[WHOLE]}*")
    chosen = drawn(asked.sample)
    rest = [name for name in chosen if not name.startswith(ROOMS[WHOLE])]
    mutmut("run", "--max-children", str(asked.jobs), *rest)
    report(chosen)


if __name__ == "__main__":
    run()

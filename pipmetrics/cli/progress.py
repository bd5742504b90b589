"""Progress of long work on stderr: a bar a source on a terminal, one line at the end elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipmetrics.model import Json

if TYPE_CHECKING:
    from pipmetrics.pull import Progress, Pulled


@contextmanager
def pulling() -> Iterator[Progress]:
    """A callback for `pull` that draws one bar for each source."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def advance(source: str, done: int, total: int | None) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(f"pulling {source}", total=total)
            bars.update(tasks[source], completed=done, total=total if total is None else max(total, done))

        yield advance
        for task in tasks.values():
            bars.update(task, total=bars.tasks[task].completed)


def pulled_text(report: Sequence[Pulled]) -> str:
    """What each source gave, what it cost, and what is left of its budget."""
    lines = []
    for pulled in report:
        written = pulled.written
        cost = f"{pulled.requests} requests" + (f", {pulled.retried} repeated" if pulled.retried else "")
        left = ", ".join(f"{kind} {have:g} of {of:g}" for kind, (have, of) in sorted(pulled.budget.items()))
        lines.append(
            f"{pulled.source}: {pulled.done} read, {written.added} facts new, {written.changed} changed, "
            f"{written.removed} gone; {cost}" + (f"; budget left: {left}" if left else "")
        )
        lines += [f"  incomplete: {gap}" for gap in pulled.gaps]
        lines += [f"  failed: {pulled.error}"] if pulled.error else []
    return "\n".join(lines)


def pulled_json(pulled: Pulled) -> Json:
    written = pulled.written
    return {
        "source": pulled.source,
        "complete": pulled.complete,
        "error": pulled.error or None,
        "gaps": list(pulled.gaps),
        "read": pulled.done,
        "added": written.added,
        "changed": written.changed,
        "removed": written.removed,
        "requests": pulled.requests,
        "retried": pulled.retried,
        "budget": {kind: {"left": left, "of": of} for kind, (left, of) in sorted(pulled.budget.items())},
    }

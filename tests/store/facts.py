"""Signals and pages for the tests of the store and of what stands on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipmetrics.model import Account, Signal
from pipmetrics.plugin import Page

MORNING = datetime(2026, 11, 2, 9, tzinfo=UTC)


def signal(kind: str, subject: str, key: str, *, hours: float = 0, actor: str | None = "1", **detail: Any) -> Signal:
    return Signal(
        source=subject.partition(":")[0],
        kind=kind,
        subject=subject,
        key=key,
        at=MORNING + timedelta(hours=hours),
        url=f"https://git.example.com/{key}",
        actor=actor,
        value=detail.pop("value", None),
        detail=detail,
    )


def change(number: int, *, reviews: int = 1, source: str = "hub", title: str = "Pay twice") -> dict[str, list[Signal]]:
    """A group: one change of account 1, reviewed by account 2."""
    subject = f"{source}:acme/api#{number}"
    opened = signal("change_opened", subject, f"{number}-opened", hours=number, title=title, labels=["a"])
    answers = [
        signal("reviewed", subject, f"{number}-review-{n}", hours=number + 1 + n, actor="2", value=n, state="approved")
        for n in range(reviews)
    ]
    return {subject: [opened, *answers]}


def page(*groups: Mapping[str, Sequence[Signal]], accounts: Sequence[Account] = (), **bookmarks: Any) -> Page:
    merged: dict[str, Sequence[Signal]] = {}
    for group in groups:
        merged |= group
    return Page(groups=merged, accounts=accounts, bookmarks=bookmarks, done=len(merged))

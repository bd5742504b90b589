"""More of builders.py: issues, deployments, reverts, written as short."""

from __future__ import annotations

from typing import Any

from pipmetrics.model import Signal
from tests.metrics.builders import merged, opened, signal


def deployed(subject: str, actor: str | None, at: str, **more: Any) -> Signal:
    return signal("change_deployed", subject, actor, at, **{"environment": "production", "method": "ancestry", **more})


def shipped(
    subject: str, actor: str | None, day: str, *, at: str = "11:00", url: str = "", mark: Any = "", **detail: Any
) -> list[Signal]:
    """A change opened at 9:00 of a day, merged at `at` and deployed at 12:00; keys end in the subject."""
    named = {"mark": mark, "url": url or f"https://hub.example.com/{subject}"}
    return [
        opened(subject, actor, f"{day} 09:00", key=f"opened-{subject}", **named, **detail),
        merged(subject, actor, f"{day} {at}", key=f"merged-{subject}", **named, **detail),
        deployed(subject, actor, f"{day} 12:00", key=f"deployed-{subject}", mark=mark),
    ]


def reverted(subject: str, actor: str | None, at: str, *, by: str, **more: Any) -> Signal:
    detail = {"by": by, "by_url": f"https://hub.example.com/{by}", "text": f"Reverts {subject}"}
    return signal("change_reverted", subject, actor, at, **{**detail, **more})


def issue(subject: str, at: str, actor: str | None = "zed", **more: Any) -> Signal:
    """An issue that is a story unless told otherwise."""
    detail = {"title": "Story", "type": "Story", "labels": [], "priority": None, "causes": [], "sprints": []}
    return signal("issue_opened", subject, actor, at, **{**detail, **more})


def bug(subject: str, at: str, actor: str | None = "zed", **more: Any) -> Signal:
    """An issue that every source's rule calls a bug, opened by somebody who is not in people.yaml."""
    return issue(subject, at, actor, **{"title": "It breaks", "type": "Bug", "labels": ["bug"], **more})


def linked(subject: str, to: str, *, kind: str = "is caused by", at: str = "2026-03-01 09:00", **more: Any) -> Signal:
    return signal("issue_linked", subject, None, at, **{"type": kind, "to": to, "undated": True, **more})


def assigned(subject: str, actor: str | None, at: str, former: str | None = None, **more: Any) -> Signal:
    """Given to `actor`, taken from `former`."""
    return signal("issue_assigned", subject, actor, at, **{"by": None, "from": former, **more})


def moved(subject: str, at: str, before: str, after: str, actor: str = "ada", **more: Any) -> Signal:
    """From one status category to another."""
    detail = {"from": before.title(), "to": after.title(), "from_category": before, "to_category": after}
    return signal("issue_status_changed", subject, actor, at, **{**detail, **more})


def done(subject: str, actor: str | None, at: str, code: str = "fixed", **more: Any) -> Signal:
    return signal(
        "issue_done", subject, actor, at, **{"resolutions": [[f"{at.replace(' ', 'T')}:00Z", code, code]], **more}
    )


def reopened(subject: str, at: str, actor: str | None = "zed", **more: Any) -> Signal:
    return signal("issue_reopened", subject, actor, at, **more)


def due(subject: str, at: str, before: str | None, after: str | None, **more: Any) -> Signal:
    return signal("issue_due_changed", subject, "zed", at, **{"from": before, "to": after, **more})

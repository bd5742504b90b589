"""The privacy notice, made from the configuration: what is pulled, from where, for what, who sees it, for how long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipmetrics import registry
from pipmetrics.config import Config
from pipmetrics.digest import words
from pipmetrics.model import Json, Settings, Source
from pipmetrics.plugin import Metric

KINDS: Mapping[str, str] = {
    "change_opened": "that a change was opened", "change_ready": "marked ready", "change_drafted": "made a draft",
    "change_closed": "closed", "change_reopened": "reopened", "change_merged": "merged, with its size",
    "review_requested": "whose review was requested", "review_request_removed": "that a request was removed",
    "reviewed": "reviews with their state and number of comments", "commented": "that somebody commented",
    "commits_pushed": "when commits were pushed", "checks_completed": "results of checks",
    "deployed": "production deployments", "change_deployed": "when a change reached production",
    "change_reverted": "that a change was reverted", "issue_opened": "that an issue was opened",
    "issue_assigned": "assignments", "issue_status_changed": "changes of status", "issue_done": "resolutions",
    "issue_reopened": "reopenings", "issue_due_changed": "due dates", "issue_linked": "links between issues",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its sentences."""

    title: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    sections: tuple[Section, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the text: what a person acknowledges is this text and no other."""
        return hashlib.sha256(json.dumps(self.to_json()["sections"], ensure_ascii=False).encode()).hexdigest()

    def to_json(self) -> Json:
        return {"sections": [{"title": each.title, "said": list(each.said)} for each in self.sections]}


def notice_of(config: Config) -> Notice:
    """The same text for everybody: it names sources, metrics and offices, and nobody."""
    settings = config.settings
    return Notice((
        Section("What is read, and from where", tuple(_sources(settings))),
        Section("What it is used for", tuple(_metrics(config))),
        Section("Who sees it", _WHO_SEES),
        Section("How long it is kept", _kept(settings)),
        Section("What is never read or done", _NEVER),
        Section("What you can do", _RIGHTS),
    ))  # fmt: skip


def _sources(settings: Settings) -> Iterator[str]:
    for source in settings.sources.values():
        kinds = registry.connector(source.connector).kinds
        told = [said for kind, said in KINDS.items() if kind in kinds]
        yield f"{source.name} ({source.connector}, {source.url}), {_where(source)}: {words.listing(told)}."
    yield "Each fact is kept with who did it, when, the title and the address of the change or issue."


def _where(source: Source) -> str:
    places = [*source.repositories, *source.projects]
    return f"in {words.listing(places)}" if places else "in everything that the account may read"


def _metrics(config: Config) -> Sequence[str]:
    used = sorted({metric for plan in config.plans for each in plan.criteria if (metric := each.metric)})
    known = registry.names("metrics")
    told = [_definition(registry.metric(name)) for name in used if name in known]
    first = (
        "Evaluating improvement plans: the facts are counted against what a plan's criteria agreed. Facts about people "
        "without a plan are used only in figures of teams of at least five people, without names."
    )
    return (first, *told)


def _definition(metric: Metric) -> str:
    return f"{metric.title} ({metric.name}): {metric.definition}"


def _kept(settings: Settings) -> tuple[str, ...]:
    days, kept = settings.history.days, settings.retention
    periods = (
        (kept.facts, "Changes and issues", "the last thing that happened to them"),
        (kept.evaluations, "Evaluations", "the plan has ended and was decided"),
        (kept.plans, "Everything else on record about a plan", "it has ended and was decided"),
    )
    unlimited = [what for period, what, _ in periods if period is None]
    return (
        f"The first reading goes back {days} days.",
        *(f"{what}: {period.days} days after {since}." for period, what, since in periods if period is not None),
        *([f"{words.listing(unlimited)}: until they are erased."] if unlimited else []),
        *(["What has expired is removed every night, and that is recorded."] if len(unlimited) < len(periods) else []),
        "Backups and the plan files under version control have periods of their own.",
        "An erasure empties what the ledger says about a person; its chain of hashes still verifies.",
        "A legal hold keeps data from being erased; it is recorded as well.",
    )


_WHO_SEES = (
    "You see your own plan: the same page, numbers and evidence as everybody else who may see it.",
    "Your manager sees it for as long as they are your manager, and the HR partner of your unit.",
    "An auditor sees it without names, texts and addresses. Who administers the server sees no plan.",
    "Every time somebody reads your plan, it is recorded, and you see who it was.",
)
_NEVER = (
    "No message texts, no keystrokes, no screen, no location, no times of day beyond those of the facts above.",
    "The reasons for time off are never stored, only which days do not count.",
    "Nothing is decided automatically: the figures say whether a criterion is met.",
    "A named person decides, gives reasons, and must have opened the evidence.",
    "People are never ranked.",
)
_RIGHTS = (
    "Contest any single data point: until that is decided, the result is shown with and without it.",
    "While a contest is open, there is no final verdict.",
    "Download everything that is held about you, as JSON and CSV, on your own page.",
    "Ask for erasure on your own page; HR approves it, and it is recorded.",
    "Ask anybody for the anchor printed in your digest: it proves later that nothing was changed.",
)

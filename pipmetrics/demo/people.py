"""Who works in the demo organisation, and how they work: the numbers that the simulation draws from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """How one engineer works. Hours are medians of the time that passes while the person is at work."""

    changes_per_day: float = 0.45
    answer_hours: float = 4.0
    answer_hours_since: float | None = None
    """Once the plan has begun; None: no difference."""
    bug_share: float = 0.05
    bug_share_since: float | None = None
    first_pass: float = 0.85
    superficial: float = 0.05


@dataclass(frozen=True, slots=True)
class Engineer:
    id: str
    name: str
    team: str
    timezone: str
    habit: Habit = Habit()

    @property
    def login(self) -> str:
        return f"{self.id}-acme"


ENGINEERS: tuple[Engineer, ...] = (
    Engineer(
        "ada",
        "Ada Lindgren",
        "payments",
        "Europe/Berlin",
        Habit(0.6, answer_hours=13.0, answer_hours_since=4.2, bug_share=0.20, bug_share_since=0.07),
    ),
    Engineer("bilal", "Bilal Haddad", "payments", "Europe/Berlin"),
    Engineer("chiara", "Chiara Romano", "payments", "Europe/Rome", Habit(0.5, 3.0)),
    Engineer("daniel", "Daniel Okoye", "payments", "Europe/London", Habit(0.4, 5.0)),
    Engineer("elif", "Elif Arslan", "payments", "Europe/Berlin", Habit(0.5, 3.5)),
    Engineer("felix", "Felix Brandt", "payments", "Europe/Berlin", Habit(0.35, 6.0)),
    Engineer(
        "grete", "Grete Holm", "platform", "Europe/Copenhagen", Habit(0.45, 9.0, answer_hours_since=8.0, first_pass=0.6)
    ),
    Engineer("hugo", "Hugo Marchetti", "platform", "Europe/Rome", Habit(0.4, 4.0)),
    Engineer("ines", "Ines Cabral", "platform", "Europe/Lisbon", Habit(0.5, 3.0)),
    Engineer("jonas", "Jonas Weber", "platform", "Europe/Berlin", Habit(0.4, 10.0, answer_hours_since=5.0)),
    Engineer("kalina", "Kalina Petrova", "platform", "Europe/Sofia", Habit(0.45, 4.5)),
    Engineer("liam", "Liam Byrne", "platform", "Europe/Dublin", Habit(0.4, 5.0)),
)

MANAGERS = {"payments": ("dana", "Dana Whitmore"), "platform": ("omar", "Omar Said")}
HR = ("petra", "Petra Novak")
ADMIN = ("noor", "Noor Haddad")


@dataclass(frozen=True, slots=True)
class Repository:
    """`service` is github or gitlab; `team` works on it."""

    name: str
    service: str
    team: str


REPOSITORIES: tuple[Repository, ...] = (
    Repository("acme/api", "github", "payments"),
    Repository("acme/web-checkout", "github", "payments"),
    Repository("acme/web-console", "github", "platform"),
    Repository("platform/core", "gitlab", "platform"),
)

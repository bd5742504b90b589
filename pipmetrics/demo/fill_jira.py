"""The organisation's story told in Jira's terms."""

from __future__ import annotations

from pipmetrics.demo.jira import Issue, Sprint, User, World
from pipmetrics.demo.people import ENGINEERS, HR, MANAGERS
from pipmetrics.demo.simulation import History, Ticket

PROJECT = "PAY"


def fill(world: World, history: History) -> None:
    """Put every ticket, sprint and link into `world`; keys come out as the story names them."""
    world.now = history.now
    world.add_project(PROJECT, "Payments")
    for person, name in [(e.id, e.name) for e in ENGINEERS] + [*MANAGERS.values(), HR]:
        world.add_user(User(account_id(person), name, email=f"{person}@acme.example"))
    for number, title, start, end in history.sprints:
        closed, active = end < history.now, start < history.now
        world.add_sprint(
            Sprint(
                number,
                title,
                "closed" if closed else "active" if active else "future",
                start,
                end,
                start if active else None,
                end if closed else None,
            )
        )
    issues = {ticket.key: _create(world, ticket) for ticket in history.tickets}
    for ticket in history.tickets:
        _live(world, ticket, issues, history)


def account_id(person: str) -> str:
    """A made-up id of Jira Cloud's kind."""
    return f"712020:{person}-acme"


def _create(world: World, ticket: Ticket) -> Issue:
    issue = world.create(
        PROJECT,
        ticket.opened,
        type=ticket.type,
        summary=ticket.title,
        reporter=account_id(ticket.reporter),
        assignee=account_id(ticket.assignee),
        due=ticket.due,
        sprints=[world.sprints[ticket.sprint]] if ticket.sprint else [],
    )
    if issue.key != ticket.key:
        raise AssertionError(f"{ticket.key} came out as {issue.key}")
    return issue


def _live(world: World, ticket: Ticket, issues: dict[str, Issue], history: History) -> None:
    issue, who = issues[ticket.key], account_id(ticket.assignee)
    if ticket.caused_by:
        world.link(issue, "is caused by", issues[ticket.caused_by], ticket.opened, account_id(ticket.reporter))
    if ticket.started and ticket.started < history.now:
        world.move(issue, "In Progress", ticket.started, who)
        if ticket.done and ticket.done < history.now:
            world.move(issue, "Done", ticket.done, who, resolution=ticket.resolution)

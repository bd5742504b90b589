from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipmetrics_jira import payloads
from pipmetrics_jira.links import links

Payload = Callable[[str], Any]


def test_a_link_made_twice_counts_from_the_last_time(payload: Payload) -> None:
    raw = payload("cloud_issue")
    for id, before, after in (("91000", "PAY-3", None), ("91001", None, "PAY-3")):
        words = "This issue is caused by PAY-3"
        item = {"field": "Link", "fieldtype": "jira", "from": before, "fromString": before and words}
        item |= {"to": after, "toString": after and words}
        raw["changelog"]["histories"].append({"id": id, "created": f"2026-09-1{id[-1]}T10:00:00Z", "items": [item]})
    caused = next(each for each in links(payloads.issue(raw)) if each.to == "PAY-3")
    assert caused.change is not None
    assert caused.change.id == "91001"


def test_two_links_to_one_issue_are_told_apart_by_their_words(payload: Payload) -> None:
    raw = payload("cloud_issue")
    blocks = {"id": "1", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    raw["fields"]["issuelinks"].append({"id": "20003", "type": blocks, "outwardIssue": {"key": "PAY-3"}})
    item = {"field": "Link", "fieldtype": "jira", "from": None, "to": "PAY-3", "toString": "This issue blocks PAY-3"}
    raw["changelog"]["histories"].append({"id": "91000", "created": "2026-09-10T10:00:00Z", "items": [item]})
    made = {each.phrase: each.change.id for each in links(payloads.issue(raw)) if each.to == "PAY-3" and each.change}
    assert made == {"is caused by": "90002", "blocks": "91000"}


def test_a_page_is_linked_by_its_relationship(payload: Payload) -> None:
    issue = replace(
        payloads.issue(payload("server_issue")),
        remote=(
            {"id": 5, "relationship": "is caused by", "object": {"url": "https://git.example.com/a/b/pull/3"}},
            {"id": 6, "object": {"url": "https://wiki.example.com/x"}},
            {"id": 7, "object": None},
        ),
    )
    assert [(each.phrase, each.to) for each in links(issue)] == [
        ("is caused by", "https://git.example.com/a/b/pull/3"),
        ("links to", "https://wiki.example.com/x"),
    ]


def test_broken_links_are_left_out(payload: Payload) -> None:
    raw = payload("server_issue")
    raw["fields"]["issuelinks"] = [None, {}, {"id": "1", "type": None}, {"id": "2", "type": {}, "inwardIssue": {}}]
    assert links(payloads.issue(raw)) == []

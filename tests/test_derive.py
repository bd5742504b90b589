"""Reverts and deliveries that follow from stored merges and deployments."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipmetrics.derive import deliveries, reverts
from pipmetrics.errors import Deferred, SourceError
from pipmetrics.model import Signal
from pipmetrics.plugin import Comparison

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def sha(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def merged(number: int, hours: float, commit: str = "", repository: str = "hub:acme/api", **more: Any) -> Signal:
    """A merge into the default branch, `hours` after the start, as the commit named."""
    subject = f"{repository}!{number}" if repository.startswith("lab") else f"{repository}#{number}"
    source = subject.partition(":")[0]
    detail = {"sha": sha(commit or f"m{number}"), "default_branch": True, "reverts": [], **more}
    return Signal(
        source, "change_merged", subject, f"merged-{subject}", START + timedelta(hours=hours),
        f"https://hub.example.com/{number}", f"author{number}", detail=detail,
    )  # fmt: skip


def deployed(number: int, hours: float, commit: str, repository: str = "hub:acme/api", **more: Any) -> Signal:
    detail = {"sha": sha(commit), "environment": "production", "repository": repository, **more}
    return Signal(
        repository.partition(":")[0], "deployed", f"{repository}@{number}", f"deployed-{number}",
        START + timedelta(hours=hours), f"https://hub.example.com/deployments/{number}", "bot7", "bot", detail=detail,
    )  # fmt: skip


@dataclass
class Graph:
    """A repository's commits by their parents, and a service that compares them."""

    parents: dict[str, tuple[str, ...]]
    lost: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def reach(self, commit: str) -> set[str]:
        found: set[str] = set()
        todo = [commit]
        while todo:
            here = todo.pop()
            if here not in found:
                found.add(here)
                todo += self.parents[here]
        return found

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        names = {sha(name): name for name in self.parents}
        self.asked.append((repository, names[base], names[head]))
        if {names[base], names[head]} & self.lost:
            raise SourceError("no such commit", status=404)
        behind, ahead = self.reach(names[base]), self.reach(names[head])
        return Comparison(frozenset(map(sha, ahead - behind)), names[base] in ahead)


def line(*names: str) -> Graph:
    """Commits one after another."""
    return Graph({name: tuple(names[n - 1 : n]) if n else () for n, name in enumerate(names)})


MAIN = ("root", "m1", "x", "m2", "m3", "m4", "m5")


def delivered(merges: list[Signal], deployments: list[Signal], graph: Graph, cache: Any = None) -> dict[str, Any]:
    """Number of each delivered change -> number of its deployment and the method."""
    groups = deliveries(merges, deployments, graph.compare, {} if cache is None else cache)
    assert set(groups) == {f"delivery {signal.subject}" for signal in merges}
    found = [signal for group in groups.values() for signal in group]
    return {
        signal.subject.rpartition("#")[2]: (signal.detail["deployment"].rpartition("@")[2], signal.detail["method"])
        for signal in found
    }


class TestReverts:
    def test_a_reference_names_the_reverted_change_and_its_author_is_the_actor(self) -> None:
        change, by = merged(7, 0), merged(9, 5, reverts=["hub:acme/api#7"])
        groups = reverts([change, by])
        (found,) = groups["revert hub:acme/api#9"]
        assert (found.kind, found.subject, found.at, found.actor) == (
            "change_reverted", "hub:acme/api#7", by.at, "author7",
        )  # fmt: skip
        assert found.detail == {"by": "hub:acme/api#9", "by_url": by.url, "text": "Reverts acme/api#7"}
        assert groups["revert hub:acme/api#7"] == ()

    def test_a_short_or_full_commit_names_the_change_merged_as_it(self) -> None:
        for said in (sha("m7"), sha("m7")[:7], sha("m7")[:9].upper()):
            (found,) = reverts([merged(7, 0), merged(9, 5, reverts=[said])])["revert hub:acme/api#9"]
            assert (found.subject, found.detail["text"]) == ("hub:acme/api#7", f"This reverts commit {said}")

    def test_six_digits_of_a_commit_name_nothing(self) -> None:
        assert reverts([merged(7, 0), merged(9, 5, reverts=[sha("m7")[:6]])])["revert hub:acme/api#9"] == ()

    def test_a_prefix_of_two_merges_names_neither(self) -> None:
        changes = [merged(n, 0) for n in (6, 7)]
        twins = [
            Signal(*[getattr(c, f) for f in ("source", "kind", "subject", "key", "at", "url")], detail={"sha": tail})
            for c, tail in zip(changes, ("abcdef1" + "0" * 33, "abcdef1" + "1" * 33), strict=True)
        ]
        assert reverts([*twins, merged(9, 5, reverts=["abcdef1"])])["revert hub:acme/api#9"] == ()
        (found,) = reverts([*twins, merged(9, 5, reverts=["abcdef11"])])["revert hub:acme/api#9"]
        assert found.subject == "hub:acme/api#7"

    def test_a_commit_of_another_repository_names_nothing(self) -> None:
        changes = [merged(7, 0), merged(9, 5, repository="hub:acme/web", reverts=[sha("m7")])]
        assert reverts(changes)["revert hub:acme/web#9"] == ()

    def test_a_merge_request_is_named_by_its_own_mark(self) -> None:
        changes = [merged(7, 0, repository="lab:a/b/c"), merged(9, 5, repository="lab:a/b/c", reverts=["lab:a/b/c!7"])]
        (found,) = reverts(changes)["revert lab:a/b/c!9"]
        assert (found.subject, found.detail["text"]) == ("lab:a/b/c!7", "Reverts a/b/c!7")

    def test_said_twice_it_is_one_revert_and_several_changes_are_several(self) -> None:
        by = merged(9, 5, reverts=["hub:acme/api#7", sha("m7"), "hub:acme/api#8"])
        found = reverts([merged(7, 0), merged(8, 1), by])["revert hub:acme/api#9"]
        assert [signal.subject for signal in found] == ["hub:acme/api#7", "hub:acme/api#8"]
        assert len({signal.key for signal in found}) == 2

    def test_neither_itself_nor_an_unknown_nor_a_later_change_is_reverted(self) -> None:
        by = merged(9, 5, reverts=["hub:acme/api#9", "hub:acme/api#404", "hub:acme/api#10"])
        assert reverts([by, merged(10, 6)])["revert hub:acme/api#9"] == ()

    def test_a_revert_that_is_reverted_is_a_reverted_change_itself(self) -> None:
        first, second = merged(8, 1, reverts=["hub:acme/api#7"]), merged(9, 2, reverts=["hub:acme/api#8"])
        groups = reverts([merged(7, 0), first, second])
        assert [groups[f"revert hub:acme/api#{n}"][0].subject for n in (8, 9)] == ["hub:acme/api#7", "hub:acme/api#8"]

    def test_the_mark_of_a_bot_stays_on_its_reverted_change(self) -> None:
        bot = Signal("hub", "change_merged", "hub:acme/api#7", "k7", START, "u", "9", "bot", detail={"sha": sha("m7")})
        assert reverts([bot, merged(9, 5, reverts=["hub:acme/api#7"])])["revert hub:acme/api#9"][0].mark == "bot"

    def test_a_group_made_before_whose_merge_is_gone_comes_back_empty(self) -> None:
        assert reverts([], known=["revert hub:acme/api#9"]) == {"revert hub:acme/api#9": ()}


class TestFirstDeployment:
    def test_a_change_is_delivered_by_the_first_deployment_that_contains_its_merge(self) -> None:
        changes = [merged(n, n) for n in (1, 2, 3, 4)]
        deployments = [deployed(1, 2.5, "m2"), deployed(2, 3.5, "m3"), deployed(3, 9, "m3")]
        assert delivered(changes, deployments, line(*MAIN)) == {
            "1": ("1", "ancestry"), "2": ("1", "ancestry"), "3": ("2", "ancestry"),
        }  # fmt: skip

    def test_the_signal_says_who_when_and_where(self) -> None:
        deployment = deployed(1, 4, "m1", environment="prod-eu")
        ((found,),) = deliveries([merged(1, 1)], [deployment], line(*MAIN).compare, {}).values()
        assert (found.kind, found.subject, found.actor, found.at) == (
            "change_deployed", "hub:acme/api#1", "author1", deployment.at,
        )  # fmt: skip
        assert found.url == deployment.url
        assert found.detail == {
            "sha": sha("m1"), "deployment": "hub:acme/api@1", "environment": "prod-eu", "method": "ancestry",
        }  # fmt: skip

    def test_the_service_is_asked_by_its_own_name_of_the_repository(self) -> None:
        graph = line(*MAIN)
        delivered([merged(1, 1), merged(2, 2)], [deployed(1, 3, "m2")], graph)
        assert graph.asked == [("acme/api", "m1", "m2")]

    def test_a_merge_that_no_deployment_contains_is_not_delivered_however_late_they_are(self) -> None:
        graph = line(*MAIN)
        graph.parents |= {"branch": ("x",), "m9": ("branch",)}
        assert "9" not in delivered([merged(1, 1), merged(9, 2)], [deployed(1, 5, "m2"), deployed(2, 50, "m5")], graph)

    def test_a_deployment_of_an_older_commit_does_not_deliver_what_was_merged_before_it(self) -> None:
        assert delivered([merged(1, 1), merged(2, 2)], [deployed(1, 5, "m1")], line(*MAIN)) == {"1": ("1", "ancestry")}

    def test_without_deployments_nothing_is_delivered_and_nothing_asked(self) -> None:
        graph = line(*MAIN)
        assert delivered([merged(1, 1)], [], graph) == {}
        assert graph.asked == []

    def test_repositories_are_apart(self) -> None:
        other = merged(1, 1, repository="hub:acme/web")
        groups = deliveries([other, merged(1, 1)], [deployed(1, 2, "m1")], line(*MAIN).compare, {})
        assert {name: len(group) for name, group in groups.items()} == {
            "delivery hub:acme/web#1": 0, "delivery hub:acme/api#1": 1,
        }  # fmt: skip

    def test_a_group_made_before_whose_merge_is_gone_comes_back_empty(self) -> None:
        assert deliveries([], [], line("root").compare, {}, ["delivery hub:acme/api#9"]) == {
            "delivery hub:acme/api#9": ()
        }

    def test_a_merge_in_the_very_second_of_a_deployment_that_contains_it_is_delivered(self) -> None:
        assert delivered([merged(1, 1)], [deployed(1, 1, "m1")], line(*MAIN)) == {"1": ("1", "ancestry")}


class TestOddOrders:
    def test_a_rollback_delivers_nothing_and_takes_nothing_back(self) -> None:
        changes = [merged(n, n) for n in (1, 2, 3)]
        deployments = [deployed(1, 2.5, "m2"), deployed(2, 2.6, "m1"), deployed(3, 4, "m3"), deployed(4, 5, "m2")]
        assert delivered(changes, deployments, line(*MAIN)) == {
            "1": ("1", "ancestry"), "2": ("1", "ancestry"), "3": ("3", "ancestry"),
        }  # fmt: skip

    def test_several_environments_each_behind_the_other(self) -> None:
        changes = [merged(n, n / 10) for n in (1, 2, 3, 4)]
        deployments = [
            deployed(1, 1, "m2"), deployed(2, 2, "m1", environment="prod-us"), deployed(3, 3, "m4"),
            deployed(4, 4, "m2", environment="prod-us"), deployed(5, 5, "m4", environment="prod-us"),
        ]  # fmt: skip
        assert delivered(changes, deployments, line(*MAIN)) == {
            "1": ("1", "ancestry"), "2": ("1", "ancestry"), "3": ("3", "ancestry"), "4": ("3", "ancestry"),
        }  # fmt: skip

    def test_branches_that_diverge_in_production_deliver_each_its_own(self) -> None:
        graph = line("root", "m1", "m2")
        graph.parents |= {"fix": ("m1",), "m3": ("fix",), "m4": ("m2", "m3")}
        deployments = [deployed(1, 3.5, "m3"), deployed(2, 4.5, "m2"), deployed(3, 5, "m4")]
        assert delivered([merged(n, n) for n in (1, 2, 3, 4)], deployments, graph) == {
            "1": ("1", "ancestry"), "3": ("1", "ancestry"), "2": ("2", "ancestry"), "4": ("3", "ancestry"),
        }  # fmt: skip

    def test_a_commit_deployed_before_its_merge_counts_from_the_next_deployment_that_contains_it(self) -> None:
        changes = [merged(1, 1), merged(2, 5), merged(3, 7)]
        deployments = [deployed(1, 4, "m2"), deployed(2, 6, "m2"), deployed(3, 8, "m3")]
        assert delivered(changes, deployments, line(*MAIN)) == {
            "1": ("1", "ancestry"), "2": ("2", "ancestry"), "3": ("3", "ancestry"),
        }  # fmt: skip

    def test_a_commit_deployed_before_its_merge_and_then_rolled_back_waits_until_it_is_back(self) -> None:
        changes = [merged(1, 1), merged(2, 5)]
        deployments = [deployed(1, 4, "m2"), deployed(2, 6, "m1"), deployed(3, 8, "m3")]
        assert delivered(changes, deployments, line(*MAIN))["2"] == ("3", "ancestry")

    def test_a_commit_deployed_before_its_merge_survives_a_rollback_that_keeps_it(self) -> None:
        changes = [merged(1, 1), merged(2, 5)]
        deployments = [deployed(1, 4, "m3"), deployed(2, 6, "m2"), deployed(3, 8, "m3")]
        assert delivered(changes, deployments, line(*MAIN))["2"] == ("2", "ancestry")

    @given(st.randoms(use_true_random=False))
    def test_the_first_deployment_that_contains_a_merge_is_found_whatever_the_history(
        self, draw: random.Random
    ) -> None:
        """Against the definition: over a random graph, random deployments and merges, and any order of arrival."""
        names = ["root"]
        graph = Graph({"root": ()})
        for n in range(1, 12):
            graph.parents[f"c{n}"] = tuple(draw.sample(names, draw.randint(1, min(2, len(names)))))
            names.append(f"c{n}")
        changes = [merged(n, draw.randint(0, 20), name) for n, name in enumerate(draw.sample(names, 6))]
        deployments = [deployed(n, draw.randint(0, 20), draw.choice(names)) for n in range(6)]
        in_time = sorted(deployments, key=lambda signal: (signal.at, signal.key))
        oldest = min(changes, key=lambda signal: (signal.at, signal.key))
        expected = {
            change.subject: next(
                (
                    d.subject
                    for d in in_time
                    if d.at >= change.at and change.detail["sha"] in map(sha, graph.reach(_name(graph, d)))
                ),
                None,
            )
            for change in changes
            # What lies behind the oldest merge was there before anything is known.
            if change is oldest or _name(graph, change) not in graph.reach(_name(graph, oldest))
        }
        draw.shuffle(changes)
        draw.shuffle(deployments)
        groups = deliveries(changes, deployments, graph.compare, {})
        found = {name.removeprefix("delivery "): group for name, group in groups.items()}
        assert {s: found[s][0].detail["deployment"] if found[s] else None for s in expected} == expected


def _name(graph: Graph, signal: Signal) -> str:
    return next(name for name in graph.parents if sha(name) == signal.detail["sha"])


class TestLostCommits:
    def test_when_a_commit_is_lost_the_first_deployment_after_the_merge_stands_in_and_says_so(self) -> None:
        changes = [merged(n, n) for n in (1, 2, 3)]
        deployments = [deployed(1, 1.5, "m1"), deployed(2, 2.5, "x"), deployed(3, 3.5, "m3")]
        assert delivered(changes, deployments, Graph(line(*MAIN).parents, lost={"x"})) == {
            "1": ("1", "ancestry"), "2": ("2", "time"), "3": ("3", "ancestry"),
        }  # fmt: skip

    def test_time_stands_in_for_no_merge_that_an_earlier_deployment_left_out(self) -> None:
        graph = line(*MAIN)
        graph.parents["m9"] = ("x",)
        graph.lost = {"m3"}
        deployments = [deployed(1, 4, "m2"), deployed(2, 6, "m3")]
        assert delivered([merged(1, 1), merged(9, 2)], deployments, graph) == {"1": ("1", "ancestry")}

    def test_time_stands_in_for_the_default_branch_alone(self) -> None:
        changes = [merged(1, 1), merged(2, 2, default_branch=False)]
        assert delivered(changes, [deployed(1, 5, "m5")], Graph(line(*MAIN).parents, lost={"m5"})) == {
            "1": ("1", "time")
        }

    def test_after_a_rewritten_history_the_next_deployments_are_compared_again(self) -> None:
        changes = [merged(n, n) for n in (1, 2, 3, 4)]
        deployments = [deployed(n, n + 0.5, f"m{n}") for n in (1, 2, 3, 4)]
        assert delivered(changes, deployments, Graph(line(*MAIN).parents, lost={"m1"})) == {
            "1": ("1", "ancestry"), "2": ("2", "time"), "3": ("3", "ancestry"), "4": ("4", "ancestry"),
        }  # fmt: skip

    def test_the_same_lost_commit_deployed_again_stays_lost(self) -> None:
        changes = [merged(n, n) for n in (1, 2, 3)]
        deployments = [deployed(1, 1.5, "m1"), deployed(2, 2.5, "x"), deployed(3, 3.5, "x")]
        found = delivered(changes, deployments, Graph(line(*MAIN).parents, lost={"x"}))
        assert found == {"1": ("1", "ancestry"), "2": ("2", "time"), "3": ("3", "time")}

    def test_a_merge_whose_commit_the_service_does_not_name_goes_by_time(self) -> None:
        changes = [merged(1, 1), merged(2, 2, sha=None)]
        deployments = [deployed(1, 1.5, "m1"), deployed(2, 2.5, "m2")]
        assert delivered(changes, deployments, line(*MAIN)) == {"1": ("1", "ancestry"), "2": ("2", "time")}

    def test_a_lost_answer_is_not_asked_for_again(self) -> None:
        graph, cache = Graph(line(*MAIN).parents, lost={"m2"}), {}
        arguments = ([merged(1, 1)], [deployed(1, 5, "m2")], graph, cache)
        assert delivered(*arguments) == delivered(*arguments)
        assert len(graph.asked) == 1

    def test_any_other_failure_goes_through_and_keeps_what_was_answered(self) -> None:
        graph, cache = line(*MAIN), {}

        def tired(repository: str, base: str, head: str) -> Comparison:
            if graph.asked:
                raise Deferred("the budget is spent")
            return graph.compare(repository, base, head)

        changes = [merged(n, n) for n in (1, 2, 3)]
        deployments = [deployed(1, 2.5, "m2"), deployed(2, 3.5, "m3")]
        with pytest.raises(Deferred):
            deliveries(changes, deployments, tired, cache)
        assert len(cache) == 1
        assert len(delivered(changes, deployments, graph, cache)) == 3
        assert graph.asked == [("acme/api", "m1", "m2"), ("acme/api", "m2", "m3")]


class TestCache:
    def test_each_pair_is_asked_once_and_the_cache_is_plain_json(self) -> None:
        graph, cache = line(*MAIN), {}
        changes = [merged(n, n) for n in (1, 2, 3)]
        deployments = [deployed(1, 2.5, "m2"), deployed(2, 3.5, "m3")]
        first = delivered(changes, deployments, graph, cache)
        again = json.loads(json.dumps(cache))
        assert delivered(changes, deployments, graph, again) == first
        assert len(graph.asked) == 2
        assert again == cache

    def test_a_new_night_asks_about_new_deployments_alone(self) -> None:
        graph, cache = line(*MAIN), {}
        changes = [merged(n, n) for n in (1, 2, 3)]
        delivered(changes[:2], [deployed(1, 2.5, "m2")], graph, cache)
        graph.asked.clear()
        delivered(changes, [deployed(1, 2.5, "m2"), deployed(2, 3.5, "m3")], graph, cache)
        assert graph.asked == [("acme/api", "m2", "m3")]

    def test_a_merge_that_comes_to_be_known_later_is_found_in_the_answers_of_before(self) -> None:
        graph, cache = line(*MAIN), {}
        deployments = [deployed(1, 2.5, "m2"), deployed(2, 4.5, "m4")]
        delivered([merged(1, 1), merged(4, 4)], deployments, graph, cache)
        graph.asked.clear()
        found = delivered([merged(n, n) for n in (1, 2, 3, 4)], deployments, graph, cache)
        assert found["2"] == ("1", "ancestry")
        assert found["3"] == ("2", "ancestry")
        assert graph.asked == []

    def test_a_deployment_that_comes_to_be_known_later_moves_the_changes_to_it(self) -> None:
        graph, cache = line(*MAIN), {}
        changes = [merged(n, n) for n in (1, 2, 3)]
        late = [deployed(1, 1.5, "m1"), deployed(3, 9, "m3")]
        assert delivered(changes, late, graph, cache)["2"] == ("3", "ancestry")
        assert delivered(changes, [*late, deployed(2, 2.5, "m2")], graph, cache) == {
            "1": ("1", "ancestry"), "2": ("2", "ancestry"), "3": ("3", "ancestry"),
        }  # fmt: skip

    def test_a_deployment_that_is_gone_gives_its_changes_to_the_next(self) -> None:
        graph, cache = line(*MAIN), {}
        changes = [merged(n, n) for n in (1, 2)]
        deployments = [deployed(1, 1.5, "m1"), deployed(2, 2.5, "m2"), deployed(3, 9, "m3")]
        delivered(changes, deployments, graph, cache)
        assert delivered(changes, [deployments[0], deployments[2]], graph, cache)["2"] == ("3", "ancestry")

    def test_answers_that_are_no_longer_asked_for_are_dropped_other_repositories_are_left(self) -> None:
        cache = {"hub:acme/api old...older": None, "hub:acme/web a...b": None}
        delivered([merged(1, 1), merged(2, 2)], [deployed(1, 3, "m2")], line(*MAIN), cache)
        assert set(cache) == {f"hub:acme/api {sha('m1')}...{sha('m2')}", "hub:acme/web a...b"}

    def test_a_deployment_with_nothing_new_before_it_is_not_asked_about(self) -> None:
        graph = line(*MAIN)
        deployments = [deployed(n, 2.5 + n, "m2" if n % 2 else "m1") for n in range(8)]
        delivered([merged(1, 1), merged(2, 2)], deployments, graph)
        assert graph.asked == [("acme/api", "m1", "m2")]

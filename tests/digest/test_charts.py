"""Charts: one function a kind, a sentence for those who do not see them, nothing that a policy would block."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pipmetrics.digest import charts, lifeline
from pipmetrics.digest.pictures import png, standalone
from pipmetrics.digest.rows import rows
from tests.digest import gallery

SVG = "{http://www.w3.org/2000/svg}"


def series(**changed: object) -> charts.Series:
    weeks = [charts.Point("W45", 0.5, 0.2, 0.8, 4), charts.Point("W46", 0.9, 0.6, None, 9), charts.Point("W47")]
    fields = {"sentence": "Reviews", "weeks": weeks, "now": 2, "low": 0.0, "high": 1.0, "target": 0.9}
    return charts.Series(**(fields | changed))  # type: ignore[arg-type]


def every() -> dict[str, str]:
    card = gallery.digest().cards[0]
    chart = rows(card)[0].chart
    assert chart is not None
    life = lifeline.life_of(card, gallery.AS_OF)
    marks = [charts.Mark(0.1, 5.0, True), charts.Mark(0.5, 99.0, False)]
    return {
        "weekly": charts.weekly(chart),
        "large": charts.weekly(chart, charts.LARGE),
        "strip": charts.strip("Points", marks, 24.0, "24 h limit", 48.0),
        "life": lifeline.draw(life),
        "narrow life": lifeline.draw(life, lifeline.NARROW),
        "stack": charts.stack("Ends", [3, 2]),
    }


@pytest.mark.parametrize("kind", list(every()))
def test_each_kind_has_a_role_a_sentence_and_no_style_or_script(kind: str) -> None:
    svg = every()[kind]
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert not re.search(r"style=|<style|<script|\son\w+=", svg)


@pytest.mark.parametrize("kind", list(every()))
def test_each_kind_can_stand_alone_as_a_picture(kind: str) -> None:
    alone = standalone(every()[kind])
    ElementTree.fromstring(alone)
    assert "var(" not in alone
    assert png(every()[kind]).startswith(b"\x89PNG")


def test_a_picture_is_the_same_every_time() -> None:
    assert png(every()["weekly"]) == png(every()["weekly"])


def test_a_week_with_few_points_is_hollow_and_one_without_is_not_drawn() -> None:
    drawn = charts.weekly(series())
    assert drawn.count("<circle") == 2
    assert drawn.count('class="pt few"') == 1


def test_a_whisker_without_an_end_has_no_cap() -> None:
    (whiskers,) = re.findall(r'class="wh" d="([^"]+)"', charts.weekly(series()))
    capped, open_ended = re.findall(r"M[\d.]+ [\d.]+V[^V]+(?=M[\d.]+ [\d.]+V|$)", whiskers)
    assert capped.count("h6") == 2
    assert open_ended.count("h6") == 1


def test_weeks_to_come_are_pale_and_all_weeks_have_their_place() -> None:
    drawn = charts.weekly(series())
    assert 'class="future"' in drawn
    assert 'class="future"' not in charts.weekly(series(now=3))


def test_this_week_is_labelled_bold() -> None:
    assert '<text class="t-strong" x="90.0" y="95" text-anchor="middle">W46</text>' in charts.weekly(series())


def test_labels_never_touch() -> None:
    for places in ([10.0, 11.0, 12.0], [70.0, 78.0, 80.0], [5.0, 40.0]):
        moved = charts.apart(places, 4.0, 80.0)
        assert all(second - first >= charts.LABEL_GAP - 1e-9 for first, second in pairwise(moved))
        assert max(moved) <= 80.0


def test_what_lies_off_the_scale_is_held_at_its_edge() -> None:
    drawn = charts.weekly(series(target=7.0))
    assert f'class="target" x1="8" x2="172" y1="{charts.SMALL.top:.1f}"' in drawn


def test_labels_are_escaped() -> None:
    weeks = [charts.Point("<i>", 0.5, 0.4, 0.6, 9)]
    drawn = charts.weekly(series(sentence='"><script>', target_label="<b>", weeks=weeks, now=1))
    assert "<script>" not in drawn
    assert "<b>" not in drawn
    assert "<i>" not in drawn


def test_the_life_of_a_plan_shows_what_came_before_and_today() -> None:
    drawn = every()["life"]
    for said in ("Coaching", "Baseline", "Plan, weekly", "Check-ins", "Support", "today"):
        assert said in drawn
    assert drawn.count("v18h") == 9


def test_a_life_outside_today_has_no_line_for_it() -> None:
    card = gallery.digest().cards[0]
    later = lifeline.life_of(card, gallery.AS_OF.replace(year=2028))
    assert "today" not in lifeline.draw(later)

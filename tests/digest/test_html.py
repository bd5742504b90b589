"""The page: self-contained, small, quick, and the same for the same digest."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from pipmetrics.digest import html
from pipmetrics.digest.html import Surroundings
from pipmetrics.digest.model import Digest
from tests.digest import gallery

PAGE = html.render(gallery.digest(), gallery.points())


def large(plans: int, criteria: int, points: int) -> tuple[Digest, dict[tuple[str, str], list[dict[str, Any]]]]:
    """A digest of many plans whose criteria have many points each."""
    one = gallery.digest().cards[0]
    some = gallery.points(points)["aguilar-2026-q4", "reviews-24h"]
    weeks = gallery.weeks(*[0.9] * 9)
    rows = [gallery.reviews("on_track", 0.9, 30, weeks, id=f"c{n}") for n in range(criteria)]
    terms = {f"c{n}": one.terms["reviews-24h"] for n in range(criteria)}
    cards = tuple(
        replace(one, plan=f"plan-{n}", evaluation={**one.evaluation, "criteria": rows}, terms=terms)
        for n in range(plans)
    )
    given = {(f"plan-{n}", f"c{m}"): some for n in range(plans) for m in range(criteria)}
    return replace(gallery.digest(), cards=cards), given


def test_one_file_holds_all_and_asks_for_nothing() -> None:
    assert "<style>" in PAGE
    assert not re.search(r"<script|<link|\sstyle=|\son\w+=|@import|url\(", PAGE)


def test_the_served_page_takes_its_style_from_the_server() -> None:
    served = html.render(gallery.digest(), whole=False)
    assert "<style" not in served
    assert '<link rel="stylesheet" href="/static/style.css">' in served


def test_the_same_digest_gives_the_same_bytes() -> None:
    assert html.render(gallery.digest(), gallery.points()) == PAGE


def test_ten_plans_with_thirty_criteria_stay_small_and_quick() -> None:
    digest, points = large(10, 3, 40)
    html.render(digest, points)
    begun = time.process_time()
    page = html.render(digest, points)
    assert time.process_time() - begun < 1.0
    assert len(page.encode()) < 400_000


def test_points_that_do_not_fit_are_counted() -> None:
    digest, points = large(10, 3, 40)
    page = html.render(digest, points)
    assert "more data points are not shown here" in page
    assert "more data point" not in PAGE


def test_value_range_sample_target_before_change_and_end_come_together() -> None:
    text = re.sub(r"<[^>]+>", " ", PAGE).replace("\u00a0", " ")
    for said in (
        "94 %",
        "95 % range:",
        "80–99 %",
        "30 of 32 reviews",
        "within 24 h, over the plan",
        "90 days, n 71",
        "5 points better",
        "within weekly noise",
        "likely 84–99 %",
    ):
        assert said in text


def test_thin_data_shows_no_figure_and_no_chart() -> None:
    text = re.sub(r"<[^>]+>", " ", PAGE)
    assert "1 of 5 needed. No chart is drawn from so few." in text
    assert "too few: 5 are needed" in text


def test_points_come_this_week_first_and_those_left_out_say_why() -> None:
    drawer = PAGE[PAGE.index('class="data pts"') :]
    places = [drawer.index(title) for title in ("This week (", "Pending (", "Left out (", "Earlier weeks (")]
    assert places == sorted(places)
    assert "Withdrawn, merged or closed before an answer was due" in drawer
    assert "Mon 16 Nov" in drawer


def test_a_server_adds_its_menu_and_where_plans_open() -> None:
    around = Surroundings(
        menu=(("Digest", "/"), ("Portfolio", "/portfolio")),
        plan_url=lambda plan: f"/plans/{plan}",
        evidence_url=lambda plan: f"/plans/{plan}/evidence.csv",
    )
    page = html.render(gallery.digest(), whole=False, around=around)
    assert '<a href="/" aria-current="page">Digest</a><a href="/portfolio">Portfolio</a>' in page
    assert '<a href="/plans/aguilar-2026-q4">Open the plan</a>' in page
    assert '<a href="/plans/aguilar-2026-q4/evidence.csv">Download all data points</a>' in page


def test_coaching_is_wrapped_so_that_it_is_not_printed() -> None:
    assert '<article class="card private" id="brandt-coaching"' in PAGE
    assert PAGE.count('class="private"') >= 3


def test_an_empty_week_is_a_page_too() -> None:
    empty = replace(gallery.digest(), cards=(), needs=())
    page = html.render(empty)
    assert "No plan is under way." in page
    assert "Nothing waits for you." in page

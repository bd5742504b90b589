"""What the pages show, to whom, with which headers, and that nothing which people wrote runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from tests.web.company import HOSTILE, Browser, Company

Signed = Callable[[str | None], Browser]
PAGES = (
    "/digest",
    "/plans",
    "/plans/ada-q4",
    "/plans/ada-q4/criteria/reviews",
    "/plans/ada-q4/criteria/handover",
    "/plans/ada-q4/ledger",
    "/plans/ada-q4/acts/comment",
    "/plans/ben-q4",
    "/people/dana",
    "/privacy",
)
ATTACKS = (
    HOSTILE,
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "<a href=javascript:alert(1)>x</a>",
    "\u202egnp.exe",
    "<!--",
    "]]>",
    "&lt;script&gt;",
)


class Nodes(HTMLParser):
    """What a page is made of: tags, attributes that run, and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.inline: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attributes)
        self.inline += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self.links += [value for name, value in attributes if name in ("href", "src", "action") and value]
        if tag == "script":
            self.scripts.append(given.get("src"))
        if given.get("id"):
            self.ids.append(str(given["id"]))


@pytest.mark.parametrize("path", PAGES)
def test_nothing_that_people_wrote_makes_a_node_and_nothing_is_inline(path: str, as_: Signed) -> None:
    dana = as_("dana")
    for attack in ATTACKS:
        dana.act("/plans/ada-q4/acts/comment", why=attack)
    text = dana.get(path).text
    page = Nodes(text)
    assert page.tags <= {
        "html", "head", "meta", "title", "link", "body", "svg", "symbol", "defs", "path", "circle", "rect", "use", "g",
        "line", "text", "polyline", "a", "header", "div", "span", "nav", "main", "h1", "h2", "h3", "h4", "p", "section",
        "article", "table", "caption", "colgroup", "col", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "dl",
        "dt", "dd", "footer", "b", "br", "code", "time", "details", "summary", "figure", "figcaption", "form", "label",
        "input", "select", "option", "textarea", "button", "script", "tspan",
    }  # fmt: skip
    assert page.inline == []
    assert set(page.scripts) <= {"/static/htmx.min.js"}
    assert all(re.match(r"^(/|#|https?://)", link) for link in page.links), page.links
    assert len(set(page.ids)) == len(page.ids)


@pytest.mark.parametrize("path", ["/plans/ada-q4", "/api/plans/ada-q4", "/sign-in", "/no-such-page", "/healthz", "/"])
def test_every_answer_forbids_what_a_page_does_not_need_and_is_kept_nowhere(path: str, as_: Signed) -> None:
    headers = as_("dana").get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_only_the_style_and_the_script_may_be_kept(as_: Signed) -> None:
    outside = as_(None)
    for name in ("style.css", "htmx.min.js", "htmx.LICENSE.txt"):
        answer = outside.get(f"/static/{name}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=3600")
    assert "Zero-Clause BSD" in outside.get("/static/htmx.LICENSE.txt").text
    for name in ("nothing.css", "..%2fapp.py", "pages.css/.."):
        assert outside.get(f"/static/{name}").status_code == 404


def test_a_fault_of_ours_says_nothing_of_what_went_wrong(
    as_: Signed, company: Company, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    dana = as_("dana")
    monkeypatch.setattr("pipmetrics.web.pages.view_of", lambda *_: 1 / 0)
    dana.client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]  # the test client's switch
    answer = dana.get("/plans/ada-q4")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


# --- who reads what -----------------------------------------------------------------------------------------------


def readings(company: Company, plan: str = "ada-q4") -> list[tuple[str, str]]:
    entries = company.organisation.store.entries(acts=("read",), subjects=(f"plan:{plan}",))
    return [(entry.actor, entry.payload["what"]) for entry in entries]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/plans/ada-q4", "plan"),
        ("/api/plans/ada-q4", "plan"),
        ("/plans/ada-q4/criteria/reviews", "evidence of reviews"),
        ("/api/plans/ada-q4/criteria/reviews", "evidence of reviews"),
        ("/plans/ada-q4/ledger", "ledger of the plan"),
        ("/api/plans/ada-q4/ledger", "ledger of the plan"),
        ("/digest", "digest of 2026-W47"),
        ("/api/digest", "digest of 2026-W47"),
        ("/plans", "list of plans"),
        ("/api/plans", "list of plans"),
        ("/portfolio", "portfolio"),
        ("/api/portfolio", "portfolio"),
    ],
)
def test_every_reading_of_a_plan_is_in_the_ledger(path: str, what: str, as_: Signed, company: Company) -> None:
    hana = as_("hana")
    assert readings(company) == []
    assert hana.get(path).status_code == 200
    expected = [] if "digest" in path else [("hana", what)]
    assert readings(company) == (expected or [("hana", what)])
    assert readings(company, "chen-q4") == []


def test_the_person_sees_who_looked(as_: Signed) -> None:
    as_("dana").get("/plans/ada-q4/criteria/reviews")
    as_("audrey").get("/plans/ada-q4")
    ada = as_("ada")
    told = [(each["who"], each["said"]) for each in ada.get("/api/plans/ada-q4").json()["looked"]]
    assert ("Dana Drew", "evidence of reviews.") in told
    assert ("Audrey Audit", "plan.") in told
    for page in ("/plans/ada-q4", "/people/ada", "/plans/ada-q4/ledger"):
        assert "Audrey Audit" in ada.get(page).text


def test_a_plan_is_not_shown_when_its_reading_cannot_be_recorded(as_: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipmetrics.errors import StoreError
    from pipmetrics.store import Store

    dana = as_("dana")

    def full(*_: object) -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(Store, "append", full)
    for path in ("/plans/ada-q4", "/api/plans/ada-q4"):
        answer = dana.get(path)
        assert answer.status_code == 503
        assert "reviews" not in answer.text


def test_refused_readings_are_no_readings(as_: Signed, company: Company) -> None:
    as_("omar").get("/plans/ada-q4")
    as_("dana").get("/plans/ada-q4/criteria/no-such")
    assert readings(company) == []


# --- redaction ----------------------------------------------------------------------------------------------------

PERSONAL = (
    "Ada", "Archer", "Dana", "Drew", "Lee Lowe", "acme/api", "git.example.com/acme", "Pairing on tests", "Reviews wait",
    "Employment may end", "I was ill", "Sharp words",
)  # fmt: skip


def test_an_auditor_sees_numbers_and_no_names_texts_or_addresses(as_: Signed) -> None:
    ada, dana = as_("ada"), as_("dana")
    key = ada.get("/api/plans/ada-q4/criteria/reviews").json()["points"][0]["key"]
    ada.act("/plans/ada-q4/acts/contest", criterion="reviews", key=key, why="I was ill")
    dana.act("/plans/ada-q4/acts/comment", why="Sharp words")
    audrey = as_("audrey")
    for path in ("/plans/ada-q4", "/plans/ada-q4/criteria/reviews", "/plans", "/portfolio"):
        for address in (path, f"/api{path}"):
            answer = audrey.get(address)
            assert answer.status_code == 200
            shown = re.sub(r"/?(plans/)?ada-q4", "", answer.text)
            assert [word for word in PERSONAL if word in shown] == [], address
    told = audrey.get("/api/plans/ada-q4").json()
    assert told["evaluation"]["criteria"][0]["value"] == 0.8
    assert told["disputes"][0]["why"] == "withheld"
    points = audrey.get("/api/plans/ada-q4/criteria/reviews").json()["points"]
    assert {point["subject"] for point in points} == {"withheld"}
    assert {tuple(point["facts"]) for point in points} == {()}


def test_facts_tell_whose_they_are_and_name_no_colleague(as_: Signed) -> None:
    ada = as_("ada")
    told = ada.get("/api/plans/ada-q4/criteria/reviews")
    facts = [fact for point in told.json()["points"] for fact in point["facts"]]
    assert {(fact["kind"], fact["who"]) for fact in facts} == {
        ("review_requested", "the person"), ("reviewed", "the person"),
    }  # fmt: skip
    assert facts[0]["detail"].keys() <= {"state", "comments"}
    assert all("ben" not in str(fact) for fact in facts)
    page = ada.get("/plans/ada-q4/criteria/reviews").text
    assert "the person, approved" in page
    assert "Before the plan" in page
    assert told.json()["baseline"] != []


def test_who_administers_sees_entries_of_the_ledger_and_nothing_in_them(as_: Signed) -> None:
    as_("dana").act("/plans/ada-q4/acts/comment", why="Sharp words")
    alex = as_("alex")
    told = alex.get("/api/ledger").json()["entries"]
    assert {frozenset(entry) for entry in told} == {frozenset({"seq", "at", "act", "hash"})}
    page = alex.get("/ledger").text
    assert "comment" in page
    assert not any(word in page for word in ("Sharp words", "Dana", "dana", "ada-", ":ada"))
    config = alex.get("/people").text
    assert "Ada Archer" in config
    assert "HUB_TOKEN" not in config
    assert "ada-q4" not in config


def test_an_auditor_reads_the_whole_ledger_page_by_page(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    for _ in range(60):
        dana.get("/api/plans")
    audrey = as_("audrey")
    first = audrey.get("/api/ledger").json()
    assert len(first["entries"]) == 100
    second = audrey.get(f"/api/ledger?before={first['before']}").json()
    seqs = [entry["seq"] for entry in first["entries"] + second["entries"]]
    assert seqs == list(range(seqs[0], seqs[0] - len(seqs), -1))
    assert "Older entries" in audrey.get("/ledger").text


# --- what the pages say -------------------------------------------------------------------------------------------


def test_the_person_sees_the_page_that_the_manager_sees(as_: Signed) -> None:
    def figures(text: str) -> list[str]:
        return re.findall(r"<b>([^<]*\d[^<]*)</b>", text)

    of_dana, of_ada = as_("dana").get("/plans/ada-q4").text, as_("ada").get("/plans/ada-q4").text
    assert figures(of_dana) == figures(of_ada) != []
    assert (
        as_("dana").get("/api/plans/ada-q4").json()["evaluation"]
        == (as_("ada").get("/api/plans/ada-q4").json()["evaluation"])
    )


def test_the_start_leads_to_what_one_reads(as_: Signed) -> None:
    assert as_("dana").get("/").headers["location"] == "/digest"
    assert as_("lee").get("/").headers["location"] == "/people/lee"
    assert as_(None).get("/").headers["location"] == "/sign-in?onward=/"


def test_the_menu_names_the_pages_that_one_may_open(as_: Signed) -> None:
    def menu(who: str) -> list[str]:
        nav = as_(who).get(f"/people/{who}" if who not in ("alex",) else "/people").text.split("</nav>")[0]
        return re.findall(r'<a href="(/[^"]*)"', nav.split("<nav")[1])

    assert menu("ada") == ["/digest", "/plans", "/privacy", "/people/ada"]
    assert menu("hana") == ["/digest", "/plans", "/portfolio", "/privacy", "/people/hana"]
    assert menu("audrey") == ["/digest", "/plans", "/portfolio", "/ledger", "/privacy", "/people/audrey"]
    assert menu("alex") == ["/people", "/ledger", "/privacy", "/people/alex"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 5), ("?standing=late", 1), ("?standing=counted", 4), ("?text=api%232", 1), ("?text=nothing", 0),
     ("?week=2026-W47", 1), ("?standing=contested", 0), ("?standing=%3Cscript%3E", 0)],
)  # fmt: skip
def test_the_evidence_is_filtered(query: str, shown: int, as_: Signed) -> None:
    dana = as_("dana")
    page = dana.get(f"/plans/ada-q4/criteria/reviews{query}").text
    assert f"{shown} of " in page
    assert len(dana.get(f"/api/plans/ada-q4/criteria/reviews{query}").json()["points"]) == shown


@pytest.mark.parametrize("week", ["2026-W60", "2026-W00", "20-W1", "x"])
def test_a_week_that_is_none_is_not_there(week: str, as_: Signed) -> None:
    assert as_("dana").get(f"/digest?week={week}").status_code in (404, 422)


def test_the_data_points_of_a_week_are_a_file_for_who_may_see_names(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    assert "/plans/ada-q4/evidence.csv?week=2026-W47" in dana.get("/digest").text
    answer = dana.get("/plans/ada-q4/evidence.csv?week=2026-W47")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''ada-q4-2026-W47.csv"
    assert answer.text.count("hub:acme/api#") >= 4
    assert readings(company)[-1] == ("dana", "evidence file of 2026-W47")
    assert as_("audrey").get("/plans/ada-q4/evidence.csv").status_code == 404


def test_a_plan_may_be_named_in_any_script(as_: Signed, company: Company) -> None:
    company.edit("plans/ada.yaml", "plan: ada-q4", "plan: größe-计划")
    dana = as_("dana")
    for path in ("", "/criteria/reviews", "/ledger", "/evidence.csv", "/acts/comment"):
        assert dana.get(f"/plans/größe-计划{path}").status_code == 200
    assert dana.act("/plans/größe-计划/acts/comment", why="x").status_code == 303


def test_team_figures_need_five_people(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    assert dana.get("/api/teams/payments?metric=review_turnaround").status_code == 404
    more = "".join(f"  p{n}: {{name: P{n}, team: payments, accounts: {{hub: p{n}}}}}\n" for n in range(4))
    company.edit("people.yaml", "people:\n", f"people:\n{more}")
    told = dana.get("/api/teams/payments?metric=review_turnaround").json()
    assert (told["people"], told["median"]) == (7, None)
    assert "fewer than five" in told["reason"]
    assert "ada" not in str(told)
    assert dana.get("/api/teams/payments?metric=nothing").status_code == 422
    assert as_("lee").get("/api/teams/payments?metric=review_turnaround").status_code == 404

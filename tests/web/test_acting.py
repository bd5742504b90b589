"""Every act in the browser: shown before it is recorded, recorded once, and its entry shown after."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest

from pipmetrics import acts
from pipmetrics.ledger import verify
from pipmetrics.web.acts import FORMS
from tests.web.company import HOSTILE, OVER, Browser, Company

Signed = Callable[[str | None], Browser]
PLAN = "/plans/ada-q4/acts"


def kinds(company: Company, *acts: str) -> list[tuple[str, str]]:
    """Act and actor of the entries that no reading made."""
    entries = company.organisation.store.entries(subjects=("plan:ada-q4",))
    return [(each.act, each.actor) for each in entries if each.act in acts or (not acts and each.act != "read")]


def point(at: Browser, place: int = 0, plan: str = "ada-q4") -> str:
    return str(at.get(f"/api/plans/{plan}/criteria/reviews").json()["points"][place]["key"])


def recorded(answer: object) -> str:
    location = getattr(answer, "headers", {}).get("location", "")
    assert "/recorded/" in location, getattr(answer, "text", answer)
    return str(location)


# --- the two steps ------------------------------------------------------------------------------------------------


def test_an_act_is_shown_before_it_is_recorded_and_its_entry_after(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    before = company.organisation.store.head().seq
    shown = dana.post(f"{PLAN}/comment", why="Good week")
    assert "this will be recorded" in shown.text
    assert "Good week" in shown.text
    assert kinds(company, "comment") == []
    answer = dana.act(f"{PLAN}/comment", why="Good week")
    page = dana.get(recorded(answer))
    assert page.status_code == 200
    (entry,) = company.organisation.store.entries(acts=("comment",))
    assert entry.seq > before
    assert f"entry {entry.seq}" in page.text
    assert entry.hash in page.text
    assert entry.payload == {"person": "ada", "why": "Good week"}


def test_what_is_recorded_is_what_was_shown(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    shown = dana.post(f"{PLAN}/comment", why="One")
    seen = shown.text.split('name="seen" value="')[1].split('"')[0]
    other = dana.post(f"{PLAN}/comment", seen=seen, why="Another")
    assert "this will be recorded" in other.text, "a changed text was recorded unseen"
    assert kinds(company, "comment") == []


def test_the_entry_after_an_act_is_shown_to_who_made_it_alone(as_: Signed) -> None:
    dana, hana = as_("dana"), as_("hana")
    location = recorded(dana.act(f"{PLAN}/comment", why="Good week"))
    assert dana.get(location).status_code == 200
    assert hana.get(location).status_code == 404
    assert dana.get(f"{PLAN}/comment/recorded/1").status_code == 404
    assert dana.get(f"{PLAN}/comment/recorded/-5").status_code == 404


@pytest.mark.parametrize(
    "values",
    [{}, {"why": "  "}, {"why": "x" * 4001}, {"why": "a\0b"}],
    ids=["none", "blank", "long", "nul"],
)
def test_a_form_that_does_not_fit_comes_back_with_what_is_wrong(as_: Signed, values: dict[str, str]) -> None:
    answer = as_("dana").post(f"{PLAN}/comment", **values)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_what_was_typed_stays_in_a_form_that_comes_back(as_: Signed) -> None:
    answer = as_("dana").post(f"{PLAN}/check-in", day="nonsense", held="yes", why="We talked <b>long</b>")
    assert answer.status_code == 422
    assert "We talked &lt;b&gt;long&lt;/b&gt;" in answer.text


# --- each act -----------------------------------------------------------------------------------------------------


def test_the_person_acknowledges_the_plan_and_the_notice_with_it(as_: Signed, company: Company) -> None:
    ada = as_("ada")
    assert "Privacy notice" in ada.get(f"{PLAN}/acknowledge").text
    assert ada.post(f"{PLAN}/acknowledge", why="").status_code == 422, "the notice was not ticked"
    recorded(ada.act(f"{PLAN}/acknowledge", notice="yes", agrees="no", why="The course comes late"))
    assert kinds(company, "notice", "sign") == [("notice", "ada"), ("sign", "ada")]
    (notice,) = company.organisation.store.entries(acts=("notice",))
    assert notice.payload["digest"] == ada.get("/api/notice").json()["digest"]
    (signature,) = ada.get("/api/plans/ada-q4").json()["signatures"]
    assert (signature["agrees"], signature["comment"]) == (False, "The course comes late")
    assert ada.get("/api/plans/ada-q4").json()["state"] == "active"


def test_a_plan_is_no_active_one_before_it_was_acknowledged(as_: Signed) -> None:
    told = as_("ada").get("/api/plans/ada-q4").json()
    assert told["state"] == "draft"
    assert "waits" in told["waits"]
    assert told["acts"][0] == "acknowledge"


def test_the_company_signs_and_countersigns_a_plan_before_the_person_does(as_: Signed, company: Company) -> None:
    recorded(as_("dana").act(f"{PLAN}/sign", why=""))
    recorded(as_("hana").act(f"{PLAN}/countersign", why=""))
    assert kinds(company, "sign") == [("sign", "dana"), ("sign", "hana")]


def test_a_contest_is_answered_decided_and_told_as_a_whole(as_: Signed, company: Company) -> None:
    ada, dana, hana = as_("ada"), as_("dana"), as_("hana")
    key = point(ada)
    recorded(ada.act(f"{PLAN}/contest", criterion="reviews", key=key, why="I was ill"))
    (dispute,) = ada.get("/api/plans/ada-q4").json()["disputes"]
    assert (dispute["key"], dispute["state"]) == (key, "open")
    number = str(dispute["number"])
    recorded(dana.act(f"{PLAN}/answer", contest=number, why="I did not know"))
    recorded(hana.act(f"{PLAN}/decide-contest", contest=number, outcome="upheld", why="Sick note seen"))
    story = ada.get("/plans/ada-q4").text
    for said in ("I was ill", "I did not know", "Sick note seen", "upheld"):
        assert said in story
    assert kinds(company, "dispute", "dispute.answer", "dispute.decide") == [
        ("dispute", "ada"), ("dispute.answer", "dana"), ("dispute.decide", "hana"),
    ]  # fmt: skip


def test_only_points_of_the_criterion_can_be_contested(as_: Signed) -> None:
    ada = as_("ada")
    answer = ada.post(f"{PLAN}/contest", criterion="reviews", key="no-such-point", why="x")
    assert answer.status_code == 422
    other = point(as_("dana"), plan="ben-q4")
    assert ada.post(f"{PLAN}/contest", criterion="reviews", key=other, why="x").status_code == 422


def test_the_evidence_page_leads_to_the_contest_with_its_point(as_: Signed) -> None:
    ada = as_("ada")
    page = ada.get("/plans/ada-q4/criteria/reviews").text
    link = page.split('href="/plans/ada-q4/acts/contest?')[1].split('"')[0].replace("&amp;", "&")
    form = ada.get(f"{PLAN}/contest?{link}").text
    key = link.partition("key=")[2]
    assert key.replace("%3A", ":") in form or f'value="{key}"' in form
    assert "acts/contest" not in as_("dana").get("/plans/ada-q4/criteria/reviews").text


def test_a_contest_filed_in_the_browser_changes_tonights_evaluation_and_blocks_the_final_verdict(
    as_: Signed, company: Company
) -> None:
    company.acknowledge()
    ada, dana, hana = as_("ada"), as_("dana"), as_("hana")
    late = next(each for each in ada.get("/api/plans/ada-q4/criteria/reviews").json()["points"]
                if each["standing"] == "late")  # fmt: skip
    recorded(ada.act(f"{PLAN}/contest", criterion="reviews", key=late["key"], why="The build was broken"))
    company.now += timedelta(hours=17)
    company.organisation.record(company.now)
    dana, hana, ada = as_("dana"), as_("hana"), as_("ada")
    reviews = dana.get("/api/plans/ada-q4").json()["evaluation"]["criteria"][0]
    assert reviews["value"] == 0.8
    assert reviews["contested"]["value"] == 1.0
    assert "4 of 5" in dana.get("/plans/ada-q4").text
    assert "without" in dana.get("/plans/ada-q4/criteria/reviews").text
    company.now = OVER
    hana = as_("hana")
    for criterion in ("reviews", "handover"):
        assert hana.get(f"/plans/ada-q4/criteria/{criterion}").status_code == 200
    blocked = hana.post(
        f"{PLAN}/decide", outcome="not_complete", why="x", **{"reasons-reviews": "r", "reasons-handover": "h"}
    )
    assert blocked.status_code == 409
    assert "open disputes" in blocked.text
    number = str(hana.get("/api/plans/ada-q4").json()["disputes"][0]["number"])
    recorded(hana.act(f"{PLAN}/decide-contest", contest=number, outcome="upheld", why="It was"))
    company.now += timedelta(minutes=1)
    company.organisation.record(company.now)
    reviews = hana.get("/api/plans/ada-q4").json()["evaluation"]["criteria"][0]
    assert (reviews["value"], reviews["contested"]) == (1.0, None)
    assert verify(company.organisation.store).ok


def test_a_role_attests_although_it_sees_no_plan(as_: Signed, company: Company) -> None:
    lee = as_("lee")
    assert lee.get("/plans/ada-q4").status_code == 404
    assert "Ada Archer" in lee.get("/people/lee").text
    location = recorded(lee.act(f"{PLAN}/attest", criterion="handover", value="1", why="Seen on Monday"))
    assert lee.get(location).status_code == 200
    (attested,) = company.organisation.acts(company.now + timedelta(seconds=1)).attestations
    assert (attested.by, attested.role, attested.value) == ("lee", "tech-lead", 1.0)


def test_support_is_recorded_and_then_confirmed_or_denied(as_: Signed, company: Company) -> None:
    recorded(as_("dana").act(f"{PLAN}/support", support="1", on="2026-11-20", why="Paired twice"))
    recorded(as_("ada").act(f"{PLAN}/confirm-support", support="1", received="no", why="Once, for ten minutes"))
    assert "Denied by the person" in as_("hana").get("/plans/ada-q4").text
    (given,) = company.organisation.acts(company.now + timedelta(seconds=1)).supports
    assert (given.by, given.confirmed) == ("dana", False)


def test_a_check_in_is_recorded_and_then_confirmed_or_denied(as_: Signed, company: Company) -> None:
    recorded(as_("dana").act(f"{PLAN}/check-in", day="2026-11-23", held="yes", why="We looked at the numbers"))
    recorded(as_("ada").act(f"{PLAN}/confirm-check-in", day="2026-11-23", right="no", why="It was five minutes"))
    assert kinds(company, "check_in", "check_in.confirm") == [("check_in", "dana"), ("check_in.confirm", "ada")]
    assert as_("ada").post(f"{PLAN}/confirm-check-in", day="2026-11-16", right="no", why="x").status_code == 422


def test_an_amendment_is_proposed_shown_as_a_difference_and_signed_by_both_sides(as_: Signed, company: Company) -> None:
    company.acknowledge()
    company.edit("plans/ada.yaml", "target: 90%", "target: 80%")
    dana, hana, ada = as_("dana"), as_("hana"), as_("ada")
    assert "differs from what was signed" in dana.get("/plans/ada-q4").text
    form = dana.get(f"{PLAN}/propose").text
    assert "-  " in form
    assert "target: 80%" in form
    recorded(dana.act(f"{PLAN}/propose", why="The team target changed"))
    (amendment,) = ada.get("/api/plans/ada-q4").json()["amendments"]
    assert amendment["effective"] is None
    assert "target: 80%" in ada.get(f"{PLAN}/sign-amendment").text
    number = str(amendment["number"])
    recorded(hana.act(f"{PLAN}/approve", amendment=number, why=""))
    locked = company.organisation.plans("ada-q4")[0].criteria[0].parameters["target"]
    assert locked == 0.9
    recorded(ada.act(f"{PLAN}/sign-amendment", amendment=number, why=""))
    assert company.organisation.plans("ada-q4")[0].criteria[0].parameters["target"] == 0.8
    assert ada.get("/api/plans/ada-q4").json()["amendments"][0]["effective"] is not None


def test_a_manager_does_not_sign_their_own_proposal(as_: Signed, company: Company) -> None:
    company.acknowledge()
    company.edit("plans/ada.yaml", "target: 90%", "target: 80%")
    dana = as_("dana")
    recorded(dana.act(f"{PLAN}/propose", why="x"))
    assert dana.get(f"{PLAN}/approve").status_code == 404
    assert dana.get(f"{PLAN}/sign-amendment").status_code == 404


def test_digests_are_signed_by_all_three(as_: Signed, company: Company) -> None:
    recorded(as_("ada").act(f"{PLAN}/sign-digest", week="2026-W47", agrees="", why=""))
    recorded(as_("dana").act(f"{PLAN}/sign-digest", week="2026-W47", agrees="", why=""))
    recorded(as_("hana").act(f"{PLAN}/countersign-digest", week="2026-W47", why=""))
    signed = as_("ada").get("/api/plans/ada-q4").json()["signatures"]
    assert [(each["by"], each["about"], each["agrees"]) for each in signed] == [
        ("Ada Archer", "2026-W47", None), ("Dana Drew", "2026-W47", None), ("Hana Hart", "2026-W47", None),
    ]  # fmt: skip
    assert as_("ada").post(f"{PLAN}/sign-digest", week="2026-W48").status_code == 422, "the week is not over"


def test_who_decides_must_have_opened_the_evidence_and_gives_reasons(as_: Signed, company: Company) -> None:
    company.acknowledge()
    company.now = OVER
    recorded(as_("dana").act(f"{PLAN}/recommend", outcome="complete", why="She did it"))
    hana = as_("hana")
    said = {"outcome": "complete", "why": "Met", "reasons-reviews": "Fast now", "reasons-handover": "Two done"}
    refused = hana.post(f"{PLAN}/decide", **said)
    assert refused.status_code == 409
    assert "was not opened by hana" in refused.text
    assert hana.get("/plans/ada-q4/criteria/reviews").status_code == 200
    assert "the evidence of handover was not opened" in hana.post(f"{PLAN}/decide", **said).text
    assert hana.get("/plans/ada-q4/criteria/handover").status_code == 200
    assert hana.post(f"{PLAN}/decide", **(said | {"reasons-handover": ""})).status_code == 422
    recorded(hana.act(f"{PLAN}/decide", **said))
    told = hana.get("/api/plans/ada-q4").json()
    assert told["state"] == "decided"
    (decision,) = told["decisions"]
    assert decision["why"] == "Met\nreviews: Fast now\nhandover: Two done"
    assert decision["recommendation"] is not None
    assert kinds(company, "recommend", "decide") == [("recommend", "dana"), ("decide", "hana")]
    assert hana.post(f"{PLAN}/decide", **said).status_code == 422, "it was decided twice"


def test_somebody_elses_look_at_the_evidence_is_none_of_the_deciders(as_: Signed, company: Company) -> None:
    company.acknowledge()
    company.now = OVER
    for who in ("ada", "dana"):
        for criterion in ("reviews", "handover"):
            assert as_(who).get(f"/plans/ada-q4/criteria/{criterion}").status_code == 200
    said = {"outcome": "complete", "why": "x", "reasons-reviews": "r", "reasons-handover": "h"}
    assert as_("hana").post(f"{PLAN}/decide", **said).status_code == 409


def test_a_plan_that_was_never_acknowledged_is_withdrawn_and_not_decided(as_: Signed, company: Company) -> None:
    company.now = OVER
    hana = as_("hana")
    said = {"why": "x", "reasons-reviews": "r", "reasons-handover": "h"}
    refused = hana.post(f"{PLAN}/decide", outcome="not_complete", **said)
    assert refused.status_code == 409
    assert "never acknowledged" in refused.text
    recorded(hana.act(f"{PLAN}/decide", outcome="withdrawn", **said))


def test_everybody_exports_what_is_held_about_them_and_it_is_recorded(as_: Signed, company: Company) -> None:
    ada = as_("ada")
    shown = ada.post("/people/ada/acts/export")
    assert "this will be recorded" in shown.text
    answer = ada.act("/people/ada/acts/export")
    assert answer.headers["content-type"] == "application/zip"
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    assert json.loads(files.read("everything.json"))["person"]["id"] == "ada"
    (entry,) = company.organisation.store.entries(acts=("export",))
    assert (entry.actor, entry.subject) == ("ada", "person:ada")
    assert as_("dana").get("/people/ada/acts/export").status_code == 404


def test_erasure_is_asked_for_approved_and_carried_out_by_three(as_: Signed, company: Company) -> None:
    ada, hana, alex = as_("ada"), as_("hana"), as_("alex")
    assert alex.post("/people/ada/acts/erase", why="x").status_code == 409
    assert hana.post("/people/ada/acts/approve-erasure", why="x").status_code == 422
    recorded(ada.act("/people/ada/acts/ask-erasure", why="I leave"))
    recorded(hana.act("/people/ada/acts/approve-erasure", why="Retention is over"))
    recorded(alex.act("/people/ada/acts/erase", why="As approved"))
    assert verify(company.organisation.store).ok
    assert all(each.payload is None for each in company.organisation.store.entries(acts=("erasure.ask",)))
    assert alex.post("/people/ada/acts/erase", why="x").status_code == 409, "it was carried out twice"


def test_the_ledger_verifies_after_acts_and_readings(as_: Signed, company: Company) -> None:
    for who in ("ada", "dana", "hana"):
        as_(who).get("/plans/ada-q4")
        as_(who).act(f"{PLAN}/comment", why=f"By {who} {HOSTILE}")
    found = verify(company.organisation.store)
    assert found.ok, str(found)


def test_every_form_has_its_own_name_action_and_path() -> None:
    names = [form.name for form in FORMS]
    assert len(set(names)) == len(names)
    fresh = {form.name for form in FORMS if form.fresh}
    assert fresh >= {"acknowledge", "sign-digest", "decide", "decide-contest", "approve", "sign-amendment", "erase"}


def test_acts_through_the_api_are_those_of_the_pages(as_: Signed, company: Company) -> None:
    dana = as_("dana")
    would = dana.call("/api/plans/ada-q4/acts/check-in?preview=true", {"day": "2026-11-23", "held": "yes", "why": "x"})
    assert would.status_code == 200
    assert would.json()["would_record"] == [
        {"act": "check_in", "subject": "plan:ada-q4", "actor": "dana",
         "payload": {"person": "ada", "day": "2026-11-23", "held": True, "why": "x"}},
    ]  # fmt: skip
    assert kinds(company, "check_in") == []
    done = dana.call("/api/plans/ada-q4/acts/check-in", {"day": "2026-11-23", "held": "yes", "why": "x"})
    assert done.status_code == 201
    (entry,) = done.json()["recorded"]
    assert entry["payload"] == would.json()["would_record"][0]["payload"]
    assert acts.acts_before(company.organisation.store, None).check_ins[0].held is True
    assert dana.call("/api/plans/ada-q4/acts/check-in", {"day": "x"}).status_code == 422
    assert dana.call("/api/plans/ada-q4/acts/comment", {"why": "x", "extra": 1}).status_code == 422

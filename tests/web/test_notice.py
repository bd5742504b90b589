from __future__ import annotations

from pipmetrics.web.notice import notice_of
from tests.web.company import Company


def text(company: Company) -> str:
    return "\n".join(said for section in notice_of(company.organisation.config).sections for said in section.said)


def test_the_notice_says_what_is_read_from_where_and_for_what(company: Company) -> None:
    told = text(company)
    assert "hub (github, https://git.example.com), in acme/api: that a change was opened" in told
    assert "(review_turnaround):" in told
    assert "180 days" in told
    assert "auditor" in told


def test_the_notice_names_nobody_and_no_reason_for_time_off(company: Company) -> None:
    told = text(company)
    for word in ("Ada", "Dana", "surgery", "HUB_TOKEN", "script"):
        assert word not in told


def test_the_notice_changes_its_hash_with_what_is_read(company: Company) -> None:
    before = notice_of(company.organisation.config).digest
    assert notice_of(company.organisation.config).digest == before
    company.edit("pipmetrics.yaml", "acme/api", "acme/*")
    assert notice_of(company.open().config).digest != before


def test_reasons_for_time_off_are_nowhere_in_the_store(company: Company) -> None:
    company.organisation.store.head()
    assert b"surgery" not in (company.folder / "pipmetrics.db").read_bytes()

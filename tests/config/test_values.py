from datetime import date, datetime, time, timedelta

import pytest

from pipmetrics.config import values
from pipmetrics.config.values import Unfit
from pipmetrics.model import Secret

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("24h", 24 * HOUR), ("2d 4h", 52 * HOUR), ("90m", 1.5 * HOUR), ("30 days", 30 * DAY), ("1 week", 7 * DAY),
        ("1.5 hours", 1.5 * HOUR), ("45s", timedelta(seconds=45)), ("2D4H", 52 * HOUR), (" 1 day ", DAY),
    ],
)  # fmt: skip
def test_durations_are_amounts_with_units(written, meant):
    assert values.duration(written) == meant


@pytest.mark.parametrize(
    "written",
    [24, 24.0, "24", "h", "24 hrs x", "24:00", "-2h", "0h", "1h 30", "3 months", "99999999h", "20 years", "", None,
     True,
     ["24h"], "9" * 200 + "h", "11 weeks " * 60, float("nan"), "24h24", "1.h"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(Unfit):
        values.duration(written)


def test_a_bare_number_is_told_from_other_mistakes():
    with pytest.raises(Unfit, match="bare number"):
        values.duration(24)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("24h working", (24 * HOUR, "working")), ("workdays 2 days", (2 * DAY, "workdays")),
     ("24 working hours", (24 * HOUR, "working")),
     ("24h elapsed", (24 * HOUR, "elapsed")), ("24h", (24 * HOUR, None))],
)  # fmt: skip
def test_a_duration_may_name_its_clock(written, meant):
    assert values.duration_by(written) == meant


@pytest.mark.parametrize(
    "written",
    ["24h working elapsed", "2 days working", "1 week working", "24h sleeping"],
    ids=repr,
)
def test_clocks_that_contradict_or_mislead_are_refused(written):
    with pytest.raises(Unfit):
        values.duration_by(written)


def test_a_clock_has_no_place_in_a_plain_duration():
    with pytest.raises(Unfit, match="clock"):
        values.duration("24h working")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90%", 0.9), ("12.5%", 0.125), ("0%", 0.0), ("100 %", 1.0), ("66.6%", 0.666), ("7%", 0.07),
     ("250%", 2.5), ("0.1%", 0.001)],
)  # fmt: skip
def test_percentages_are_exact_to_the_last_bit(written, meant):
    assert values.percentage(written) == meant


@pytest.mark.parametrize(
    "written",
    [90, 0.9, "90", "0.9", "-5%", "%", "1e2%", "ninety%", None, True, "90%%", "5%0"],
    ids=repr,
)
def test_what_is_no_percentage_is_refused(written):
    with pytest.raises(Unfit):
        values.percentage(written)


def test_a_share_is_at_most_everything():
    assert values.share("100%") == 1.0
    with pytest.raises(Unfit, match="at most 100%"):
        values.share("101%")


@pytest.mark.parametrize(
    "written",
    ["5", "5%", True, None, float("inf"), float("nan"), [5]],
    ids=repr,
)
def test_what_is_no_number_is_refused(written):
    with pytest.raises(Unfit):
        values.number(written)


@pytest.mark.parametrize(
    "written",
    [-1, 1.5, 2.0, "3", True],
    ids=repr,
)
def test_a_count_is_a_whole_number_without_a_point(written):
    with pytest.raises(Unfit):
        values.count(written)


def test_dates_are_iso_dates_between_sensible_years():
    assert values.day("2026-02-28") == date(2026, 2, 28)
    for wrong in (
        "2026-02-30",
        "28.2.2026",
        "2026-2-8",
        "20260228",
        "0001-01-01",
        "9999-12-31",
        20260228,
        None,
        "2026-W08-1",
    ):
        with pytest.raises(Unfit):
            values.day(wrong)


def test_moments_are_dates_or_dates_with_a_time():
    assert values.moment("2026-11-12") == date(2026, 11, 12)
    assert values.moment("2026-11-12 13:00") == datetime(2026, 11, 12, 13)  # noqa: DTZ001 - the person's own zone
    assert values.moment("2026-11-12T13:00+01:00").utcoffset() == HOUR
    for wrong in ("2026-11-12 25:00", "2026-11-12 noon", "0001-01-01 00:00", 5, None):
        with pytest.raises(Unfit):
            values.moment(wrong)


def test_days_of_the_week_are_ranges_and_lists():
    assert values.weekdays("Mon-Fri") == frozenset(range(5))
    assert values.weekdays("Sun-Thu") == frozenset({6, 0, 1, 2, 3})
    assert values.weekdays("Monday, Wed, fri") == frozenset({0, 2, 4})
    assert values.weekdays(["Tue", "Thu-Sat"]) == frozenset({1, 3, 4, 5})
    for wrong in ("", "Mo", "Mon-", "Weekdays", [], [1], 5, None, {}, [["Mon"]]):
        with pytest.raises(Unfit):
            values.weekdays(wrong)


def test_working_hours_end_after_they_begin():
    assert values.hours("09:00-17:30") == (time(9), time(17, 30))
    assert values.hours("08:00 - 16:00") == (time(8), time(16))
    for wrong in ("17:00-09:00", "09:00-09:00", "9-17", "09:00", "09:00-24:00", "09:60-17:00", 9, None, "22:00-06:00"):
        with pytest.raises(Unfit):
            values.hours(wrong)


def test_windows_are_the_plan_its_weeks_or_the_last_days():
    assert values.window("plan") == "plan"
    assert values.window("last 14 days") == 14 * DAY
    assert values.window("last 2 weeks") == 14 * DAY
    for wrong in ("month", "last", "last 36h", "14 days", 14, None, "last 14"):
        with pytest.raises(Unfit):
            values.window(wrong)


def test_check_ins_come_every_so_many_weeks():
    assert [values.every(each) for each in ("week", "1 week", "2 weeks", "12 weeks")] == [1, 1, 2, 12]
    for wrong in ("day", "0 weeks", "2", 2, None, "fortnight"):
        with pytest.raises(Unfit):
            values.every(wrong)


@pytest.mark.parametrize(
    "written",
    ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"],
    ids=repr,
)
def test_time_zones_are_those_of_the_database(written):
    assert values.zone(written) == written


@pytest.mark.parametrize(
    "written",
    ["Europe/Berln", "CEST+2", "../../etc/passwd", "/etc/localtime", "Europe", "", "x" * 5000, 5, None, "\x00"],
    ids=repr,
)
def test_other_time_zones_are_refused(written):
    with pytest.raises(Unfit, match="unknown time zone"):
        values.zone(written)


def test_a_mistyped_time_zone_is_mended():
    with pytest.raises(Unfit) as caught:
        values.zone("europe/berlin")
    assert caught.value.mend == "Did you mean `Europe/Berlin`?"


@pytest.mark.parametrize(
    "written",
    ["${TOKEN}", "${_a1}", "file:secrets/token", "file:/run/secrets/token"],
    ids=repr,
)
def test_references_to_secrets_are_kept_as_they_are(written):
    assert values.reference(written) == Secret(written)


@pytest.mark.parametrize(
    "written",
    ["hunter2", "$TOKEN", "${}", "${1A}", "${A}${B}", "x${A}", "file:", "${A B}", 5, None, ""],
    ids=repr,
)
def test_literal_secrets_are_refused_and_not_repeated(written):
    with pytest.raises(Unfit) as caught:
        values.reference(written)
    assert "hunter2" not in caught.value.what + caught.value.mend


@pytest.mark.parametrize(
    "written",
    ["https://api.github.com", "http://127.0.0.1:8080/api/v3", "https://[::1]:8443"],
    ids=repr,
)
def test_addresses_of_services(written):
    assert values.web_address(written) == written


def test_a_slash_at_the_end_of_an_address_does_not_matter():
    assert values.web_address("https://git.example.com/") == "https://git.example.com"


@pytest.mark.parametrize(
    "written",
    ["ftp://x", "api.github.com", "https://", "https://user:hunter2@x", "https://hunter2@x", "https://x?private_token=hunter2",
     "https://x#hunter2", "https://x:99999", "https://x y", "javascript:alert(1)", "https://x\\@y", "https://[::1", 5,
     None,
     "file:token", "${URL}", "https://x\nHost: y"],
    ids=repr,
)  # fmt: skip
def test_addresses_with_credentials_or_of_other_kinds_are_refused(written):
    with pytest.raises(Unfit) as caught:
        values.web_address(written)
    assert "hunter2" not in caught.value.what + caught.value.mend


@pytest.mark.parametrize(
    "written",
    ["sqlite:///pipmetrics.db", "sqlite:////var/lib/p.db", "postgresql+psycopg://pip@db/pip", "postgresql:///pip"],
    ids=repr,
)
def test_stores_are_sqlite_or_postgresql(written):
    assert values.store_url(written) == written


def test_a_store_may_be_a_reference_to_its_whole_address():
    assert values.store_url("${STORE}") == Secret("${STORE}")


@pytest.mark.parametrize(
    "written",
    ["postgresql+psycopg://pip:hunter2@db/pip", "postgresql://db/pip?password=hunter2", "mysql://x/y", "pipmetrics.db",
     "sqlite://", "postgresql+psycopg://pip:${PW}@db/pip", 5, None],
    ids=repr,
)  # fmt: skip
def test_stores_with_passwords_or_of_other_kinds_are_refused(written):
    with pytest.raises(Unfit) as caught:
        values.store_url(written)
    assert "hunter2" not in caught.value.what + caught.value.mend


def test_mail_servers_without_credentials_may_stand_in_the_clear():
    assert values.mail_server("smtp://127.0.0.1:2525") == "smtp://127.0.0.1:2525"
    assert values.mail_server("${SMTP_URL}") == Secret("${SMTP_URL}")
    for wrong in (
        "smtp://me:hunter2@mail",
        "smtp://me@mail",
        "mail.example.com",
        "http://mail",
        25,
        "smtp://m/?password=hunter2",
    ):
        with pytest.raises(Unfit) as caught:
            values.mail_server(wrong)
        assert "hunter2" not in caught.value.what + caught.value.mend


@pytest.mark.parametrize(
    "written",
    ["", "  ", "a\x00b", "\x1b[31m", 5, True, None, ["x"], {"a": 1}],
    ids=repr,
)
def test_what_is_no_text_is_refused(written):
    with pytest.raises(Unfit):
        values.text(written)


def test_lines_hold_no_line_breaks():
    with pytest.raises(Unfit):
        values.line("Subject\nBcc: all@example.com")
    assert values.text("two\nlines") == "two\nlines"


@pytest.mark.parametrize(
    "written",
    ["a@b", "Ada <a@b.c>", "a b@c.d", "a@b\r\nBcc: x@y.z", "@", "a@", 5, None],
    ids=repr,
)
def test_addresses_for_mail(written):
    if written == "a@b":
        assert values.mail_address(written) == written
    else:
        with pytest.raises(Unfit):
            values.mail_address(written)


def test_executors_are_local_or_a_dask_scheduler():
    assert values.executor("local") == "local"
    assert values.executor("dask://scheduler:8786") == "dask://scheduler:8786"
    for wrong in ("ray://x", "dask", "dask://", "", None, "process"):
        with pytest.raises(Unfit):
            values.executor(wrong)


def test_a_near_name_is_suggested_and_the_given_one_not_repeated():
    assert values.did_you_mean("review_turnarund", ["review_turnaround", "x"]) == "Did you mean `review_turnaround`?"
    assert values.did_you_mean("hunter2", ["alpha", "beta"]) == "Known: alpha, beta."
    assert values.did_you_mean(5, []) == ""

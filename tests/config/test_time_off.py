from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipmetrics.config.time_off import from_calendar, span
from pipmetrics.config.values import Unfit
from pipmetrics.model import Window

from .conftest import PEOPLE

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calendar(path: Path, *events: str) -> Path:
    body = "".join(
        f"BEGIN:VEVENT\nUID:{n}\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)
    )
    target = path / "away.ics"
    target.write_bytes(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode())
    return target


def test_dates_cover_whole_local_days_with_both_ends():
    assert span(date(2026, 11, 12), date(2026, 11, 14), BERLIN) == Window(
        at("2026-11-11T23:00"), at("2026-11-14T23:00")
    )


def test_one_date_is_one_day():
    assert span(date(2026, 7, 1), None, "America/New_York") == Window(at("2026-07-01T04:00"), at("2026-07-02T04:00"))


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is():
    window = span(date(2026, 10, 25), None, BERLIN)
    assert window.end - window.start == timedelta(hours=25)


def test_date_times_are_half_open_in_the_persons_zone_unless_they_name_one():
    naive = datetime(2026, 11, 12, 13)  # noqa: DTZ001 - the person's own zone
    aware = datetime(2026, 11, 12, 18, tzinfo=UTC)
    assert span(naive, aware, BERLIN) == Window(at("2026-11-12T12:00"), at("2026-11-12T18:00"))


def test_time_off_that_ends_before_it_begins_is_refused():
    with pytest.raises(Unfit, match="ends before it begins"):
        span(date(2026, 11, 14), date(2026, 11, 12), BERLIN)
    with pytest.raises(Unfit, match="needs its end"):
        span(datetime(2026, 11, 14, 8, tzinfo=UTC), None, BERLIN)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("[{from: 2026-11-14, to: 2026-11-12}]", "this time off ends before it begins"),
        ("[{to: 2026-11-12}]", "`from` is missing"),
        ("[{from: tomorrow}]", "a date is expected here"),
        ("[{from: 2026-11-12, until: 2026-11-14}]", "unknown key `until`"),
        ("2026-11-12", "there is no such file"),
        ("away.ics", "there is no such file"),
        ("{ics: away.ics}", "there is no such file"),
        ("{ical: away.ics}", "`ics` is missing"),
        ("5", "a mapping is expected here, not a number"),
    ],
)
def test_wrong_time_off_is_a_problem_with_a_place(folder, written, problem):
    folder.people(PEOPLE.replace("name: Ben Example", f"name: Ben Example, time_off: {written}"))
    found = folder.problems()
    assert [line for line in found if line.startswith("people.yaml:3:") and f": {problem}" in line], found


def test_reasons_are_never_kept(folder):
    folder.people(PEOPLE.replace("name: Ben Example", "name: B, time_off: [{from: 2026-11-12, reason: surgery}]"))
    config = folder.load()
    assert len(config.people["ben"].calendar.time_off) == 1
    assert "surgery" not in repr(config)


def test_an_icalendar_file_beside_the_configuration(folder):
    folder.people(PEOPLE.replace("name: Ben Example", "name: Ben, time_off: away.ics"))
    calendar(folder.path, "DTSTART;VALUE=DATE:20261228\nDTEND;VALUE=DATE:20270102\nSUMMARY:surgery")
    config = folder.load()
    assert config.people["ben"].calendar.time_off == (Window(at("2026-12-27T23:00"), at("2027-01-01T23:00")),)
    assert "surgery" not in repr(config)


@pytest.mark.parametrize(
    ("event", "windows"),
    [
        ("DTSTART;VALUE=DATE:20260701", [("2026-06-30T22:00", "2026-07-01T22:00")]),
        ("DTSTART:20260701T080000Z\nDTEND:20260701T100000Z", [("2026-07-01T08:00", "2026-07-01T10:00")]),
        ("DTSTART:20260701T080000\nDTEND:20260701T100000", [("2026-07-01T06:00", "2026-07-01T08:00")]),
        (
            "DTSTART;TZID=America/New_York:20260701T080000\nDURATION:PT2H",
            [("2026-07-01T12:00", "2026-07-01T14:00")],
        ),
        ("DTSTART;VALUE=DATE:20260701\nSTATUS:CANCELLED", []),
        (
            "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=WEEKLY;COUNT=2",
            [("2026-06-30T22:00", "2026-07-01T22:00"), ("2026-07-07T22:00", "2026-07-08T22:00")],
        ),
        (
            "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;UNTIL=20260703\nEXDATE;VALUE=DATE:20260702",
            [("2026-06-30T22:00", "2026-07-01T22:00"), ("2026-07-02T22:00", "2026-07-03T22:00")],
        ),
        (
            # 09:00 in Berlin stays 09:00 when summer time ends on 25 October.
            "DTSTART;TZID=Europe/Berlin:20261023T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20261030T080000Z",
            [("2026-10-23T07:00", "2026-10-23T08:00"), ("2026-10-30T08:00", "2026-10-30T09:00")],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260701T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260702T070000Z",
            [("2026-07-01T07:00", "2026-07-01T08:00")],
        ),
        (
            "DTSTART;VALUE=DATE:20260701\nRDATE;VALUE=DATE:20260801",
            [("2026-06-30T22:00", "2026-07-01T22:00"), ("2026-07-31T22:00", "2026-08-01T22:00")],
        ),
    ],
)
def test_events_become_spans(tmp_path, event, windows):
    assert [(w.start, w.end) for w in from_calendar(calendar(tmp_path, event), BERLIN)] == [
        (at(start), at(end)) for start, end in windows
    ]


def test_an_occurrence_that_was_moved_counts_where_it_was_moved_to(tmp_path):
    path = calendar(tmp_path, "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;COUNT=2", "DTSTART;VALUE=DATE:20260710")
    text = path.read_text().replace("UID:1", "UID:0\r\nRECURRENCE-ID;VALUE=DATE:20260702")
    path.write_text(text)
    assert [window.start for window in from_calendar(path, "UTC")] == [at("2026-07-01T00:00"), at("2026-07-10T00:00")]


def test_an_event_without_an_end_in_sight_is_unfolded_for_ten_years(tmp_path):
    windows = from_calendar(calendar(tmp_path, "DTSTART;VALUE=DATE:20260702\nRRULE:FREQ=WEEKLY"), "UTC")
    assert len(windows) == 522
    assert windows[-1].start < at("2036-07-04T00:00")


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=SECONDLY", "recurs by something other than days"),
        ("DTSTART:20260701T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=8,20", "recurs more than 4000 times"),
        ("DTSTART:20260701T100000Z\nDTEND:20260701T080000Z", "ends before it begins"),
        ("DTSTART:20260701T100000Z", "ends before it begins"),
        ("SUMMARY:no start", "this is no iCalendar file that can be read"),
        ("DTSTART:yesterday", "this is no iCalendar file that can be read"),
        ("DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=WEEKLY;BYDAY=XX", "this is no iCalendar file that can be read"),
    ],
)
def test_events_that_make_no_sense_are_refused(tmp_path, event, problem):
    with pytest.raises(Unfit, match=problem):
        from_calendar(calendar(tmp_path, event), BERLIN)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x00", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"hello", b"\xff\xfe\x00"]
)
def test_files_that_are_no_calendars_are_refused(tmp_path, content):
    path = tmp_path / "away.ics"
    path.write_bytes(content)
    with pytest.raises(Unfit):
        from_calendar(path, BERLIN)


def test_a_calendar_that_is_too_large_or_a_folder_is_refused(tmp_path):
    (tmp_path / "large.ics").write_bytes(b"x" * 1_100_000)
    with pytest.raises(Unfit, match="larger than"):
        from_calendar(tmp_path / "large.ics", BERLIN)
    with pytest.raises(Unfit, match="no such file"):
        from_calendar(tmp_path, BERLIN)

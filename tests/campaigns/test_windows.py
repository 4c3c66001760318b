"""Sending windows and local times, over the days on which clocks change and on both sides of the line of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.windows import SendWindow, instant, next_midnight, parse_window, read_window, zone_of
from pulsequill.core.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = SendWindow(frozenset({1, 2, 3, 4, 5}), 9 * 60, 17 * 60)
NIGHT = SendWindow(frozenset({5}), 22 * 60, 6 * 60)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T08:59:59", "2026-11-23T09:00"),  # Monday, just before
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T16:59:59", "2026-11-23T16:59:59"),
        ("2026-11-23T17:00", "2026-11-24T09:00"),  # the end is not in it
        ("2026-11-27T17:00", "2026-11-30T09:00"),  # Friday evening: Monday
        ("2026-11-28T12:00", "2026-11-30T09:00"),  # Saturday
    ],
)
def test_a_window_opens_on_its_next_weekday(moment: str, opens: str) -> None:
    assert OFFICE.next_open(at(moment), BERLIN) == at(opens)


def test_a_window_over_midnight_belongs_to_the_day_it_opens_on() -> None:
    assert NIGHT.closes_at(at("2026-11-28T05:59"), BERLIN) == at("2026-11-28T06:00")
    assert NIGHT.closes_at(at("2026-11-27T05:59"), BERLIN) is None
    assert NIGHT.next_open(at("2026-11-28T06:00"), BERLIN) == at("2026-12-04T22:00")


def test_a_window_is_meant_by_the_clock_on_the_wall_when_clocks_change() -> None:
    before, after = OFFICE.next_open(at("2026-10-23T03:00"), BERLIN), OFFICE.next_open(at("2026-10-26T03:00"), BERLIN)
    assert (before, after) == (datetime(2026, 10, 23, 7, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC))


def test_an_hour_that_does_not_exist_moves_behind_the_gap() -> None:
    gone = SendWindow(start=2 * 60 + 30, end=4 * 60)
    assert gone.next_open(at("2026-03-29T00:00"), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    only_the_gap = SendWindow(start=2 * 60, end=3 * 60)
    assert only_the_gap.next_open(at("2026-03-29T00:00"), BERLIN) == at("2026-03-30T02:00")


def test_a_day_of_23_hours_ends_an_hour_early() -> None:
    assert next_midnight(at("2026-03-29T00:30"), BERLIN) - at("2026-03-29T00:00") == timedelta(hours=23)


@given(
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe", "UTC"]),
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    start=st.integers(0, 1439),
    end=st.integers(1, 1440),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    moment: datetime, zone: str, weekdays: frozenset[int], start: int, end: int
) -> None:
    window = SendWindow(weekdays, start, end)
    opens = window.next_open(moment, ZoneInfo(zone))
    if window.never_opens:
        assert opens is None
        return
    assert opens is not None
    assert window.closes_at(opens, ZoneInfo(zone)) is not None
    assert opens == moment or window.closes_at(moment, ZoneInfo(zone)) is None
    assert window.closes_at(opens - timedelta(seconds=1), ZoneInfo(zone)) is None or opens == moment


@pytest.mark.parametrize(
    ("given_window", "field"),
    [
        ([], "send_window"),
        ({"days": [1]}, "send_window.days"),
        ({"weekdays": [0]}, "send_window.weekdays"),
        ({"weekdays": []}, "send_window.weekdays"),
        ({"weekdays": [True]}, "send_window.weekdays"),
        ({"weekdays": "12345"}, "send_window.weekdays"),
        ({"from": "9:00"}, "send_window.from"),
        ({"from": 9}, "send_window.from"),
        ({"to": "24:01"}, "send_window.to"),
        ({"from": "09:00", "to": "09:00"}, "send_window.to"),
    ],
)
def test_a_window_of_another_shape_is_refused_by_the_name_of_its_part(given_window: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_window(given_window)
    assert refusal.value.errors[0].field == field


def test_a_window_is_stored_as_it_is_written_and_an_unreadable_one_never_opens() -> None:
    written = {"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
    window = parse_window(written)
    assert window == OFFICE
    assert window is not None
    assert window.as_json() == written
    assert parse_window({}) is None
    assert parse_window({"from": "08:00"}) == SendWindow(start=8 * 60)
    broken = read_window({"weekdays": "weekends"})
    assert broken is not None
    assert broken.never_opens


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (OFFICE, "Monday to Friday, 09:00 to 17:00"),
        (SendWindow(), "Every day, 00:00 to 24:00"),
        (SendWindow(frozenset({6, 7}), 600, 720), "Saturday and Sunday, 10:00 to 12:00"),
        (SendWindow(frozenset({1, 3, 5}), 600, 720), "Monday, Wednesday and Friday, 10:00 to 12:00"),
    ],
)
def test_a_window_says_itself_in_words(window: SendWindow, words: str) -> None:
    assert str(window) == words


def test_an_unknown_zone_is_utc() -> None:
    assert zone_of("Mars/Olympus").key == "UTC"
    assert instant(date(2026, 11, 23), 600, zone_of("../etc/passwd")) == datetime(2026, 11, 23, 10, tzinfo=UTC)

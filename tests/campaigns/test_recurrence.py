"""Slots on wall clocks: in words, over both changes of the clocks, and never twice or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import recurrence
from campaigns.recurrence import Recurrence, as_typed, monthly, parse, weekly
from pulsequill.core.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
WEEK_ONE = date(2026, 1, 5)


def rule(line: str, every_weeks: int = 1) -> Recurrence:
    return parse(line, every_weeks=every_weeks, counted_from=WEEK_ONE)


def walls(found: Recurrence, zone: ZoneInfo, after: datetime, count: int) -> list[str]:
    return [f"{at.astimezone(zone):%a %d %b %H:%M %z}" for at in found.next_slots(after, zone, count)]


def test_nine_on_mondays_stays_nine_when_clocks_go_forward_and_back():
    nine = rule("0 9 * * mon")

    assert walls(nine, BERLIN, datetime(2026, 3, 20, tzinfo=UTC), 2) == [
        "Mon 23 Mar 09:00 +0100", "Mon 30 Mar 09:00 +0200",
    ]  # fmt: skip
    assert walls(nine, BERLIN, datetime(2026, 10, 19, 12, tzinfo=UTC), 2) == [
        "Mon 26 Oct 09:00 +0100", "Mon 02 Nov 09:00 +0100",
    ]  # fmt: skip


def test_a_time_that_a_spring_night_leaves_out_comes_behind_the_gap():
    assert walls(rule("30 2 * * *"), BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "Sun 29 Mar 03:30 +0200", "Mon 30 Mar 02:30 +0200",
    ]  # fmt: skip


def test_a_time_that_an_autumn_night_has_twice_comes_once():
    assert walls(rule("30 2 * * *"), BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "Sun 25 Oct 02:30 +0200", "Mon 26 Oct 02:30 +0100",
    ]  # fmt: skip
    assert walls(rule("30 1 * * *"), NEW_YORK, datetime(2026, 11, 1, 5, 30, tzinfo=UTC), 1) == [
        "Mon 02 Nov 01:30 -0500",
    ]  # fmt: skip


def test_two_times_that_meet_behind_a_gap_are_one_slot():
    found = rule("30 2,3 * * *").next_slots(datetime(2026, 3, 28, 12, tzinfo=UTC), BERLIN, 3)

    assert [at.isoformat() for at in found] == [
        "2026-03-29T01:30:00+00:00", "2026-03-30T00:30:00+00:00", "2026-03-30T01:30:00+00:00",
    ]  # fmt: skip


def test_every_second_week_is_counted_from_its_first():
    found = rule("0 9 * * 1,4", every_weeks=2).next_slots(datetime(2026, 1, 1, tzinfo=UTC), BERLIN, 4)

    assert [at.date().isoformat() for at in found] == ["2026-01-05", "2026-01-08", "2026-01-19", "2026-01-22"]


def test_the_last_day_of_the_month_knows_february():
    found = rule("0 9 L * *").next_slots(datetime(2028, 1, 31, 12, tzinfo=UTC), BERLIN, 2)

    assert [at.date().isoformat() for at in found] == ["2028-02-29", "2028-03-31"]


def test_a_day_of_the_month_or_a_weekday_is_enough_when_both_are_named():
    found = rule("0 9 13 * fri").next_slots(datetime(2026, 10, 1, tzinfo=UTC), BERLIN, 4)

    assert [at.day for at in found] == [2, 9, 13, 16]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 9 * * 1", "Every week on Monday at 09:00"),
        ("5 7 * * mon-wed", "Every week on Monday, Tuesday and Wednesday at 07:05"),
        ("0 9 L * *", "On the last day of the month at 09:00"),
        ("0 9 1,15 * *", "On day 1 and 15 of the month at 09:00"),
        ("0 9,17 * * *", "Every day at 09:00 and 17:00"),
        ("0 9 1 jan,jul *", "On day 1 of the month at 09:00, in Jan and Jul"),
        ("0 * * * 0", "Every week on Sunday 24 times a day, from 00:00 to 23:00"),
        ("0 9 13 * 5", "Every week on day 13 of the month or on Friday at 09:00"),
    ],
)
def test_it_says_in_words_when_it_comes(line, words):
    assert str(rule(line)) == words


def test_it_says_which_weeks_count():
    assert str(rule("0 9 * * 1", every_weeks=3)) == "Every 3 weeks on Monday at 09:00"


@pytest.mark.parametrize(
    "line",
    ["", "0 9 * *", "* 9 * * *", "*/5 * * * *", "0 24 * * *", "0 9 32 * *", "0 9 * 13 *", "0 9 * * 8", "0 9 * * mo",
     "0 9 30 2 *", "0 9 5-1 * *", "0 9 */0 * *", "0 9 1,,2 * *", "٣ 9 * * *", "0 9 ² * *", "0 9 * * 1 2"],
)  # fmt: skip
def test_what_is_no_crontab_line_or_never_comes_is_refused(line):
    with pytest.raises(Invalid) as refused:
        rule(line)

    assert refused.value.errors[0].field == "crontab"


@pytest.mark.parametrize("every_weeks", [0, 9, -1])
def test_weeks_are_one_to_eight(every_weeks):
    with pytest.raises(Invalid):
        rule("0 9 * * 1", every_weeks=every_weeks)


def test_what_people_choose_becomes_a_line_and_comes_back():
    assert as_typed(weekly(weekdays=[4, 1], at="9:05")) == {"rhythm": "weekly", "weekdays": ["1", "4"], "at": "09:05"}
    assert as_typed(monthly(day="L", at="18:00")) == {"rhythm": "monthly", "month_day": "L", "at": "18:00"}
    assert as_typed("0 9 1 */3 *") == {"rhythm": "crontab", "crontab": "0 9 1 */3 *"}


@pytest.mark.parametrize("wrong", [{"day": "31", "at": "09:00"}, {"day": "1", "at": "24:00"}, {"day": "x", "at": "9"}])
def test_a_month_day_that_some_months_lack_is_refused(wrong):
    with pytest.raises(Invalid):
        monthly(**wrong)


LINES = st.builds(
    "{} {} {} {} {}".format,
    st.integers(0, 59),
    st.sampled_from(["*", "0", "2", "2,3", "1-4", "*/6", "23", "0,1,2,3"]),
    st.sampled_from(["*", "*", "1", "13", "28,L", "L"]),
    st.sampled_from(["*", "*", "3,10", "mar-nov"]),
    st.sampled_from(["*", "*", "0", "mon", "1-5", "7"]),
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu",
     "Pacific/Apia", "Africa/Cairo", "America/Sao_Paulo"]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.datetimes(datetime(2011, 12, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(line=LINES, zone=ZONES, after=MOMENTS, every_weeks=st.integers(1, 4))
def test_the_next_run_is_always_later_and_no_slot_is_left_out_or_taken_twice(line, zone, after, every_weeks):
    found = rule(line, every_weeks)

    ahead = found.next_slots(after, zone, 12)

    assert all(earlier < later for earlier, later in zip([after, *ahead], ahead, strict=False))
    at, stepped = after, []
    for _ in ahead:
        following = found.next_slot(at, zone)
        assert following is not None
        stepped.append(following)
        at = following
    assert stepped == ahead, "one at a time gives what looking ahead gives"
    assert set(_every_wall_time(found, zone, after, ahead[-1])) == set(ahead)


def _every_wall_time(found: Recurrence, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Every slot between two moments, found by the slow way: each hour of each day that counts."""
    instants = []
    day = after.astimezone(zone).date() - timedelta(days=2)
    while day <= until.astimezone(zone).date() + timedelta(days=2):
        if found.falls_on(day):
            for hour in found.hours:
                wall = datetime(day.year, day.month, day.day, hour, found.minute, tzinfo=zone)
                instants.append(wall.astimezone(UTC))
        day += timedelta(days=1)
    return [at for at in instants if after < at <= until]


def test_a_stored_line_that_cannot_be_read_is_no_crash():
    class Stored:
        crontab, every_weeks, counted_from_date = "nonsense", 1, WEEK_ONE

    assert recurrence.of(Stored()) is None

"""The finish estimate is what happens: each forecast is held against a run of the real limits on a clock that jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db.models import Q

from accounts.models import Workspace
from campaigns import tickets
from campaigns.delivery import local_time, pacing, planner, waves
from campaigns.models import Campaign, DeliveryMinute, Experiment, Message, ProviderSettings
from campaigns.selectors import finish, speed
from campaigns.services import composing
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
#: Messages a second that the simulated provider takes when nothing slows it down; what nobody measured yet.
SPEED = speed.UNMEASURED["capture"]
TICK = timedelta(seconds=15)
#: Where nothing may leave; what has left is counted by the minute.
IDLE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns are taken, but the clock of these tests jumps over them."""
    monkeypatch.setattr(pacing.time, "sleep", lambda _seconds: None)


@pytest.fixture(autouse=True)
def _the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts and campaign draw the same tickets in each run.

    A forecast reckons with shares: when by chance nobody of a zone is among the first readers, all ends earlier.
    """
    for module in (planner, waves):
        monkeypatch.setattr(
            module, "ticket_sql", lambda _campaign_id, draw, who: tickets.ticket_sql(UUID(int=1), draw, who)
        )


def make_ready(
    size: int, *, workspace: Workspace | None = None, zones: tuple[str, ...] = ("",), **fields: Any
) -> Campaign:
    workspace = workspace or make_workspace(time_zone="Europe/London")
    readers = [
        make_contact(workspace, id=UUID(int=number + 1), time_zone=zones[number % len(zones)]) for number in range(size)
    ]
    campaign = make_campaign(workspace, lists=[make_list(workspace, *readers)])
    for name, value in fields.items():
        setattr(campaign, name, value)
    campaign.save()
    return campaign


def run_for_real(campaign: Campaign, at: datetime) -> datetime:
    """Launch and send a campaign by `pacing` alone; return when its last message left. A tick is a sweep's distance."""
    starts_at = local_time.starts_at(campaign)
    at = max(at, starts_at) if starts_at else at
    planner.launch(campaign, now=at)
    variant, last = campaign.variants.first(), at
    waiting = Message.objects.filter(campaign=campaign, status="queued")
    for _ in range(200_000):
        nexts = waiting.order_by("due_at").values_list("due_at", flat=True)
        if campaign.canary_share and not campaign.canary_released_at and not waiting.exists():
            at = last + timedelta(minutes=1 + campaign.canary_minutes)
            waves.release_canary(campaign=campaign, now=at)
        if not waiting.exists():
            return last
        first_due = nexts.first()
        at = max(at, first_due) if first_due else at
        left_of_tick = int(SPEED * TICK.total_seconds())
        while left_of_tick:
            room = pacing.allowance(campaign, now=at)
            number = left_of_tick if room is None else min(room, left_of_tick)
            ids = list(
                waiting.filter(Q(due_at=None) | Q(due_at__lte=at)).order_by("id").values_list("pk", flat=True)[:number]
            )
            if not ids:
                break
            Message.objects.filter(pk__in=ids).update(status="sent", sent_at=at)
            minute, _ = DeliveryMinute.objects.get_or_create(
                campaign=campaign, variant=variant, minute=at.replace(second=0, microsecond=0)
            )
            minute.sent += len(ids)
            minute.save()
            left_of_tick -= len(ids)
            last = at
        campaign.refresh_from_db()
        step = TICK if last == at else IDLE
        at = max(at + step, campaign.continues_at) if campaign.continues_at else at + step
    raise AssertionError("it never ends")


LOCAL = {"timezone_mode": "contact"}
SATURDAY_NOON = {"weekdays": [6], "from": "12:00", "to": "13:00"}
MORNING = {"from": "08:00", "to": "10:30"}
OFFICE = {"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "America/Los_Angeles")


@pytest.mark.parametrize(
    ("size", "fields", "limited_by"),
    [
        (300, {"throttle_per_hour": 600}, "throttle"),
        (250, {"throttle_per_hour": 100}, "throttle"),
        (300, {"throttle_per_hour": 60, "send_window": {"from": "10:00", "to": "12:00"}}, "window"),
        (40, {"throttle_per_hour": 3, "send_window": OFFICE}, "window"),
        (40, {"send_at": MONDAY + timedelta(days=2), **LOCAL}, "local_time"),
        (40, {"send_at": MONDAY + timedelta(hours=2), **LOCAL}, "local_time"),
        (40, {"send_at": MONDAY + timedelta(days=4), **LOCAL, "send_window": SATURDAY_NOON}, "local_time"),
        (60, {"throttle_per_hour": 30, "send_at": TUESDAY, **LOCAL, "send_window": MORNING}, "local_time"),
    ],
)  # fmt: skip
def test_a_forecast_comes_true(size: int, fields: dict[str, Any], limited_by: str) -> None:
    campaign = make_ready(size, zones=ZONES if "timezone_mode" in fields else ("",), **fields)
    forecast = finish.estimate_launch(campaign, included=size, now=MONDAY)
    assert forecast is not None
    real = run_for_real(
        campaign,
        max(MONDAY, campaign.send_at) if campaign.send_at and campaign.timezone_mode == "workspace" else MONDAY,
    )
    tolerance = max(timedelta(minutes=2), (real - forecast.starts_at) * 0.03)
    assert abs(forecast.finish_at - real) <= tolerance, (forecast, real)
    assert forecast.limited_by == limited_by


def make_two_speeds(campaign: Campaign) -> Campaign:
    """A second variant that leaves three hours after the first."""
    content = [{"label": "A", "share": 60}, {"label": "B", "share": 40, "subject": "Later"}]
    composing.update_campaign(campaign=campaign, actor=None, changes={"variants": content})
    campaign.variants.filter(label="B").update(send_delay_minutes=180)
    return Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)


@pytest.mark.parametrize(
    ("fields", "limited_by"),
    [
        ({}, "send_delay"),
        ({"throttle_per_hour": 240}, "send_delay"),
        ({"canary_share": 10, "canary_minutes": 45}, "canary"),
        ({"canary_share": 10, "canary_minutes": 600}, "canary"),
        ({"send_at": MONDAY + timedelta(hours=2), **LOCAL, "canary_share": 20, "canary_minutes": 300}, "canary"),
    ],
)
def test_first_readers_and_later_variants_come_true(fields: dict[str, Any], limited_by: str) -> None:
    zones = ZONES if "timezone_mode" in fields else ("",)
    campaign = make_two_speeds(make_ready(200, zones=zones, **fields))
    forecast = finish.estimate_launch(campaign, included=200, now=MONDAY)
    assert forecast is not None and forecast.limited_by == limited_by
    real = run_for_real(campaign, MONDAY)
    tolerance = max(timedelta(minutes=3), (real - forecast.starts_at) * 0.05)
    assert abs(forecast.finish_at - real) <= tolerance, (forecast, real)


@pytest.mark.parametrize(
    ("size", "fields", "limited_by"),
    [
        (8, {"canary_share": 10, "canary_minutes": 600}, "speed"),  # all of them are the first readers
        (12, {"canary_share": 1, "canary_minutes": 600}, "canary"),
        (40, {"canary_share": 1, "canary_minutes": 30, "throttle_per_hour": 60}, "canary"),
    ],
)
def test_ten_first_readers_of_a_small_list_come_true(size: int, fields: dict[str, Any], limited_by: str) -> None:
    campaign = make_ready(size, **fields)
    forecast = finish.estimate_launch(campaign, included=size, now=MONDAY)
    assert forecast is not None and forecast.limited_by == limited_by
    real = run_for_real(campaign, MONDAY)
    assert abs(forecast.finish_at - real) <= timedelta(minutes=2), (forecast, real)


def test_a_test_of_a_small_list_is_forecast_for_as_many_as_it_really_asks() -> None:
    campaign = make_two_speeds(make_ready(60, throttle_per_hour=60))
    campaign.variants.update(send_delay_minutes=0)
    campaign = Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)
    Experiment.objects.create(workspace=campaign.workspace, campaign=campaign, mode="winner", test_share=1)
    forecast = finish.estimate_launch(campaign, included=60, now=MONDAY)
    assert forecast is not None
    assert forecast.finish_at == MONDAY + timedelta(minutes=20)  # ten for each variant, one a minute
    planner.launch(campaign, now=MONDAY)
    assert Message.objects.filter(campaign=campaign, status="queued").count() == 20


def account(workspace: Workspace, **fields: Any) -> Workspace:
    ProviderSettings.objects.create(workspace=workspace, provider="capture", is_active=True, **fields)
    return workspace


@pytest.mark.parametrize(("own", "other"), [(120, 40), (40, 120), (60, 60)])
def test_campaigns_that_leave_by_one_account_share_its_rate(own: int, other: int) -> None:
    workspace = account(make_workspace(), rate_per_second=5)
    campaign, rival = make_ready(own, workspace=workspace), make_campaign(workspace)
    rival.lists.set([make_list(workspace, *(make_contact(workspace) for _ in range(other)))])
    planner.launch(rival, now=MONDAY)
    forecast = finish.estimate_launch(campaign, included=own, now=MONDAY)
    assert forecast is not None and forecast.limited_by == "rate"
    planner.launch(campaign, now=MONDAY)
    assert finish.estimate_rest(campaign, now=MONDAY, left=own) == forecast
    at = MONDAY
    waiting = {one.pk: Message.objects.filter(campaign=one, status="queued") for one in (campaign, rival)}
    while waiting[campaign.pk].exists():
        at += timedelta(seconds=1)
        asking = [campaign, rival] if at.second % 2 else [rival, campaign]
        while asking:
            one = asking.pop(0)
            room = pacing.allowance(one, now=at)
            taken = list(waiting[one.pk].values_list("pk", flat=True)[:room])
            Message.objects.filter(pk__in=taken).update(status="sent")
            asking += [one] if taken else []
    assert abs(forecast.finish_at - at) <= timedelta(seconds=3), (forecast, at)


def test_a_warm_up_is_shared_and_accounts_of_others_are_not() -> None:
    workspace = account(make_workspace(), warm_up_start_date=MONDAY.date(), warm_up_plan=[40, 40, 40, 40])
    campaign, rival = make_ready(60, workspace=workspace), make_campaign(workspace)
    rival.lists.set([make_list(workspace, *(make_contact(workspace) for _ in range(60)))])

    def days() -> int:
        forecast = finish.estimate_launch(campaign, included=60, now=MONDAY)
        assert forecast is not None
        return (forecast.finish_at.date() - MONDAY.date()).days

    assert days() == 1
    planner.launch(rival, now=MONDAY)
    assert days() == 2
    Campaign.objects.filter(pk=rival.pk).update(continues_at=MONDAY + timedelta(hours=5))
    assert days() == 1
    other = account(make_workspace(), rate_per_second=1, warm_up_start_date=MONDAY.date(), warm_up_plan=[1])
    planner.launch(make_ready(0, workspace=other), now=MONDAY)
    assert days() == 1


def test_the_rest_of_a_campaign_knows_who_waits_behind_the_first_readers_and_not_who_waits_for_the_test() -> None:
    campaign = make_two_speeds(make_ready(200, canary_share=10, canary_minutes=60))
    Experiment.objects.create(workspace=campaign.workspace, campaign=campaign, mode="winner", test_share=50)
    assert finish.waits_for_test(campaign)
    whole = finish.estimate_launch(campaign, included=200, now=MONDAY)
    planner.launch(campaign, now=MONDAY)
    rest = finish.estimate_rest(campaign, now=MONDAY)
    assert whole is not None and rest is not None
    assert abs(rest.finish_at - whole.finish_at) < timedelta(seconds=5)
    assert rest.finish_at >= MONDAY + timedelta(hours=3) and rest.limited_by == "canary"
    Message.objects.filter(campaign=campaign, status="queued").update(status="sent")
    Message.objects.filter(campaign=campaign, variant__label="B").update(status="sent")
    cache.clear()
    later = finish.estimate_rest(campaign, now=MONDAY)
    assert later is not None and later.finish_at - MONDAY - timedelta(hours=1) < timedelta(seconds=65)
    Message.objects.filter(campaign=campaign, variant__isnull=False).update(status="sent")
    cache.clear()
    assert finish.waits_for_test(campaign)
    nothing_to_say = finish.estimate_rest(campaign, now=MONDAY)
    assert nothing_to_say is None


def test_a_warm_up_comes_true_over_days_and_a_window() -> None:
    workspace = make_workspace(time_zone="America/New_York")
    ProviderSettings.objects.create(
        workspace=workspace, provider="capture", is_active=True,
        warm_up_start_date=date(2026, 11, 30), warm_up_plan=[20, 40, 80],
    )  # fmt: skip
    campaign = make_ready(100, workspace=workspace, send_window={"from": "09:00", "to": "12:00"})
    forecast = finish.estimate_launch(campaign, included=100, now=MONDAY)
    assert forecast is not None
    assert forecast.limited_by == "warm_up"
    real = run_for_real(campaign, MONDAY)
    assert abs(forecast.finish_at - real) <= timedelta(minutes=2)
    assert real.date() == date(2026, 12, 2)


def test_half_way_the_forecast_of_the_rest_is_still_true() -> None:
    campaign = make_ready(300, throttle_per_hour=600)
    planner.launch(campaign, now=MONDAY)
    ids = list(Message.objects.filter(campaign=campaign).values_list("pk", flat=True)[:150])
    Message.objects.filter(pk__in=ids).update(status="sent")
    campaign.refresh_from_db()
    rest = finish.estimate_rest(campaign, now=MONDAY)
    assert rest is not None
    assert rest.finish_at == MONDAY + timedelta(minutes=15)


def test_speed_is_measured_in_full_minutes_of_this_workspace() -> None:
    campaign = make_ready(1)
    Campaign.objects.filter(pk=campaign.pk).update(status="sent", provider="capture", launched_at=MONDAY)
    variant = campaign.variants.get()
    for minute, sent in enumerate([900, 6000, 7200, 6600, 30]):
        at = MONDAY + timedelta(minutes=minute)
        DeliveryMinute.objects.create(campaign=campaign, variant=variant, minute=at, sent=sent)
    now = MONDAY + timedelta(hours=1)
    assert speed.measure_speed(campaign.workspace_id, "capture", now=now) == 110
    assert speed.measure_speed(make_workspace().pk, "capture", now=now) == SPEED
    assert speed.measure_speed(campaign.workspace_id, "smtp", now=now) == speed.UNMEASURED["smtp"]


def test_small_campaigns_are_measured_from_launch_to_end() -> None:
    campaign = make_ready(1)
    Campaign.objects.filter(pk=campaign.pk).update(
        status="sent", provider="capture", recipients=500, launched_at=MONDAY, finished_at=MONDAY + timedelta(seconds=5)
    )
    DeliveryMinute.objects.create(campaign=campaign, variant=campaign.variants.get(), minute=MONDAY, sent=500)
    assert speed.measure_speed(campaign.workspace_id, "capture", now=MONDAY) == 100


def test_a_campaign_that_held_people_back_says_nothing_about_speed_from_launch_to_end() -> None:
    campaign = make_ready(1)
    Campaign.objects.filter(pk=campaign.pk).update(
        status="sent", provider="capture", recipients=500, launched_at=MONDAY, finished_at=MONDAY + timedelta(hours=5)
    )
    DeliveryMinute.objects.create(campaign=campaign, variant=campaign.variants.get(), minute=MONDAY, sent=500)
    assert speed.measure_speed(campaign.workspace_id, "capture", now=MONDAY) < 1
    Experiment.objects.create(workspace=campaign.workspace, campaign=campaign, mode="winner")
    assert speed.measure_speed(campaign.workspace_id, "capture", now=MONDAY) == SPEED


def test_a_slowed_campaign_says_nothing_about_speed() -> None:
    campaign = make_ready(1, throttle_per_hour=60)
    Campaign.objects.filter(pk=campaign.pk).update(status="sent", provider="capture", launched_at=MONDAY)
    for minute in range(5):
        DeliveryMinute.objects.create(
            campaign=campaign, variant=campaign.variants.get(), minute=MONDAY + timedelta(minutes=minute), sent=1
        )
    assert speed.measure_speed(campaign.workspace_id, "capture", now=MONDAY) == SPEED


def test_nobody_or_never_is_no_time() -> None:
    campaign = make_ready(1, send_window={"weekdays": []})
    assert finish.estimate_launch(campaign, included=1, now=MONDAY) is None
    campaign.send_window = {}
    assert finish.estimate_launch(campaign, included=0, now=MONDAY) is None
    assert finish.estimate_rest(campaign, now=MONDAY) is None


def test_whoever_gets_it_a_day_later_is_counted() -> None:
    campaign = make_ready(40, zones=ZONES, send_at=MONDAY + timedelta(hours=2), timezone_mode="contact")
    forecast = finish.estimate_launch(campaign, included=40, now=MONDAY)
    assert forecast is not None
    assert (forecast.a_day_later, forecast.zones) == (10, 4)  # eleven in the morning has passed in Tokyo
    assert forecast.finish_at >= datetime(2026, 12, 1, 2, tzinfo=UTC)

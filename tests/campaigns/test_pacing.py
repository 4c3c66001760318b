"""No limit is passed, however many workers ask; and whoever waits says until when and is not woken before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import Contact
from campaigns.delivery import ledger, local_time, pacing, pipeline, reaper, scheduling
from campaigns.models import Campaign, DeliveryMinute, Message, ProviderSettings
from campaigns.selectors.limits import Limits, get_limits
from campaigns.services import sending
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace
from tests.campaigns.sending import make_launched

pytestmark = pytest.mark.django_db

OFFICE = {"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)


def own_account(workspace: Workspace, **limits: Any) -> ProviderSettings:
    return ProviderSettings.objects.create(workspace=workspace, provider="capture", is_active=True, **limits)


def mark_sent(campaign: Campaign, number: int, at: datetime) -> None:
    """What `ledger.record` leaves behind, without mail."""
    ids = list(
        Message.objects.filter(campaign=campaign, status__in=["queued", "retrying"])
        .order_by("id")
        .values_list("pk", flat=True)[:number]
    )
    rows = Message.objects.filter(pk__in=ids)
    variant = campaign.variants.get()
    minute, _ = DeliveryMinute.objects.get_or_create(
        campaign=campaign, variant=variant, minute=at.replace(second=0, microsecond=0)
    )
    minute.sent += rows.update(status="sent", sent_at=at)
    minute.save()


# an account's messages a second


def test_an_account_gives_out_turns_of_a_fifth_of_a_second() -> None:
    campaign, _ = make_launched(1)
    own_account(campaign.workspace, rate_per_second=1000)
    now = timezone.now()
    granted = [pacing.allowance(campaign, now=now + timedelta(seconds=turn / 5)) for turn in range(5)]
    assert granted == [200] * 5


def test_two_campaigns_of_an_account_share_its_rate_and_wait_for_each_other() -> None:
    first, _ = make_launched(1)
    second, _ = make_launched(1, workspace=first.workspace)
    own_account(first.workspace, rate_per_second=10)
    now = timezone.now()
    granted = [pacing.allowance(campaign, now=now) for campaign in (first, second) * 8]
    # turns of two messages: one at once, then one each fifth of a second for two seconds; later ones are told no
    assert granted == [2] * 11 + [0] * 5
    assert pacing.allowance(first, now=now + timedelta(seconds=1)) == 2


def test_the_installations_limit_is_shared_by_workspaces_without_an_account_of_their_own(settings: Any) -> None:
    settings.SEND_RATE_LIMIT = 50
    one, another = make_workspace(), make_workspace()
    assert get_limits(one.pk, "capture") == get_limits(another.pk, "capture") == Limits("installation:capture", 50)
    own_account(one)
    assert get_limits(one.pk, "capture").rate_per_second is None


def test_a_clock_that_was_set_back_does_not_stop_the_account() -> None:
    campaign, _ = make_launched(1)
    own_account(campaign.workspace, rate_per_second=5)
    later = timezone.now()
    assert pacing.allowance(campaign, now=later) == 1
    assert pacing.allowance(campaign, now=later - timedelta(hours=1)) == 1


# a warm-up


def test_a_warm_up_counts_days_by_the_workspaces_clock() -> None:
    workspace = make_workspace(time_zone="America/New_York")
    campaign, _ = make_launched(30, workspace=workspace)
    own_account(workspace, warm_up_start_date=date(2026, 12, 1), warm_up_plan=[10, 20])
    evening = datetime(2026, 12, 2, 4, 30, tzinfo=UTC)  # still the first of December in New York

    assert pacing.allowance(campaign, now=evening) == 10
    mark_sent(campaign, 10, evening)
    assert pacing.allowance(campaign, now=evening + timedelta(minutes=10)) == 0
    campaign.refresh_from_db()
    assert campaign.status_reason == "The warm-up's 10 messages for today have left: goes on tomorrow 00:00"

    assert pacing.allowance(campaign, now=evening + timedelta(minutes=30)) == 20
    assert pacing.allowance(campaign, now=evening + timedelta(days=2)) is None


def test_days_before_a_warm_up_are_like_its_first_and_after_it_nothing_limits() -> None:
    limits = Limits("account", None, date(2026, 12, 1), (10, 20))
    days = [limits.of_day(date(2026, 11, 30) + timedelta(days=number)) for number in range(4)]
    assert days == [10, 10, 20, None]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["warm_up", "throttle"])
def test_eight_workers_together_claim_no_more_than_a_counted_limit(limit: str) -> None:
    campaign, _ = make_launched(120, throttle_per_hour=50 * 60 if limit == "throttle" else None)
    if limit == "warm_up":
        today = timezone.now().date()
        own_account(campaign.workspace, warm_up_start_date=today, warm_up_plan=[50, 50])
    barrier = Barrier(8)
    now = timezone.now()

    def work(number: int) -> int:
        try:
            barrier.wait()
            room = pacing.allowance(campaign, now=now)
            if not room:
                return 0
            return len(
                ledger.claim(campaign=campaign, list_ids=[], limit=min(30, room), worker=f"w{number}", now=now).rows
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as workers:
        claimed = sum(workers.map(work, range(8)))
    assert claimed == 50


# the campaign's window


def test_outside_its_window_a_campaign_waits_says_until_when_and_is_not_woken() -> None:
    campaign, _ = make_launched(1, workspace=make_workspace(time_zone="Europe/London"))
    campaign.send_window = OFFICE
    campaign.save()
    friday = MONDAY - timedelta(days=3) + timedelta(hours=8)

    assert pacing.allowance(campaign, now=friday) == 0
    campaign.refresh_from_db()
    assert campaign.status_reason == "Outside the sending window: goes on Monday 09:00"
    assert reaper.due_campaigns(now=friday + timedelta(minutes=14)) == []
    # it looks again now and then, because somebody may change the limits, and stays quiet
    assert reaper.due_campaigns(now=friday + timedelta(minutes=15)) == [campaign.pk]

    last_look = MONDAY - timedelta(minutes=4)
    assert pacing.allowance(campaign, now=last_look) == 0
    assert reaper.due_campaigns(now=MONDAY - timedelta(seconds=1)) == []
    assert reaper.due_campaigns(now=MONDAY) == [campaign.pk]
    assert pacing.allowance(campaign, now=MONDAY) is None


def test_a_window_is_the_workspaces_when_clocks_change() -> None:
    campaign, _ = make_launched(1, workspace=make_workspace(time_zone="Europe/Berlin"))
    campaign.send_window = OFFICE
    summer, winter = datetime(2026, 10, 23, 7, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert pacing.allowance(campaign, now=summer) is None
    assert pacing.allowance(campaign, now=winter - timedelta(minutes=1)) == 0
    assert pacing.allowance(campaign, now=winter) is None


def test_a_warm_up_that_ends_its_day_goes_on_when_the_window_opens() -> None:
    campaign, _ = make_launched(10)
    own_account(campaign.workspace, warm_up_start_date=MONDAY.date(), warm_up_plan=[5, 5])
    campaign.send_window = OFFICE
    mark_sent(campaign, 5, MONDAY)
    pacing.allowance(campaign, now=MONDAY + timedelta(hours=1))
    campaign.refresh_from_db()
    assert campaign.status_reason.endswith("goes on tomorrow 09:00")


def test_a_batch_that_ends_while_the_campaign_waits_does_not_take_the_reason_away() -> None:
    campaign, _ = make_launched(8)
    own_account(campaign.workspace, warm_up_start_date=timezone.now().date(), warm_up_plan=[5, 5])
    # a slice that was woken from an earlier wait: its first batch goes, the next one has to wait
    Campaign.objects.filter(pk=campaign.pk).update(
        status_reason="Outside the sending window", continues_at=timezone.now()
    )
    pipeline.deliver(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    assert campaign.messages.filter(status="sent").count() == 5
    assert campaign.status_reason.startswith("The warm-up's 5 messages for today have left")


def test_a_window_that_cannot_be_read_lets_nothing_out() -> None:
    campaign, _ = make_launched(1)
    campaign.send_window = {"weekdays": "never"}
    assert pacing.allowance(campaign, now=MONDAY) == 0


def test_resuming_looks_at_once() -> None:
    campaign, _ = make_launched(1)
    Campaign.objects.filter(pk=campaign.pk).update(continues_at=timezone.now() + timedelta(hours=1))
    campaign.refresh_from_db()
    sending.pause_campaign(campaign=campaign, actor=None)
    sending.resume_campaign(campaign=campaign, actor=None)
    assert reaper.due_campaigns(now=timezone.now()) == [campaign.pk]


# everybody's own clock


def make_travelling(zones: list[str], **changes: Any) -> Campaign:
    workspace = make_workspace(time_zone="Europe/London")
    readers = [make_contact(workspace, time_zone=zone) for zone in zones]
    campaign = make_campaign(workspace, lists=[make_list(workspace, *readers)], send_at=MONDAY + timedelta(hours=1))
    for name, value in {"timezone_mode": "contact", "status": "scheduled", **changes}.items():
        setattr(campaign, name, value)
    campaign.save()
    return campaign


def zones_of_due(campaign: Campaign, now: datetime) -> set[str]:
    rows = ledger.claim(campaign=campaign, list_ids=[], limit=100, worker="w", now=now).rows
    contacts = Contact.objects.filter(pk__in=[row.contact_id for row in rows])
    return set(contacts.values_list("time_zone", flat=True))


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch, time_machine: Any) -> Callable[[datetime], None]:
    return lambda moment: time_machine.move_to(moment, tick=False)


def test_it_leaves_zone_by_zone_from_the_east_on(clocked: Callable[[datetime], None]) -> None:
    clocked(MONDAY - timedelta(days=1))
    campaign = make_travelling(["Pacific/Auckland", "Asia/Tokyo", "", "America/New_York"])
    auckland = datetime(2026, 11, 29, 21, tzinfo=UTC)
    assert scheduling.launch_due(now=auckland - timedelta(seconds=1)) == []
    clocked(auckland)
    assert scheduling.launch_due(now=auckland) == [campaign.pk]
    campaign.refresh_from_db()
    assert zones_of_due(campaign, auckland) == {"Pacific/Auckland"}
    assert zones_of_due(campaign, datetime(2026, 11, 30, 1, tzinfo=UTC)) == {"Asia/Tokyo"}
    assert zones_of_due(campaign, datetime(2026, 11, 30, 9, 59, tzinfo=UTC)) == set()
    assert zones_of_due(campaign, datetime(2026, 11, 30, 10, tzinfo=UTC)) == {""}
    assert reaper.due_campaigns(now=datetime(2026, 11, 30, 14, 59, tzinfo=UTC)) == []
    assert zones_of_due(campaign, datetime(2026, 11, 30, 15, tzinfo=UTC)) == {"America/New_York"}


def test_scheduling_after_the_first_zones_time_is_no_miss(clocked: Callable[[datetime], None]) -> None:
    clocked(MONDAY)
    campaign = make_travelling(["Pacific/Auckland", ""])
    assert scheduling.launch_due(now=MONDAY) == [campaign.pk]
    campaign.refresh_from_db()
    assert zones_of_due(campaign, MONDAY + timedelta(hours=1)) == {""}
    assert zones_of_due(campaign, datetime(2026, 11, 30, 21, tzinfo=UTC)) == {"Pacific/Auckland"}


def test_a_schedule_by_contacts_clocks_can_be_missed_too(clocked: Callable[[datetime], None]) -> None:
    clocked(MONDAY - timedelta(days=1))
    campaign = make_travelling(["Asia/Tokyo"])
    clocked(datetime(2026, 11, 30, 3, tzinfo=UTC))
    assert scheduling.launch_due(now=datetime(2026, 11, 30, 3, tzinfo=UTC)) == []
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    assert campaign.status_reason.startswith("Missed its time")


def test_rows_that_a_throttle_carried_past_the_contacts_window_wait_for_its_next_opening() -> None:
    campaign = make_travelling(["Asia/Tokyo", ""], send_window=OFFICE, status="sending")
    for contact in Contact.objects.filter(workspace=campaign.workspace):
        Message.objects.create(
            workspace=campaign.workspace, campaign=campaign, contact=contact, variant=campaign.variants.get(),
            email=contact.email, email_normalized=contact.email_normalized, due_at=MONDAY - timedelta(hours=9),
        )  # fmt: skip
    assert pacing.allowance(campaign, now=MONDAY) is None  # 18:00 in Tokyo
    assert zones_of_due(campaign, MONDAY) == {""}
    assert zones_of_due(campaign, datetime(2026, 12, 1, 0, tzinfo=UTC)) == {"Asia/Tokyo"}
    assert local_time.postpone_shut(campaign, now=MONDAY) == 0  # once a minute


def test_the_due_times_of_a_large_audience_are_one_statement(django_assert_num_queries: Any) -> None:
    campaign = make_travelling([], send_window=OFFICE)
    with django_assert_num_queries(0):
        expression, params = pacing.due_at_sql(campaign)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN SELECT {expression} FROM (SELECT id AS contact_id FROM audiences_contact) a", params)
        assert "SubPlan" in str(cursor.fetchall())

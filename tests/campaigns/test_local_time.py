"""The same time on everybody's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from accounts.models import Workspace
from campaigns.delivery import local_time, pacing
from campaigns.models import Campaign
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db

#: Ten in the morning in London, where the workspace is.
TEN = datetime(2026, 12, 1, 10, tzinfo=UTC)
ZONES = ("Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin", "", "America/New_York", "Pacific/Pago_Pago")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(time_zone="Europe/London")


def make_travelling(workspace: Workspace, **changes: Any) -> Campaign:
    """A campaign to a reader in each zone that follows their clocks."""
    readers = [make_contact(workspace, f"{number}@example.org", time_zone=name) for number, name in enumerate(ZONES)]
    campaign = make_campaign(workspace, lists=[make_list(workspace, *readers)], send_at=TEN)
    for name, value in {"timezone_mode": "contact", "launched_at": TEN - timedelta(days=2), **changes}.items():
        setattr(campaign, name, value)
    campaign.save()
    return campaign


def due(campaign: Campaign) -> dict[str, datetime | None]:
    """What the planner would write for each reader, by their zone."""
    expression, params = pacing.due_at_sql(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT time_zone, {expression} FROM (SELECT id AS contact_id, time_zone FROM audiences_contact"
            " WHERE workspace_id = %s) a",
            [*params, campaign.workspace_id],
        )
        return dict(cursor.fetchall())


def test_everybody_gets_it_at_ten_where_they_are(workspace: Workspace) -> None:
    assert due(make_travelling(workspace)) == {
        "Pacific/Kiritimati": datetime(2026, 11, 30, 20, tzinfo=UTC),
        "Asia/Kolkata": datetime(2026, 12, 1, 4, 30, tzinfo=UTC),
        "Europe/Berlin": datetime(2026, 12, 1, 9, tzinfo=UTC),
        "": TEN,
        "America/New_York": datetime(2026, 12, 1, 15, tzinfo=UTC),
        "Pacific/Pago_Pago": datetime(2026, 12, 1, 21, tzinfo=UTC),
    }


def test_whose_ten_has_long_passed_gets_it_at_ten_tomorrow_and_who_just_missed_it_at_once(workspace: Workspace) -> None:
    launch = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    found = due(make_travelling(workspace, launched_at=launch))
    assert found["Asia/Kolkata"] == datetime(2026, 12, 2, 4, 30, tzinfo=UTC)
    assert found["Europe/Berlin"] == launch
    assert found["America/New_York"] == datetime(2026, 12, 1, 15, tzinfo=UTC)


def test_tomorrow_at_ten_is_ten_by_the_clock_when_clocks_change_in_the_night(workspace: Workspace) -> None:
    # Berlin's summer time ends in the night to 25 October 2026
    saturday = datetime(2026, 10, 24, 9, tzinfo=UTC)
    campaign = make_travelling(workspace, send_at=saturday, launched_at=datetime(2026, 10, 24, 20, tzinfo=UTC))
    assert due(campaign)["Europe/Berlin"] == datetime(2026, 10, 25, 9, tzinfo=UTC)


def test_a_window_is_one_of_the_contacts_week(workspace: Workspace) -> None:
    window = {"weekdays": [2], "from": "12:00", "to": "14:00"}
    found = due(make_travelling(workspace, send_window=window))
    assert found["Europe/Berlin"] == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert found["Asia/Kolkata"] == datetime(2026, 12, 1, 6, 30, tzinfo=UTC)


def test_now_means_now_everywhere_unless_a_window_is_shut(workspace: Workspace) -> None:
    now = datetime(2026, 12, 1, 3, tzinfo=UTC)
    campaign = make_travelling(workspace, send_at=None, launched_at=now)
    assert set(due(campaign).values()) == {None}
    campaign.send_window = {"from": "09:00", "to": "18:00"}
    found = due(campaign)
    assert found["Europe/Berlin"] == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert found["Pacific/Kiritimati"] == now  # five in the afternoon there


def test_a_campaign_by_the_workspaces_clock_has_no_due_times(workspace: Workspace) -> None:
    assert set(due(make_travelling(workspace, timezone_mode="workspace")).values()) == {None}


def test_it_starts_when_the_easternmost_contacts_time_comes(workspace: Workspace) -> None:
    campaign = make_travelling(workspace)
    assert local_time.starts_at(campaign) == datetime(2026, 11, 30, 20, tzinfo=UTC)
    campaign.timezone_mode = "workspace"
    assert local_time.starts_at(campaign) == TEN


def test_only_zones_of_this_workspaces_contacts_count(workspace: Workspace) -> None:
    make_contact(make_workspace(), time_zone="Pacific/Kiritimati")
    campaign = make_campaign(workspace, send_at=TEN)
    campaign.timezone_mode = "contact"
    assert local_time.starts_at(campaign) == TEN
    cache.clear()
    make_contact(workspace, time_zone="Asia/Tokyo")
    assert local_time.starts_at(campaign) == datetime(2026, 12, 1, 1, tzinfo=UTC)

"""To a few first, and what stops it by itself: set on the review page and over `/v1`."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from campaigns.braking import DEFAULTS
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_campaign, make_contact, make_list, make_member, make_workspace
from tests.campaigns.test_v1_campaigns import Caller, call

__all__ = ["call"]

pytestmark = pytest.mark.django_db
USUAL = {"bounce_rate": "5", "complaint_rate": "0.3", "unsubscribe_rate": "2", "dead_links": "on"}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def page(client: Client, workspace: Workspace) -> Client:
    client.force_login(make_member(workspace))
    return client


def ready(workspace: Workspace, readers: int = 1) -> Campaign:
    return make_campaign(workspace, lists=[make_list(workspace, *(make_contact(workspace) for _ in range(readers)))])


def send(page: Client, campaign: Campaign, **fields: str) -> Any:
    return page.post(reverse("campaigns:review_send", args=[campaign.pk]), {"when": "now", "brake": "1", **fields})


def test_the_review_page_shows_the_limits_as_people_write_them(page: Client, workspace: Workspace) -> None:
    campaign = ready(workspace)
    text = page.get(reverse("campaigns:review", args=[campaign.pk])).content.decode()
    for part in ("To a few first", "What stops it by itself", 'value="0.3"', 'name="dead_links" checked'):
        assert part in text


def test_what_is_chosen_there_holds_for_the_launch(page: Client, workspace: Workspace) -> None:
    campaign = ready(workspace, readers=40)
    chosen = {"has_canary": "on", "canary_share": "20", "canary_minutes": "15", "complaint_rate": "0.1"}
    answer = send(page, campaign, **{**USUAL, **chosen, "unsubscribe_rate": ""})
    assert answer.status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.SENDING
    assert (campaign.canary_share, campaign.canary_minutes) == (20, 15)
    assert campaign.brake == {"complaint_rate": 0.001, "unsubscribe_rate": None}
    assert Message.objects.filter(campaign=campaign, status=Message.Status.HELD).count() > 15


def test_without_the_switch_everybody_gets_it_at_once(page: Client, workspace: Workspace) -> None:
    campaign = ready(workspace)
    send(page, campaign, **USUAL, canary_share="5", canary_minutes="30")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.canary_share, campaign.brake) == (Campaign.Status.SENDING, 0, {})


@pytest.mark.parametrize(
    "wrong",
    [{"canary_share": "21"}, {"canary_share": ""}, {"canary_minutes": "4"}, {"bounce_rate": "101"},
     {"complaint_rate": "x"}, {"bounce_rate": "0"}, {"bounce_rate": "nan"}],
)  # fmt: skip
def test_figures_that_make_no_sense_are_shown_again_and_nothing_is_sent(
    page: Client, workspace: Workspace, wrong: dict[str, str]
) -> None:
    campaign = ready(workspace)
    fields = {**USUAL, "has_canary": "on", "canary_share": "5", "canary_minutes": "30", **wrong}
    answer = send(page, campaign, **fields)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.DRAFT


def test_programs_set_and_read_the_limits(call: Caller) -> None:
    path = f"campaigns/{make_campaign(call.workspace).pk}"
    assert call("GET", path).json()["brake"] == DEFAULTS
    change = {"canary_share": 5, "canary_minutes": 15, "brake": {"bounce_rate": 0.02, "dead_links": False}}
    body = call("PATCH", path, change).json()
    assert (body["canary_share"], body["canary_minutes"]) == (5, 15)
    assert body["brake"] == {**DEFAULTS, "bounce_rate": 0.02, "dead_links": False}
    assert call("PATCH", path, {"brake": body["brake"]}).json()["brake"] == body["brake"]
    copy = call("POST", f"{path}/duplicate", {}).json()
    assert copy["brake"] == body["brake"]
    assert call("PATCH", path, {"brake": {}}).json()["brake"] == DEFAULTS


@pytest.mark.parametrize(
    ("brake", "field"),
    [({"bounces": 1}, "brake.bounces"), ({"bounce_rate": 5}, "brake.bounce_rate"), ("fast", "brake"),
     ({"dead_links": "yes"}, "brake.dead_links")],
)  # fmt: skip
def test_a_wrong_limit_is_refused_by_the_name_of_its_field(call: Caller, brake: Any, field: str) -> None:
    answer = call("PATCH", f"campaigns/{make_campaign(call.workspace).pk}", {"brake": brake})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]

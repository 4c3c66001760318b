"""Home, live page and comparison: what they show, and what that costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, Workspace
from accounts.models.membership import Role
from analytics.ingest.store import store
from campaigns.models import Campaign, Message
from pulsequill.core.event_log import encode
from tests.analytics.making import make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def member(workspace: Workspace) -> User:
    return make_member(workspace)


@pytest.fixture
def browser(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def open_message(message: Message, agent: str = BROWSER, kind: str = "opened", link_id: int | None = None) -> bytes:
    return encode(
        kind=kind,
        message_id=message.pk,
        source="tracking",
        user_agent=agent,
        link_id=link_id,
        occurred_at=timezone.now(),
    )


def test_a_new_workspace_is_told_what_to_do_first(browser: Client) -> None:
    page = browser.get("/").content.decode()
    assert "Nothing has been sent yet" in page
    assert "Get set up" in page
    assert "0 of 5" in page


def test_home_shows_running_scheduled_and_drafts(browser: Client, workspace: Workspace) -> None:
    make_mailing(workspace, sent_at=timezone.now())
    Campaign.objects.create(workspace=workspace, name="Black Friday", status="scheduled", send_at=timezone.now())
    Campaign.objects.create(workspace=workspace, name="Gift boxes")
    page = browser.get("/").content.decode()
    for text in ("Now sending", "Harvest roast launch", "Black Friday", "Gift boxes", "List growth"):
        assert text in page


def test_home_of_another_period_counts_other_campaigns(browser: Client, workspace: Workspace) -> None:
    make_mailing(workspace, size=7, sent_at=timezone.now() - timedelta(days=20), campaign_status="sent")
    assert '<span class="num">0</span>' in browser.get("/?days=7").content.decode()
    assert '<span class="num">7</span>' in browser.get("/?days=30").content.decode()


def test_home_costs_the_same_for_two_campaigns_and_for_twenty(
    browser: Client, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_mailing(workspace, name=f"Sent {number}", campaign_status="sent", sent_at=timezone.now(), size=2)
    browser.get("/")
    with django_assert_max_num_queries(32):
        browser.get("/")


def test_the_live_page_is_complete_without_scripts(browser: Client, workspace: Workspace) -> None:
    mailing = make_mailing(workspace, size=4, sent_at=timezone.now())
    first, second = mailing.messages[:2]
    store(
        [
            open_message(first),
            open_message(second, agent="Mozilla/5.0"),
            open_message(first, kind="clicked", link_id=mailing.links[0].pk),
        ]
    )
    response = browser.get(f"/campaigns/{mailing.campaign.pk}/live")
    page = response.content.decode()
    assert response.status_code == 200
    assert "Opens, human" in page
    assert 'data-bind="view.opens" data-as="number">1<' in page
    assert "/harvest-roast" in page
    assert "Apple privacy relay" in page
    assert "Pause" in page
    machine = browser.get(f"/campaigns/{mailing.campaign.pk}/live?show=machine&range=total").content.decode()
    assert "Opens, machine" in machine


def test_the_live_page_shows_no_whole_address(browser: Client, workspace: Workspace) -> None:
    mailing = make_mailing(workspace, sent_at=timezone.now())
    store([open_message(mailing.messages[0])])
    page = browser.get(f"/campaigns/{mailing.campaign.pk}/live").content.decode()
    assert mailing.messages[0].email not in page
    assert "r•••" in page


def test_an_analyst_sees_the_live_page_but_no_buttons(client: Client, workspace: Workspace) -> None:
    mailing = make_mailing(workspace, sent_at=timezone.now())
    client.force_login(make_member(workspace, "ana@northwind.example", Role.ANALYST))
    page = client.get(f"/campaigns/{mailing.campaign.pk}/live").content.decode()
    assert "live/pause" not in page
    assert client.post(f"/campaigns/{mailing.campaign.pk}/live/pause").status_code == 403


def test_another_workspaces_campaign_is_not_there(browser: Client) -> None:
    foreign = make_mailing(make_workspace("Other")).campaign
    for path in ("live", "live/providers"):
        assert browser.get(f"/campaigns/{foreign.pk}/{path}").status_code == 404
    assert browser.post(f"/campaigns/{foreign.pk}/live/pause").status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == "sending"


def test_pause_resume_and_stop_change_the_campaign(browser: Client, workspace: Workspace) -> None:
    campaign = make_mailing(workspace, sent_at=timezone.now()).campaign
    for action, status in (("pause", "paused"), ("resume", "sending"), ("stop", "cancelled")):
        answer = browser.post(f"/campaigns/{campaign.pk}/live/{action}", HTTP_ACCEPT="application/json")
        assert answer.json() == {"status": status}


def test_providers_are_grouped_and_the_rest_is_named(browser: Client, workspace: Workspace) -> None:
    mailing = make_mailing(
        workspace, size=6, provider="capture", domains=("gmail.com", "googlemail.com", "cafe.example")
    )
    page = browser.get(f"/campaigns/{mailing.campaign.pk}/live/providers").content.decode()
    assert '<b>Gmail</b></td><td class="r">4<' in page
    assert "cafe.example" in page


def test_reports_cost_the_same_for_one_campaign_and_for_many(browser: Client, workspace: Workspace) -> None:
    make_mailing(workspace, campaign_status="sent", size=1)
    browser.get("/reports?range=12m")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            browser.get("/reports?range=12m")
        counts.append(len(queries))
        for number in range(5):
            make_mailing(workspace, name=f"Sent {number}", campaign_status="sent", size=1)
    assert counts[0] == counts[1]


def test_visitors_are_sent_to_sign_in(client: Client) -> None:
    assert client.get("/").status_code == 302

"""The review page in a real browser: choosing when, seeing at once what that means, and every look of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from audiences.models import Suppression
from campaigns.models import Campaign
from tests.campaigns.making import make_campaign, make_contact, make_list, make_member, make_workspace
from tests.pages import PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign() -> Campaign:
    workspace = make_workspace("Northwind Coffee", time_zone="Europe/London")
    zones = ("", "Asia/Tokyo", "America/New_York")
    people = [
        make_contact(workspace, first_name="" if number == 3 else "Maya", time_zone=zones[number % 3])
        for number in range(12)
    ]
    for contact, reason in zip(people[:2], ("hard_bounce", "unsubscribe"), strict=True):
        Suppression.objects.create(workspace=workspace, email_normalized=contact.email_normalized, reason=reason)
    return make_campaign(workspace, lists=[make_list(workspace, *people, name="Newsletter")])


@pytest.fixture
def review(live_server: LiveServer, page_for: PageFor, campaign: Campaign) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(campaign.workspace))

    def open_review(**options: Any) -> Page:
        page = page_for(**options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([{**cookie, "url": live_server.url}])  # type: ignore[typeddict-item]
        page.goto(live_server.url + reverse("campaigns:review", args=[campaign.pk]))
        return page

    return open_review


def test_a_choice_of_time_says_at_once_when_it_would_be_done(review: Callable[..., Page], campaign: Campaign) -> None:
    page = review()
    bar = page.locator("#send-bar")
    expect(bar).to_contain_text("10 contacts, starting now, done within a minute")

    page.get_by_role("switch", name="At most").check()
    page.get_by_label("Mails an hour").fill("2")
    expect(bar).to_contain_text("Your limit an hour decides")

    page.get_by_role("switch", name="Only at these hours").check()
    page.get_by_label("Monday").uncheck()
    expect(page.get_by_label("Monday")).not_to_be_checked()
    page.get_by_role("radio", name="Each reader").check()
    page.get_by_label("Date and time").fill("2999-03-01T10:00")
    expect(page.locator("#finish")).to_contain_text("3 time zones")
    expect(page.get_by_text("Whose time has passed by more than an hour")).to_be_visible()
    assert_accessible(page)
    save_picture(page, "review-chosen")

    bar.get_by_role("button", name="Schedule to 10").click()
    expect(page.locator("#when")).to_contain_text("each reader’s time")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.timezone_mode, campaign.throttle_per_hour) == ("scheduled", "contact", 2)
    assert campaign.send_window == {"weekdays": [2, 3, 4, 5], "from": "09:00", "to": "17:00"}
    save_picture(page, "review-scheduled")


def test_sending_asks_once_more_and_says_to_how_many(review: Callable[..., Page], campaign: Campaign) -> None:
    page = review()
    page.expected_errors = ["WebSocket", "ws/campaigns", "ws/workspace"]  # type: ignore[attr-defined]
    page.locator("#send-bar").get_by_role("button", name="Send to 10").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("It starts at once.")
    asked.get_by_role("button", name="Send now").click()
    page.wait_for_url("**/live**")
    campaign.refresh_from_db()
    assert campaign.status in ("sending", "sent")


def test_why_a_person_does_not_get_it_is_answered(review: Callable[..., Page], campaign: Campaign) -> None:
    page = review()
    stopped = Suppression.objects.filter(reason="hard_bounce").get().email_normalized
    page.get_by_label("Why not this person?").fill(stopped)
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#why-answer")).to_contain_text("Address bounced before")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("review-1280-light", {}),
        ("review-1280-dark", {"theme": "dark"}),
        ("review-360-light", {"width": 360}),
    ],
)
def test_the_page_fits_and_can_be_used_by_everybody(
    review: Callable[..., Page], name: str, options: dict[str, Any]
) -> None:
    page = review(**options)
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, name)

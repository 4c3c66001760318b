"""The ledger and the desk for what is in doubt, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.delivery import pipeline
from campaigns.delivery.providers import Outcome
from campaigns.models import Campaign
from tests.campaigns.making import make_contact, make_list, make_member, make_workspace
from tests.campaigns.sending import make_launched, statuses_of, told
from tests.pages import PageFor, assert_accessible, assert_fits, save_picture

__all__ = ["told"]

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ("accepted", "accepted", "timeout", "smtp_rcpt_5xx", "dropped_after_data", "smtp_rcpt_4xx")
DOMAINS = ("gmail.com", "outlook.com", "a-rather-long-company-name.example.org")


@pytest.fixture
def campaign(told) -> Campaign:
    """Twenty-four messages of every fate."""
    told(lambda message: Outcome(CODES[int(re.findall(r"\d+", message.to)[0]) % len(CODES)]), batch=3)
    workspace = make_workspace()
    people = [make_contact(workspace, f"reader{n}@{DOMAINS[n % 3]}") for n in range(24)]
    campaign, _ = make_launched(0, workspace=workspace, lists=[make_list(workspace, *people)])
    pipeline.deliver(campaign_id=campaign.pk)
    return campaign


@pytest.fixture
def open_page(live_server: LiveServer, page_for: PageFor, campaign: Campaign) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(campaign.workspace))
    name = settings.SESSION_COOKIE_NAME

    def open_at(path: str, **options: object) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_at


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_ledger_and_desk_are_accessible_and_fit(
    open_page: Callable[..., Page], campaign: Campaign, theme: str, width: int
) -> None:
    page = open_page(f"/campaigns/{campaign.pk}/messages?status=in_doubt", theme=theme, width=width)
    page.get_by_role("link", name=re.compile("reader2@")).click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"ledger-{width}-{theme}")
    page.get_by_role("link", name="Decide what to do").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("In doubt")
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"doubts-{width}-{theme}")


def test_ticked_doubts_are_marked_and_the_marking_is_undone(open_page: Callable[..., Page], campaign: Campaign) -> None:
    page = open_page("/messages/in-doubt")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("toolbar").get_by_role("button", name="Mark sent").click()
    expect(page.get_by_text("Nothing is in doubt")).to_be_visible()
    assert statuses_of(campaign)["in_doubt"] == 0
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("8 messages are in doubt again.")).to_be_visible()
    assert statuses_of(campaign)["in_doubt"] == 8


def test_sending_all_again_asks_to_type_what_it_means(open_page: Callable[..., Page], campaign: Campaign) -> None:
    page = open_page("/messages/in-doubt")
    page.get_by_role("button", name="Resend all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("gets it a second time")
    go = dialog.get_by_role("button", name="Send all again")
    expect(go).to_be_disabled()
    dialog.get_by_role("textbox").fill("SEND AGAIN")
    go.click()
    expect(page.get_by_text("8 messages are on the way again.")).to_be_visible()
    assert statuses_of(campaign)["in_doubt"] == 0

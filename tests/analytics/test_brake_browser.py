"""The brake, the first readers and the mending of a link in a real browser: found, understood, usable at 360 px."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analytics.brake import watch
from campaigns.models import Campaign, Link, Message
from campaigns.preflight import link_answers
from pulsequill.core.outbound_http import Answer
from tests.analytics.making import Mailing, make_mailing, make_member
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC)


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=520, provider="smtp", sent_at=NOW - timedelta(minutes=9))


@pytest.fixture
def stopped(mailing: Mailing) -> None:
    """Pulled before the browser's event loop runs in this thread."""
    troubled = [message.pk for message in mailing.messages[:31]]
    Message.objects.filter(pk__in=troubled).update(bounced_at=NOW, bounce_type="hard")
    assert watch(mailing.campaign.pk, now=NOW) == "braked"


@pytest.fixture
def open_live(live_server: LiveServer, page_for: PageFor, mailing: Mailing) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(mailing.workspace))

    def open_page(**options: Any) -> Page:
        page = page_for(**options)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        page.context.add_cookies([{**cookie, "url": live_server.url}])  # type: ignore[typeddict-item]
        page.expected_errors = ("WebSocket",)  # type: ignore[attr-defined] # this server speaks no sockets
        page.goto(live_server.url + reverse("analytics:live", args=[mailing.campaign.pk]))
        return page

    return open_page


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_stopped_campaign_shows_why_and_what_to_do(
    stopped: None, open_live: Callable[..., Page], theme: str, width: int
) -> None:
    page = open_live(theme=theme, width=width)
    card = page.locator(".brake-card")
    expect(card).to_contain_text("31 of 520")
    expect(card).to_contain_text("What to do")
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"brake-{width}-{theme}")


@pytest.fixture
def stopped_by_a_link(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> str:
    """Pulled because of an address that is far too long for a phone."""
    monkeypatch.setattr(link_answers, "fetch", lambda *_asked, **_how: Answer(404, {}, b"", 1))
    url = f"https://shop.io/{'harvest-roast/' * 12}"
    Link.objects.filter(variant__campaign=mailing.campaign).update(url=url)
    assert watch(mailing.campaign.pk, now=NOW) == "braked"
    return url


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_campaign_that_a_link_stopped_names_the_link(
    stopped_by_a_link: str, open_live: Callable[..., Page], theme: str, width: int
) -> None:
    page = open_live(theme=theme, width=width)
    card = page.locator(".brake-card")
    expect(card.get_by_role("link", name=stopped_by_a_link)).to_be_visible()
    expect(card).to_contain_text("all others are asked on")
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"brake-link-{width}-{theme}")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_who_waits_behind_the_first_readers_can_be_released(
    open_live: Callable[..., Page], mailing: Mailing, theme: str, width: int
) -> None:
    Campaign.objects.filter(pk=mailing.campaign.pk).update(canary_share=5, canary_minutes=30)
    waiting = [message.pk for message in mailing.messages[40:]]
    Message.objects.filter(pk__in=waiting).update(status=Message.Status.HELD, sent_at=None, delivered_at=None)
    page = open_live(theme=theme, width=width)
    card = page.locator(".brake-card")
    expect(card).to_contain_text("480 wait behind them")
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"first-readers-{width}-{theme}")
    card.get_by_role("button", name="Release now").click()
    page.get_by_role("dialog").get_by_role("button", name="Release now").click()
    expect(page.locator(".brake-card")).to_have_count(0)
    page.wait_for_load_state()
    assert Message.objects.filter(status=Message.Status.QUEUED).count() == 480


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_wrong_link_is_mended_in_a_dialog_and_taken_back(
    open_live: Callable[..., Page], mailing: Mailing, theme: str, width: int
) -> None:
    page = open_live(theme=theme, width=width)
    page.get_by_role("button", name="Change an address").click()
    dialog = page.get_by_role("dialog", name="Point a link elsewhere")
    dialog.get_by_label("Which link").select_option(label="https://shop.example/subscribe")
    dialog.get_by_label("New address").fill("https://shop.example/subscribe-to-the-harvest-roast?size=250")
    assert_accessible(page)
    save_picture(page, f"repoint-{width}-{theme}")
    dialog.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("leads to the new address within a minute")).to_be_visible()
    changed = Link.objects.get(pk=mailing.links[1].pk)
    assert changed.url.endswith("?size=250")
    assert changed.original_url == mailing.links[1].url
    page.get_by_role("button", name="Change an address").click()
    expect(dialog.get_by_text("Changed so far")).to_be_visible()
    assert_fits(page)
    save_picture(page, f"repointed-{width}-{theme}")
    dialog.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("leads to its first address again")).to_be_visible()
    assert Link.objects.get(pk=mailing.links[1].pk).url == mailing.links[1].url

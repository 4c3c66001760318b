"""The live page in Chromium: with nothing, with one event and with a million; its switches, its tables, its address."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analytics.ingest.store import store
from analytics.models import Breakdown, CampaignStats, EventMinute, LinkStats
from campaigns.models import Campaign, DeliveryMinute, Message
from campaigns.selectors import tally
from pulsequill.core.event_log import encode
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)

OpenLive = Callable[..., Page]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
MILLION = 1_000_000


@pytest.fixture
def open_live(page_for: PageFor, live_server: LiveServer) -> OpenLive:
    """Open a campaign's live page as a member; the test server has no sockets, so the page polls."""

    def open_page(mailing: Mailing, *, query: str = "", **look: Any) -> Page:
        page = page_for(**look)
        page.expected_errors = ["WebSocket", "/ws/"]
        client = Client()
        client.force_login(make_member(mailing.workspace, f"{len(look)}{look.get('theme')}@northwind.example"))
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + reverse("analytics:live", args=[mailing.campaign.pk]) + query)
        page.locator("[data-socket-state]").wait_for()
        return page

    return open_page


def minute(ago: int) -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=ago)


def make_a_million() -> Mailing:
    """A campaign as the rollups show it with a million recipients, two thirds of them sent within half an hour."""
    mailing = make_mailing(size=4, variants=2, status="queued", sent_at=minute(28), domains=("gmail.com", "gmx.net"))
    sent = [12_000 + int(6_000 * math.sin(n / 4)) for n in range(28)]
    for variant in mailing.variants:
        for ago, count in enumerate(reversed(sent)):
            DeliveryMinute.objects.create(
                campaign=mailing.campaign, variant=variant, minute=minute(ago), sent=count, delivered=count - 40
            )
        CampaignStats.objects.create(
            campaign=mailing.campaign, variant=variant, returned=1_020, bounced=4_320, complained=160,
            unsubscribed=720, opens=92_000, unique_opens=68_000, machine_opens=101_000, any_opens=150_000,
            clicks=14_000, unique_clicks=11_500 + 900 * (variant.label == "B"), machine_clicks=2_300, any_clicks=13_000,
        )  # fmt: skip
    for ago in range(28):
        EventMinute.objects.create(
            campaign=mailing.campaign, minute=minute(ago), human_opens=3_000 - 90 * ago,
            machine_opens=4_200 - 120 * ago,
            human_clicks=480 - 15 * ago, machine_clicks=80, bounced=300, complained=11, unsubscribed=50,
        )  # fmt: skip
    for link, clicks in zip(mailing.links, (11_000, 7_200, 4_100, 900), strict=True):
        LinkStats.objects.create(link=link, campaign=mailing.campaign, clicks=clicks, unique_clicks=clicks)
    rows = {
        "device": (("Phone", 61_000), ("Computer", 39_000), ("Tablet", 6_000)),
        "client": (("Apple Mail", 40_000), ("Gmail app", 31_000), ("Outlook", 18_000), ("Thunderbird", 900)),
        "country": (("GB", 48_000), ("DE", 15_000), ("NO", 11_000), ("IE", 8_000), ("FR", 3_000), ("PT", 900)),
    }
    for dimension, values in rows.items():
        for value, opens in values:
            Breakdown.objects.create(
                campaign=mailing.campaign, dimension=dimension, value=value, opens=opens, clicks=opens // 6
            )
    mailing.campaign.recipients = MILLION
    mailing.campaign.save(update_fields=["recipients"])
    counts = dict.fromkeys(Message.Status.values, 0) | {"queued": MILLION // 2 - 560, "skipped": 500, "failed": 60}
    per = {str(variant.pk): dict(counts) for variant in mailing.variants}
    total = {status: count * 2 for status, count in counts.items()}
    # A count that was made before the first one left: no test plans a million rows to look at a page.
    kept = tally.Tally({tally.TOTAL: total, **per}, {}, Campaign.Status.SENDING, timezone.now().timestamp() + 3600)
    cache.set(f"tally:{mailing.campaign.pk}", kept)
    return mailing


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_campaign_that_has_not_started_says_so(open_live: OpenLive, theme: str, width: int) -> None:
    mailing = make_mailing(make_workspace(), size=0, campaign_status="draft")
    page = open_live(mailing, theme=theme, width=width)
    expect(page.get_by_text("This campaign has not started.")).to_be_visible()
    expect(page.get_by_text("Opens and clicks show here.")).to_be_visible()
    expect(page.locator('[data-readers="devices"]')).to_have_text("Nobody has opened or clicked yet.")
    expect(page.get_by_text("Nobody has been mailed yet.")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"live-nothing-{width}-{theme}")


def test_what_hides_by_status_hides_no_time(open_live: OpenLive) -> None:
    mailing = make_mailing(size=2, status="queued", campaign_status="scheduled")
    Campaign.objects.filter(pk=mailing.campaign.pk).update(send_at=timezone.now() + timedelta(hours=5))
    page = open_live(mailing)
    expect(page.get_by_text("It starts").locator("time")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_one_open_is_everywhere(open_live: OpenLive, theme: str, width: int) -> None:
    mailing = make_mailing(size=1, provider="capture", sent_at=timezone.now())
    line = {"message_id": mailing.messages[0].pk, "source": "tracking", "user_agent": BROWSER}
    store([encode(kind="opened", occurred_at=timezone.now(), **line)])
    page = open_live(mailing, theme=theme, width=width)
    expect(page.locator("[data-ticker]")).to_contain_text("Opened r•••")
    expect(page.locator('[data-readers="devices"]')).to_contain_text("Computer")
    assert page.locator(".heat td.h5").count() == 1
    page.get_by_text("The same as a table").click()
    expect(page.locator("[data-rows] tr").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"live-one-{width}-{theme}")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_million_fits(open_live: OpenLive, theme: str, width: int) -> None:
    mailing = make_a_million()
    page = open_live(mailing, theme=theme, width=width)
    expect(page.get_by_text("of 999,000 sent")).to_be_visible()
    expect(page.locator("[data-mailboxes]")).to_contain_text("Gmail")
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"live-million-{width}-{theme}")


def test_every_switch_is_remembered_in_the_address(open_live: OpenLive) -> None:
    page = open_live(make_a_million())
    each = page.locator("[data-ticks] span").first.inner_text()
    page.get_by_role("link", name="Added up").click()
    expect(page.locator("[data-ticks] span").first).not_to_have_text(each)
    page.get_by_role("link", name="Machine").click()
    page.get_by_role("link", name="Country").click()
    expect(page.locator('[data-readers="countries"]')).to_contain_text("United Kingdom")
    with page.expect_response("**/timeline?range=6h"):
        page.get_by_role("link", name="6 h").click()
    expect(page.locator("[data-layers] path").first).to_have_attribute("d", re.compile("L8.5 "))
    drawn = page.locator("[data-layers] path").first.get_attribute("d")
    for choice in ("show=machine", "range=6h", "sum=all", "read=countries"):
        assert choice in page.url
    page.reload()
    expect(page.locator('[data-choose="sum"][data-value="all"]')).to_have_attribute("aria-current", "true")
    expect(page.locator('[data-readers="countries"]')).to_be_visible()
    expect(page.get_by_text("Opens, machine")).to_be_visible()
    expect(page.locator("[data-layers] path").first).to_have_attribute("d", drawn or "")


def test_figures_can_be_read_off_the_chart_by_keyboard(open_live: OpenLive) -> None:
    page = open_live(make_a_million())
    page.locator("[data-plot] svg").focus()
    page.keyboard.press("ArrowLeft")
    tip = page.locator("[data-tip]")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Human opens")
    page.keyboard.press("Home")
    expect(tip.locator("b").first).to_have_text(page.locator("[data-axis] span").first.inner_text())


def test_nothing_jumps_when_a_frame_comes(open_live: OpenLive) -> None:
    mailing = make_a_million()
    page = open_live(mailing)
    page.evaluate(
        "() => { window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.shift += one.value; }).observe({ type: 'layout-shift', buffered: false }); }"
    )
    CampaignStats.objects.filter(campaign=mailing.campaign).update(unique_opens=99_999, bounced=20_000)
    with page.expect_response("**/live"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator('[data-bind="view.opens"]').first).to_have_text("199,998")
    assert page.evaluate("window.shift") < 0.02


def test_home_reads_its_figures_again_when_they_have_moved(page_for: PageFor, live_server: LiveServer) -> None:
    mailing = make_mailing(size=3, provider="capture", sent_at=timezone.now())
    page = page_for()
    page.expected_errors = ["WebSocket", "/ws/"]
    client = Client()
    client.force_login(make_member(mailing.workspace))
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page.goto(live_server.url)
    sent = page.locator("#home-kpis .num").first
    expect(sent).to_have_text("3")
    DeliveryMinute.objects.filter(campaign=mailing.campaign).update(sent=5, delivered=5)
    CampaignStats.objects.create(campaign=mailing.campaign, variant=mailing.variants[0], bounced=1, returned=1)
    page.evaluate("document.getElementById('home-kpis').dispatchEvent(new CustomEvent('figures-moved'))")
    expect(sent).to_have_text("5")
    expect(page.locator("#home-health")).to_contain_text("20 %")
    assert_accessible(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_it_names_who_defers_and_what_gave_machines_away(open_live: OpenLive, theme: str, width: int) -> None:
    mailing = make_mailing(size=40, domains=("outlook.com", "gmail.com"), sent_at=minute(20))
    page = open_live(mailing, theme=theme, width=width)
    expect(page.locator("[data-why-machine]")).to_be_hidden()
    reports = [("delivered", 0, 40, ""), ("deferred", 0, 15, ""), ("opened", 0, 9, "Mozilla/5.0")]
    reports += [("opened", 9, 12, "Mozilla/5.0 (compatible; Barracuda Sentinel)"), ("opened", 12, 20, BROWSER)]
    store(
        [
            encode(kind=kind, message_id=message.pk, source="sendgrid", occurred_at=minute(1), user_agent=agent)
            for kind, first, last, agent in reports
            for message in mailing.messages[first:last]
        ]
    )
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("Outlook is slowing us down")).to_be_visible()
    page.get_by_text("Why machine").click()
    expect(page.locator("[data-machines]")).to_have_text(re.compile("Apple privacy relay.*9.*link scanner.*3"))
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"live-reasons-{width}-{theme}")

"""Reports across campaigns in a real browser: looks, axe and widths, with nothing, and with a year of campaigns."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from analytics.ingest.store import store
from analytics.models import Goal, Report
from analytics.reports import facets
from analytics.services import schedule_report, share_report
from analytics.tokens import stop_token
from audiences.models import Contact, ContactList, Subscription
from campaigns.models import Campaign, Sender
from pulsequill.core.event_log import encode
from tests.analytics.making import make_mailing, make_member, make_workspace
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
NAMES = (
    "Harvest roast launch",
    "Brew guide, part two",
    "Bristol shop opening",
    "Autumn letter",
    "Gift boxes",
    "Spring lot",
)
PAGES = {
    "overview": "/reports?range=12m", "compare": "/reports/compare", "cohorts": "/reports/cohorts",
    "engagement": "/reports/engagement?range=12m", "goals": "/reports/goals", "goal-new": "/reports/goals/new",
    "kept": "/reports/kept",
}  # fmt: skip


def live_through_a_year(workspace: Workspace) -> Report:
    """Campaigns of a year with lists, readers, orders, and a kept report that is mailed and shared."""
    dice, now, lines = random.Random(7), timezone.now(), []
    lists = [ContactList.objects.create(workspace=workspace, name=name) for name in ("Newsletter", "Brew club")]
    sender = Sender.objects.create(workspace=workspace, from_name="Northwind", from_email="hello@northwind.example")
    Goal.objects.create(workspace=workspace, key="order", name="Orders", link_prefix="https://shop.example/subscribe")
    for number, name in enumerate(NAMES):
        sent_at = now - timedelta(days=3 + 52 * number, hours=5 * number)
        mailing = make_mailing(
            workspace,
            size=40,
            provider="capture",
            campaign_status="sent",
            name=name,
            sent_at=sent_at,
            variants=1 + number % 2,
        )
        Campaign.objects.filter(pk=mailing.campaign.pk).update(sender=sender)
        mailing.campaign.lists.set(lists)
        for place, message in enumerate(mailing.messages):
            Contact.objects.filter(pk=message.contact_id).update(
                created_at=sent_at - timedelta(days=dice.randrange(40))
            )
            for one in lists[: 1 + place % 2]:
                Subscription.objects.create(workspace=workspace, contact=message.contact, list=one)
            link = next(link for link in mailing.links if link.variant_id == message.variant_id)
            at = sent_at + timedelta(hours=dice.expovariate(1 / 9))
            for kind, chance in (("opened", 0.5), ("clicked", 0.2), ("converted", 0.1), ("unsubscribed", 0.02)):
                if dice.random() < chance:
                    lines.append(
                        encode(
                            kind=kind,
                            message_id=message.pk,
                            source="tracking",
                            occurred_at=at,
                            user_agent=BROWSER,
                            link_id=link.pk if kind == "clicked" else None,
                            data={"goal": "order", "value": dice.randrange(900, 9000), "currency": "GBP"}
                            if kind == "converted"
                            else None,
                        )
                    )
    store(lines)
    facets.count_due(now=now)
    cache.clear()
    report = Report.objects.create(
        workspace=workspace, name="Every Monday’s figures", query={"kind": "overview", "range": "12m"}
    )
    schedule_report(report=report, actor=None, crontab="0 8 * * 1", emails=["board@northwind.example"])
    return report


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def open_signed_in(live_server: LiveServer, page_for: PageFor, workspace: Workspace) -> object:
    client = Client()
    client.force_login(make_member(workspace))

    def open_page(theme: str, width: int) -> Page:
        page = page_for(theme=theme, width=width)
        for name, cookie in client.cookies.items():
            page.context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])
        return page

    return open_page


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_reports_of_a_year_and_of_nothing_are_accessible_and_fit(
    live_server: LiveServer, open_signed_in: object, workspace: Workspace, theme: str, width: int
) -> None:
    page: Page = open_signed_in(theme, width)  # type: ignore[operator]

    def look(name: str, path: str) -> None:
        answer = page.goto(live_server.url + path)
        assert answer is not None
        assert answer.status == 200, path
        save_picture(page, f"reports-{name}-{theme}-{width}")
        assert_accessible(page)
        assert_fits(page)

    for name in ("overview", "compare", "cohorts", "engagement", "goals", "kept"):
        look(f"empty-{name}", PAGES[name])
    report = live_through_a_year(workspace)
    _, token = share_report(report=report, actor=None)
    recipient = report.schedule.recipients.get()
    more = {
        "kept-one": f"/reports/kept/{report.pk}", "mail": f"/reports/kept/{report.pk}/mail", "shared": f"/r/{token}",
        "stop": f"/r/stop/{stop_token(recipient.pk)}",
    }  # fmt: skip
    for name, path in {**PAGES, **more}.items():
        look(name, path)


def test_a_report_is_chosen_kept_and_shared_with_the_keyboard_alone(
    live_server: LiveServer, open_signed_in: object, workspace: Workspace
) -> None:
    live_through_a_year(workspace)
    page: Page = open_signed_in("light", 1280)  # type: ignore[operator]
    page.goto(f"{live_server.url}/reports")
    page.get_by_role("link", name="90 days").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")
    page.get_by_label("Name of the report").fill("Quarter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Quarter")
    page.get_by_role("button", name="Make a link").focus()
    page.keyboard.press("Enter")
    address = page.get_by_role("status").locator("code").inner_text()
    visitor = page.context.browser.new_page()  # type: ignore[union-attr]
    visitor.goto(live_server.url + "/r/" + address.rpartition("/")[2])
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Quarter")
    visitor.close()

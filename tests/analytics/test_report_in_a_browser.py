"""The report in a real browser: looks, axe, widths, what works without scripts, and that the mail cannot reach out."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, Message
from tests.analytics.reporting import Sent, event, make_sent
from tests.campaigns.making import make_member
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TABS = {
    "overview": "",
    "links": "/links",
    "recipients": "/recipients",
    "bounces": "/bounces",
    "content": "/content",
    "variants": "/variants",
    "why": "/why?email=reader0@gmail.com",
}
BOUNCES = (
    ("5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. gsmtp", "hard"),
    ("5.7.26", "550-5.7.26 Your email has been blocked because the sender is unauthenticated. gsmtp", "soft"),
    ("4.2.2", "452-4.2.2 The recipient's inbox is out of storage space.", "soft"),
)


def live_through(sent: Sent) -> None:
    """Let readers do what readers do, over two days."""
    dice = random.Random(7)
    lines = []
    launched = timezone.now() - timedelta(hours=48)
    Message.objects.filter(campaign=sent.campaign).update(sent_at=launched, claimed_at=launched, delivered_at=launched)
    Message.objects.filter(campaign=sent.campaign).update(created_at=launched - timedelta(seconds=5))
    for number, row in enumerate(sent.rows):
        at = timezone.now() - timedelta(hours=47) + timedelta(minutes=dice.expovariate(1 / 400))
        if number % 9 == 8:
            code, words, kind = BOUNCES[number // 9 % len(BOUNCES)]
            lines.append(event(row, "bounced", at=at, bounce_type=kind, code=code, detail=words))
            continue
        if number % 3 != 2:
            lines.append(
                event(row, "opened", at=at, agent="Mozilla/5.0" if number % 5 == 4 else "Mozilla/5.0 Firefox/140")
            )
        if number % 4 == 0:
            label = row.variant.label if row.variant else "A"
            link = dice.choices(sent.links(label), weights=(6, 3, 1))[0]
            lines.append(event(row, "clicked", link=link, at=at + timedelta(minutes=2)))
        if number % 17 == 5:
            lines.append(event(row, "unsubscribed", at=at + timedelta(minutes=4)))
    sent.happen(*lines)
    Campaign.objects.filter(pk=sent.campaign.pk).update(
        status="sent", launched_at=launched, finished_at=launched + timedelta(minutes=4)
    )


@pytest.fixture
def sent() -> Sent:
    made = make_sent(60, variants=2)
    live_through(made)
    return made


@pytest.fixture
def single(sent: Sent) -> Sent:
    """A campaign of which one mail was opened."""
    made = make_sent(2, workspace=sent.workspace, name="One open", who="friend")
    made.happen(event(made.rows[0], "opened"))
    return made


@pytest.fixture
def open_report(
    live_server: LiveServer,
    sent: Sent,
    single: Sent,
    page_for: PageFor,  # what loops comes last
) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(sent.workspace))
    name = settings.SESSION_COOKIE_NAME

    def open_at(path: str = "", *, campaign: Campaign | None = None, **options: object) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(f"{live_server.url}/campaigns/{(campaign or sent.campaign).pk}/report{path}")
        return page

    return open_at


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_tab_is_accessible_and_fits(open_report: Callable[..., Page], theme: str, width: int) -> None:
    for name, path in TABS.items():
        page = open_report(path, theme=theme, width=width)
        expect(page.locator(".tabs [aria-current=page]")).to_be_visible()
        if name == "overview":
            expect(page.get_by_role("heading", name="In two lines")).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
        save_picture(page, f"report-{name}-{width}-{theme}")
        page.context.close()


def test_every_tab_works_without_scripts(open_report: Callable[..., Page]) -> None:
    page = open_report(java_script_enabled=False)
    for word, heading in (
        ("Links", "Click map"),
        ("Bounces", "Came back"),
        ("Content", "What was sent"),
        ("Variants", "Side by side"),
        ("Why", "Why did this person get it, or not?"),
        ("Recipients", "Keep these people as a segment"),
    ):
        page.get_by_role("navigation", name="Report").get_by_role("link", name=word, exact=True).click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.get_by_role("link", name="Clicked 1").first.click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("13 people")
    page.get_by_role("button", name="Save as segment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Clicked: Harvest launch")


def test_the_badges_stand_on_the_links_and_leave_the_mail_as_it_is(
    open_report: Callable[..., Page], sent: Sent
) -> None:
    page = open_report("/links?variant=A")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("1 · ").first).to_be_visible()

    def is_at_its_link() -> bool:
        badge = frame.get_by_text("1 · ").first.bounding_box()
        link = frame.get_by_text("the beans").bounding_box()
        return bool(badge and link) and abs(badge["y"] - link["y"]) < 30 and abs(badge["x"] - link["x"]) < 40

    wait_until(is_at_its_link, what="the badge stands at its link once the mail is laid out")
    marked = frame.locator("body").evaluate("body => body.scrollHeight")
    page.goto(page.url.split("/links")[0] + "/content?variant=A")
    plain = page.frame_locator("iframe").locator("body").evaluate("body => body.scrollHeight")
    assert marked == plain, "badges move nothing"


def test_a_script_in_the_mail_does_not_run_in_the_click_map(open_report: Callable[..., Page], sent: Sent) -> None:
    variant = sent.campaign.variants.get(label="A")
    variant.compiled_html = variant.compiled_html.replace(
        "</body>", "<script>top.document.title='owned';document.title='owned'</script></body>"
    )
    variant.save(update_fields=["compiled_html"])
    page = open_report("/links?variant=A")
    page.expected_errors = ["Blocked script execution", "Content Security Policy"]
    expect(page.frame_locator("iframe").get_by_text("the beans")).to_be_visible()
    assert "owned" not in page.title()
    assert page.frames[1].evaluate("document.title") != "owned"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_report_without_data_and_one_with_a_single_event_look_complete(
    open_report: Callable[..., Page], sent: Sent, single: Sent, theme: str, width: int
) -> None:
    draft = Campaign.objects.create(workspace=sent.workspace, name="Not yet")
    for name, path in TABS.items():
        page = open_report(path, campaign=draft, theme=theme, width=width)
        expect(page.get_by_text("has not left yet")).to_be_visible()
        assert_fits(page)
        if name in ("overview", "links", "why"):
            assert_accessible(page)
            save_picture(page, f"report-empty-{name}-{width}-{theme}")
        page.context.close()
    page = open_report(campaign=single.campaign, theme=theme, width=width)
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"report-one-{width}-{theme}")


def test_values_can_be_read_off_the_chart_and_the_overview_prints_on_paper(open_report: Callable[..., Page]) -> None:
    page = open_report()
    chart = page.locator("[data-plot] svg")
    chart.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-tip]")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Report")).to_be_hidden()
    expect(page.get_by_role("heading", name="Funnel")).to_be_visible()
    save_picture(page, "report-print")

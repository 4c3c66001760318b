"""The composer in a real browser: write, format, move, undo, save, preview, conflict."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign
from campaigns.services import composing
from tests.campaigns.making import make_campaign, make_contact, make_member, make_workspace
from tests.pages import PageFor, assert_accessible, assert_fits

pytestmark = pytest.mark.django_db(transaction=True)

#: A saved state names its time and version.
SAVED = re.compile(r"Saved \d\d:\d\d · version \d+")


@pytest.fixture
def campaign() -> Campaign:
    workspace = make_workspace()
    make_contact(workspace, "maya@reader.io", first_name="Maya")
    return make_campaign(workspace)


@pytest.fixture
def composer(live_server: LiveServer, page_for: PageFor, campaign: Campaign) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(campaign.workspace))

    def open_composer(**options: Any) -> Page:
        page = page_for(**options)
        page.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )
        page.goto(live_server.url + reverse("campaigns:composer", args=[campaign.pk]))
        expect(page.locator(".prose")).to_have_count(1)
        return page

    return open_composer


def stored(campaign: Campaign) -> Any:
    return Campaign.objects.get(pk=campaign.pk).variants.get()


def wait_saved(page: Page) -> None:
    expect(page.locator("[data-saved-text]")).to_have_text(SAVED)


def test_text_is_written_formatted_and_saved_with_its_merge_tags(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    expect(page.locator(".prose .tag")).to_have_text("first_name")
    page.locator(".prose").click()
    page.keyboard.press("Control+End")
    page.get_by_role("button", name="Bold").click()
    expect(page.locator(".prose")).to_be_focused()  # the editor takes the focus back with the next frame
    page.keyboard.type(" Now.")
    page.get_by_role("button", name="Bold").click()
    expect(page.locator(".prose")).to_be_focused()
    page.keyboard.type(" For {{last_name}}")
    expect(page.locator(".prose .tag")).to_have_count(2)
    wait_saved(page)
    html = stored(campaign).body[1]["html"]
    assert "<strong> Now.</strong> For {{last_name}}" in html
    assert "Hi {{first_name}}" in html
    assert 'href="https://shop.example.io/beans?a=1&amp;b=2"' in html


def test_blocks_are_added_moved_copied_removed_and_brought_back(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    page.get_by_role("button", name="Add a block").click()
    page.locator("#blocks-menu").get_by_role("button", name="Button", exact=True).click()
    page.locator(".pickd").get_by_label("Label").fill("Taste it")
    page.locator(".pickd").get_by_label("Leads to").fill("https://shop.io/taste")
    wait_saved(page)
    assert [block["type"] for block in stored(campaign).body] == ["heading", "text", "button", "button"]
    assert stored(campaign).body[3]["url"] == "https://shop.io/taste"

    page.locator(".pickd").get_by_role("button", name="Move button block up").click()
    page.locator(".pickd").get_by_role("button", name="Copy button block").click()
    expect(page.locator(".block .cta")).to_have_text(["Taste it", "Taste it", "Reserve a bag"])
    page.locator(".pickd").get_by_role("button", name="Remove button block").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".block .cta")).to_have_text(["Taste it", "Taste it", "Reserve a bag"])
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Redo").click()
    wait_saved(page)
    expect(page.locator(".block .cta")).to_have_text(["Taste it", "Taste it", "Reserve a bag"])
    page.wait_for_function("document.querySelector('[data-saved]').dataset.state === 'saved'")
    ids = [block["id"] for block in stored(campaign).body]
    assert len(ids) == len(set(ids)) == 5


def test_merge_tags_are_picked_from_a_list(composer: Callable[..., Page], campaign: Campaign) -> None:
    page = composer()
    page.locator(".block-heading").click()
    page.get_by_role("button", name="{{ Merge tag").click()
    page.locator("#tags-menu").get_by_role("button", name="First name").click()
    wait_saved(page)
    assert "{{first_name}}" in stored(campaign).body[0]["text"]


def test_what_the_server_refuses_is_said_and_nothing_is_lost(composer: Callable[..., Page], campaign: Campaign) -> None:
    page = composer()
    page.expected_errors.append("400")
    page.locator("#subject").fill("Beans {{first_name")
    expect(page.locator("[data-saved-text]")).to_contain_text("Line 1, column 7")
    assert stored(campaign).subject == "Beans, {{first_name}}"
    page.locator("#subject").fill("Beans {{first_name}}!")
    wait_saved(page)
    assert stored(campaign).subject == "Beans {{first_name}}!"


def test_somebody_elses_edit_is_not_overwritten_before_a_person_says_so(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    page.expected_errors.append("412")
    composing.update_campaign(
        campaign=campaign, actor=None, changes={"variants": [{"label": "A", "subject": "Theirs"}]}
    )
    page.locator("#subject").fill("Mine")
    expect(page.get_by_text("Somebody else changed this campaign")).to_be_visible()
    assert stored(campaign).subject == "Theirs"
    page.get_by_role("button", name="Keep mine").click()
    wait_saved(page)
    assert stored(campaign).subject == "Mine"


def test_the_preview_shows_the_saved_mail_as_a_contact(composer: Callable[..., Page]) -> None:
    page = composer()
    frame = page.frame_locator("[data-frame]:not(.loading)")
    expect(frame.locator("body")).to_contain_text("Hi Maya")
    expect(page.locator(".inbox [data-inbox-subject]")).to_have_text("Beans, Maya")
    expect(page.locator("[data-size]")).to_contain_text("of 102 KB")
    page.locator(".block-heading").fill("It is finally here")
    expect(frame.locator("body")).to_contain_text("It is finally here")
    page.locator("[data-as]").fill("")
    expect(page.locator(".inbox [data-inbox-subject]")).to_have_text("Beans,")
    page.get_by_role("button", name="Plain text").click()
    expect(page.locator("[data-plain]")).to_contain_text("Unsubscribe: http")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_is_accessible_while_a_block_is_being_edited(composer: Callable[..., Page], theme: str, width: int) -> None:
    page = composer(theme=theme, width=width)
    page.locator(".prose").click()
    page.get_by_role("button", name="Link", exact=True).click()
    assert_accessible(page)
    assert_fits(page)

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
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits

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
        expect(page.locator("#subject")).to_be_visible()
        expect(page.locator(".canvas > .block-wrap")).not_to_have_count(0)
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
    page.locator(".pickd").get_by_label("Label", exact=True).fill("Taste it")
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
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
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


GREETING = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"


def use_body(campaign: Campaign, *blocks: dict[str, Any], subject: str = "Beans") -> None:
    composing.update_campaign(
        campaign=campaign, actor=None, changes={"variants": [{"label": "A", "subject": subject, "body": list(blocks)}]}
    )


def text_block(html: str) -> dict[str, Any]:
    return {"type": "text", "html": html}


# --- fallbacks -------------------------------------------------------------------------------------------------------
def test_a_greeting_with_a_fallback_is_one_chip_and_edited_as_one(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, text_block(f"<p>{GREETING} it is here.</p>"))
    page = composer()
    expect(page.locator(".prose .tag")).to_have_text("Hi first_name,else “Hello,”")
    page.locator(".prose .tag").click()
    form = page.locator("#tag-form")
    expect(form.get_by_label("If it is empty, write")).to_be_focused()
    expect(form.get_by_label("Before")).to_have_value("Hi ")
    assert_accessible(page)
    form.get_by_label("If it is empty, write").fill("Good morning,")
    page.keyboard.press("Enter")
    expect(page.locator(".prose")).to_be_focused()
    page.keyboard.type(" friend,")
    wait_saved(page)
    expected = GREETING.replace("Hello,", "Good morning,")
    assert stored(campaign).body[0]["html"] == f"<p>{expected} friend, it is here.</p>"


def test_a_picked_tag_is_given_its_own_fallback_in_texts_headings_and_the_subject(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "heading", "text": "It is here"}, text_block("<p>Yes</p>"))
    page = composer()
    page.locator("#subject").click()
    page.keyboard.press("End")
    page.locator("[data-line-tag=subject]").click()
    page.get_by_label("Find in: Merge tags").fill("first")
    page.keyboard.press("Enter")
    expect(page.locator("#tag-form").get_by_label("If it is empty, write")).to_be_focused()
    page.keyboard.type("friend")
    page.keyboard.press("Enter")
    expect(page.locator("#subject .tag")).to_have_text("first_nameelse “friend”")
    page.locator(".block-heading").click()
    page.keyboard.press("End")
    page.keyboard.type(", {{first_name|reader}}")  # not Mustache, and understood all the same
    expect(page.locator(".block-heading .tag")).to_have_text("first_nameelse “reader”")
    wait_saved(page)
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    variant = stored(campaign)
    assert variant.subject == "Beans{{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}friend{{/first_name}}"
    assert variant.body[0]["text"].endswith("{{^first_name}}reader{{/first_name}}")
    expect(page.locator(".inbox [data-inbox-subject]")).to_have_text("BeansMaya")


def test_a_tag_that_no_contact_has_is_marked_with_the_reason(composer: Callable[..., Page], campaign: Campaign) -> None:
    use_body(campaign, text_block("<p>Size {{shoe_size}}</p>"))
    page = composer()
    expect(page.locator(".prose .tag.unknown")).to_have_attribute("title", re.compile("No contact has a field"))
    page.locator(".prose .tag").click()
    expect(page.locator("#tag-form").get_by_role("alert")).to_contain_text("“shoe_size”")
    page.locator("#tag-form").get_by_label("Merge tag").select_option("first_name")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".prose .tag.unknown")).to_have_count(0)


# --- the keyboard, the mouse, columns --------------------------------------------------------------------------------
def test_a_slash_in_an_empty_text_chooses_a_block_and_alt_arrows_move_it(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "heading", "text": "First"}, text_block("<p></p>"))
    page = composer()
    page.locator(".prose").click()
    page.keyboard.type("/")
    expect(page.get_by_label("Find in: Add a block")).to_be_focused()
    assert_accessible(page)
    page.keyboard.type("testimon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Quote")).to_be_focused()
    page.keyboard.type("1/2 the price")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("[data-block]").first).to_have_class(re.compile("pickd"))
    wait_saved(page)
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    assert [block["type"] for block in stored(campaign).body] == ["quote", "heading"]
    assert stored(campaign).body[0]["html"] == "<p>1/2 the price</p>"
    page.keyboard.press("Control+z")
    expect(page.locator("[data-block]").nth(1).locator("blockquote")).to_be_visible()


def test_a_block_is_dragged_below_another_and_into_a_column(composer: Callable[..., Page], campaign: Campaign) -> None:
    columns = {
        "type": "columns",
        "columns": [[{"type": "heading", "text": "Left"}], [{"type": "heading", "text": "Right"}]],
    }
    use_body(campaign, {"type": "divider"}, text_block("<p>Words</p>"), columns)
    page = composer()
    page.get_by_role("button", name="Choose line block").drag_to(
        page.locator(".prose"), target_position={"x": 20, "y": 22}
    )
    expect(page.locator("[data-block]").nth(1)).to_contain_class("pickd")
    page.get_by_role("button", name="Choose text block").drag_to(
        page.get_by_role("button", name="Add a block to column 2")
    )
    expect(page.locator(".block-column").nth(1).locator(".prose")).to_be_visible()
    page.get_by_role("button", name="Choose columns block").click()
    page.get_by_role("button", name="Exchange columns 1 and 2").click()
    page.get_by_role("group", name="Number of columns").get_by_role("button", name="3").click()
    expect(page.locator(".block-column")).to_have_count(3)
    wait_saved(page)
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    body = stored(campaign).body
    assert [block["type"] for block in body] == ["divider", "columns"]
    assert [[block["type"] for block in column] for column in body[1]["columns"]] == [
        ["heading", "text"],
        ["heading"],
        ["text"],
    ]


# --- code ------------------------------------------------------------------------------------------------------------
def test_the_code_says_where_it_is_wrong_and_changes_the_blocks(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    use_body(campaign, {"type": "heading", "text": "It is here"}, text_block("<p>Yes</p>"))
    page = composer()
    page.expected_errors.append("400")
    page.get_by_role("button", name="Code", exact=True).click()
    box = page.get_by_label("Source of the mail")
    source = box.input_value()
    box.fill(source.replace('"level": 2', '"level": 9'))
    note = page.locator("code-area [role=status]")
    expect(note).to_contain_text("body.0.level: This must be a whole number from 1 to 3.")
    line = 1 + source.split("\n").index('    "level": 2,')
    page.get_by_role("button", name=f"Go to line {line}").click()
    expect(box).to_be_focused()
    box.fill(source.replace('"type": "text"', '"type" "text"'))
    expect(note).to_contain_text("this is not valid JSON")
    page.get_by_role("button", name="Blocks", exact=True).click()
    expect(page.get_by_text("The code cannot be read yet")).to_be_visible()
    box.fill(source.replace("It is here", "It has come"))
    expect(note).to_be_hidden()
    wait_saved(page)
    assert_accessible(page)
    page.get_by_role("button", name="Blocks", exact=True).click()
    expect(page.locator(".block-heading")).to_have_text("It has come")


def test_another_format_is_asked_for_when_something_is_lost_and_undone_in_one_step(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    page.expected_errors.append("400")
    page.get_by_role("button", name="Code", exact=True).click()
    page.get_by_label("Format").select_option("mjml")
    dialog = page.get_by_role("dialog", name="Turn this into MJML?")
    expect(dialog).to_contain_text("can then only be edited as code")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Format")).to_have_value("blocks")
    page.get_by_label("Format").select_option("mjml")
    dialog.get_by_role("button", name="Turn into MJML").click()
    box = page.get_by_label("Source of the mail")
    expect(box).to_have_value(re.compile("^<mjml"))
    wait_saved(page)
    assert stored(campaign).format == "mjml"
    box.fill("<mjml>\n<mj-body>\n<mj-sektion></mj-sektion></mj-body></mjml>")
    expect(page.locator("code-area [role=status]")).to_contain_text(
        "Line 3, column 1: There is no element <mj-sektion>"
    )
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Format")).to_have_value("blocks")
    page.get_by_role("button", name="Blocks", exact=True).click()
    expect(page.locator(".block-heading")).to_have_text("It is here")
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    assert stored(campaign).format == "blocks"


# --- history, connection ---------------------------------------------------------------------------------------------
def test_the_history_shows_what_differs_and_goes_back_to_it(composer: Callable[..., Page], campaign: Campaign) -> None:
    page = composer()
    page.locator("#subject").fill("Another subject")
    wait_saved(page)
    page.get_by_role("button", name="History").click()
    dialog = page.get_by_role("dialog", name="History")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.locator(".diff-row").first).to_contain_text("Another")
    assert_accessible(page)
    dialog.get_by_role("button", name="The mail").click()
    expect(page.frame_locator("[data-version-pane] iframe").locator("body")).to_contain_text("It is here")
    dialog.get_by_role("button", name="Restore").click()
    expect(page.locator("#subject .tag")).to_have_text("first_name")
    assert stored(campaign).subject == "Beans, {{first_name}}"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#subject")).to_have_text("Another subject")
    wait_saved(page)
    assert stored(campaign).versions.filter(note="Restored version 1").exists()


def test_without_a_connection_changes_wait_and_are_saved_when_it_is_back(
    composer: Callable[..., Page], campaign: Campaign
) -> None:
    page = composer()
    page.expected_errors.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.locator("#subject").fill("Written on a train")
    expect(page.locator("[data-saved-text]")).to_contain_text("Offline")
    page.context.set_offline(False)
    wait_saved(page)
    assert stored(campaign).subject == "Written on a train"


# --- preview ---------------------------------------------------------------------------------------------------------
def test_the_preview_shows_both_kinds_of_dark_and_the_inboxes(composer: Callable[..., Page]) -> None:
    page = composer()
    card = page.locator("#preview")
    ink = "getComputedStyle(document.querySelector('h1')).color"
    shown = "[data-frame]:not(.loading)"
    card.get_by_role("button", name="Dark").click()
    expect(page.locator(f"iframe.dark{shown}")).to_have_count(1)
    handle = page.locator(shown).element_handle()
    assert handle is not None
    own = handle.content_frame()
    assert own is not None
    assert own.evaluate(ink) == "rgb(238, 236, 244)"
    card.get_by_role("button", name="Turned by the app").click()
    expect(page.locator(f"[data-frame][name='{own.name}']")).to_have_count(0)
    expect(page.locator("[data-frame]")).to_have_count(1)
    handle = page.locator(shown).element_handle()
    assert handle is not None
    turned = handle.content_frame()
    assert turned is not None
    assert turned.evaluate(ink) != "rgb(238, 236, 244)"
    assert "prefers-color-scheme: dark" not in turned.content()
    card.get_by_role("button", name="Inbox").click()
    expect(card.locator(".inbox-phone")).to_contain_text("Beans, Maya")
    expect(card.locator(".inbox-desktop")).to_contain_text("Picked in June")
    assert_accessible(page)


def test_the_frame_cannot_run_anything_and_leaves_the_history_alone(composer: Callable[..., Page]) -> None:
    page = composer()
    expect(page.frame_locator("[data-frame]:not(.loading)").locator("body")).to_contain_text("Hi Maya")
    before = page.evaluate("history.length")
    with page.expect_response(
        lambda answer: answer.url.endswith("/preview") and "text/html" in answer.headers["content-type"]
    ) as caught:
        page.locator(".block-heading").fill("Changed")
    policy = caught.value.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert page.locator("[data-frame]").first.get_attribute("sandbox") == ""
    expect(page.frame_locator("[data-frame]:not(.loading)").locator("body")).to_contain_text("Changed")
    assert page.evaluate("history.length") == before


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_it_is_accessible_while_a_block_is_being_edited(composer: Callable[..., Page], theme: str, width: int) -> None:
    page = composer(theme=theme, width=width)
    page.locator(".prose").click()
    page.get_by_role("button", name="Link", exact=True).click()
    assert_accessible(page)
    assert_fits(page)

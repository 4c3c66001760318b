"""Brief, angles, desk and receipts in Chromium, looked at in light, dark and narrow."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from accounts.models import Activity
from aiwriter.agents import running
from aiwriter.models import Budget, Generation
from aiwriter.services.voices import save_brand_voice
from campaigns.models import Campaign
from tests.campaigns.angles import provider, with_angles, write
from tests.campaigns.making import make_campaign, make_contact, make_member, make_workspace
from tests.fakes.llm_server import Reply, Request
from tests.pages import LOOKS, assert_accessible, assert_fits, save_picture
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, live_server, member) -> None:
    client = Client()
    client.force_login(member)
    value = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])


@pytest.fixture
def workspace():
    made = make_workspace()
    make_contact(made, "amara@reader.io", first_name="Amara")
    return made


@pytest.fixture
def open_composer(live_server, page_for, workspace):
    def opened(campaign: Campaign, *, before=lambda _page: None, wait_until="load", **options) -> Page:
        page = page_for(**options)
        sign_in(page, live_server, make_member(workspace))
        before(page)
        page.goto(live_server.url + reverse("campaigns:composer", args=[campaign.pk]), wait_until=wait_until)
        return page

    return opened


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_angles_are_accessible_and_fit(open_composer, live_server, workspace, settings, theme, width):
    with provider(settings):
        campaign, generation = with_angles(workspace, None)
        run(generation)
    page = open_composer(campaign, theme=theme, width=width)
    expect(page.locator("[data-angle] .rcpt").first).to_be_visible()
    save_picture(page, f"angles-{theme}-{width}")
    assert_fits(page)
    assert_accessible(page)
    page.locator("[data-angle] .rcpt.no").first.click()
    expect(page.locator(".rcpt-card")).to_contain_text("has no receipt")
    save_picture(page, f"angles-receipt-{theme}-{width}")
    assert_accessible(page)
    page.goto(live_server.url + reverse("aiwriter:generation_detail", args=[generation.pk]))
    expect(page.locator("[data-angle] .rcpt").first).to_be_visible()
    save_picture(page, f"angles-generation-{theme}-{width}")
    assert_fits(page)
    assert_accessible(page)


def written_campaign(workspace, settings, **brief):
    with provider(settings):
        campaign, generation = with_angles(workspace, None, **brief)
        run(generation)
    return campaign, generation


# --- parts -----------------------------------------------------------------------------------------------------------
def test_a_mix_is_made_by_keyboard_and_stands_beside_its_sources(open_composer, workspace, settings):
    campaign, generation = written_campaign(workspace, settings)
    page = open_composer(campaign)
    expect(page.locator("[data-angle] .rcpt").first).to_be_visible()
    page.get_by_role("button", name="Mix in angle A").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Mix a draft")
    expect(dialog.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("ArrowDown")  # the subject of B
    dialog.get_by_role("button", name="+ Button: Taste it").focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Take out: Button: Reserve a bag").focus()
    page.keyboard.press("Enter")
    assert_accessible(page)
    save_picture(page, "angles-mix-light-1280")
    dialog.get_by_role("button", name="Make this mix").focus()
    page.keyboard.press("Enter")

    mixed = page.locator("[data-angle]").nth(3)
    expect(mixed).to_be_focused()
    expect(mixed).to_contain_text("Mix of A, B and C")
    expect(mixed.get_by_role("heading")).to_have_text("Meet the family behind your next cup")
    expect(mixed.locator(".said-cta")).to_contain_text("Taste it")
    stored = generation.drafts.get(position=3)
    assert [block["id"] for block in stored.blocks] == ["d1", "d2", "d3"]
    save_picture(page, "angles-mixed-light-1280")
    page.reload()
    expect(page.locator("[data-angle]")).to_have_count(4)


def test_one_part_is_written_anew_and_undone(open_composer, workspace, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    campaign, generation = written_campaign(workspace, settings)
    page = open_composer(campaign)
    page.expected_errors = ["WebSocket", "ws/generations"]
    card = page.locator("[data-angle]").first
    expect(card.locator(".rcpt").first).to_be_visible()  # the script has taken over from the page
    expect(card.get_by_role("heading")).to_have_text("The harvest lot we waited a year for")
    card.get_by_role("button", name="Write a part of angle A anew").focus()
    page.keyboard.press("Enter")
    menu = card.locator("[data-part-menu]")
    expect(menu.get_by_role("button").first).to_be_focused()
    save_picture(page, "angles-parts-light-1280")
    assert_accessible(page)
    with provider(settings):
        page.keyboard.press("Enter")  # the subject
        expect(card).to_have_attribute("data-state", "rewriting")
        run_newest(generation)
        expect(card.get_by_role("heading")).to_have_text("Beans worth a year of waiting", timeout=30_000)
    undo = card.get_by_role("button", name="Undo the new words of angle A")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.get_by_role("heading")).to_have_text("The harvest lot we waited a year for")
    expect(undo).to_be_hidden()


# --- a slow line -----------------------------------------------------------------------------------------------------
def hold(page: Page, address: str, held: list[Route]) -> None:
    page.route(address, lambda route: held.append(route))


def test_what_is_pressed_before_the_stored_drafts_have_come_is_done_when_they_have(open_composer, workspace, settings):
    campaign, generation = written_campaign(workspace, settings)
    held: list[Route] = []
    page = open_composer(campaign, before=lambda page: hold(page, f"**/ai/generations/{generation.pk}", held))
    page.get_by_role("button", name="Adopt angle C").click()
    expect(page.locator("[data-saved-text]")).not_to_contain_text("Adopted")
    for request in held:
        request.continue_()
    expect(page.locator("[data-saved-text]")).to_contain_text("Adopted")


def test_what_is_pressed_before_the_scripts_have_come_is_done_when_they_have(open_composer, workspace):
    held: list[Route] = []
    page = open_composer(
        make_campaign(workspace),
        before=lambda page: hold(page, "**/js/campaigns/composer.js", held),
        wait_until="commit",
    )
    page.get_by_label("Goal").fill("The harvest lot is back, free shipping until Sunday")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    wait_until(lambda: page.evaluate("document.readyState") == "interactive" and held, what="all but one script")
    for request in held:
        request.continue_()
    expect(page.locator("[data-brief-view]")).to_be_visible()
    expect(page.locator("[data-brief-list]")).to_contain_text("The harvest lot is back")


def run(generation: Generation) -> None:
    """Write it in a thread of its own, as a worker would: this one belongs to the browser's loop."""

    def work() -> None:
        try:
            running.run(generation.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def run_newest(known: Generation) -> None:
    """Run what the page has just asked for; a worker does it otherwise."""
    newest = wait_until(
        lambda: Generation.objects.filter(status="queued").exclude(pk=known.pk).first(),
        timeout_s=15, what="a generation in the queue",
    )  # fmt: skip
    run(newest)


# --- the brief -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_proposal_is_shown_beside_its_fields_and_never_used_unasked(open_composer, workspace, settings, theme, width):
    campaign = make_campaign(workspace)
    page = open_composer(campaign, theme=theme, width=width)
    page.expected_errors = ["WebSocket", "ws/generations"]
    goal = page.get_by_label("Goal")
    goal.fill("Tell our subscribers that the harvest lot is back, free shipping until Sunday")
    page.get_by_role("button", name="Propose the rest").focus()
    page.keyboard.press("Enter")
    run_newest(Generation())
    expect(page.get_by_role("button", name="Use all")).to_be_focused(timeout=30_000)
    expect(page.locator(".proposal")).to_have_count(4)
    save_picture(page, f"brief-proposal-{theme}-{width}")
    assert_accessible(page)
    assert_fits(page)
    assert page.locator("#b-offer").input_value() == ""
    page.get_by_role("button", name="Use: Offer").click()
    expect(page.locator("#b-offer")).to_have_value("Free shipping until Sunday")
    page.get_by_role("button", name="Clear: For").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-brief-view]")).to_be_visible()
    brief = Campaign.objects.get(pk=campaign.pk).brief
    assert (brief.offer, brief.audience, brief.facts) == ("Free shipping until Sunday", "", [])


def test_every_field_of_the_brief_is_kept(open_composer, workspace):
    profile = {"traits": ["warm"]}
    voice = save_brand_voice(workspace=workspace, actor=None, name="House", profile=profile, status="active")
    campaign = make_campaign(workspace)
    page = open_composer(campaign)
    page.get_by_label("Goal").fill("Sell the harvest lot")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Brand voice").select_option(label="House, version 1")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Must say").fill("Solange der Vorrat reicht")
    page.get_by_label("Avoid").fill("billig\ngratis")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-brief-list]")).to_contain_text("German")
    expect(page.locator("[data-brief-list]")).to_contain_text("House, version 1")
    brief = Campaign.objects.get(pk=campaign.pk).brief
    assert (brief.brand_voice_id, brief.language) == (voice.pk, "de")
    assert (brief.must_say, brief.must_not_say) == (["Solange der Vorrat reicht"], ["billig", "gratis"])


# --- what goes wrong, and other scripts ------------------------------------------------------------------------------
def test_a_blocked_draft_is_adopted_only_by_somebody_who_answers_for_it(open_composer, workspace, settings):
    campaign, _ = written_campaign(workspace, settings)
    page = open_composer(campaign)
    page.expected_errors = ["422"]
    card = page.locator("[data-angle]").nth(1)
    card.get_by_role("button", name="Adopt angle B").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("You answer for it by name")
    question.get_by_role("button", name="Adopt it").click()
    expect(card).to_have_attribute("data-state", "adopted")
    expect(page.locator("#h-edit")).to_be_focused()
    expect(page.locator("[data-claims]")).to_contain_text("open")
    assert Activity.objects.get(kind="draft.accepted").data["overridden"]
    page.locator("[data-claims]").click()
    expect(page).to_have_url(re.compile(r"/claims$"))


@pytest.mark.parametrize("reason", ["budget", "provider", "no_key"])
def test_what_went_wrong_is_said_on_the_page(open_composer, workspace, settings, reason):
    def broken(_request: Request) -> Reply:
        return Reply(status=500)

    if reason == "no_key":
        campaign, generation = with_angles(workspace, None)
        run(generation)
    else:
        with provider(settings, broken if reason == "provider" else write):
            campaign, generation = with_angles(workspace, None)
            if reason == "budget":
                Budget.objects.filter(workspace=workspace).update(monthly_cap_micro_usd=1)
            run(generation)
    page = open_composer(campaign)
    words = {
        "budget": "The AI budget of this month is used up.",
        "provider": "The writer could not finish.",
        "no_key": "Template draft – no AI model was used",
    }
    expect(page.get_by_text(words[reason]).first).to_be_visible()
    save_picture(page, f"angles-state-{reason}")
    assert_accessible(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_long_words_and_text_from_right_to_left_stay_in_their_cards(open_composer, workspace, settings, width):
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverkaufsveranstaltung"
    arabic = "عاد محصول البن إلى متجرنا هذا الأسبوع"
    campaign, generation = written_campaign(workspace, settings, language="de")
    first, second, _ = generation.ordered_drafts
    body = [{"id": "a1", "type": "text", "html": f"<p>{long} {long}, {long}</p>"}]
    type(first).objects.filter(pk=first.pk).update(subject=long, preview_text=long, angle=long, blocks=body)
    rtl = [{"id": "b1", "type": "text", "html": f"<p>{arabic}. {arabic}.</p><ul><li>{arabic}</li></ul>"}]
    type(second).objects.filter(pk=second.pk).update(subject=arabic, preview_text=arabic, angle=arabic, blocks=rtl)
    page = open_composer(campaign, width=width)
    heading = page.locator("[data-angle]").nth(1).get_by_role("heading")
    expect(heading).to_have_text(arabic)
    assert heading.evaluate("node => getComputedStyle(node).direction") == "rtl"
    for card in page.locator("[data-angle]").all():
        assert card.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    assert_fits(page)
    save_picture(page, f"angles-words-{width}")

"""The pages of an A/B test: setting it up, what it can show, where it stands, and a person's choice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from analytics.models import CampaignStats, Goal
from campaigns.models import Campaign, Experiment, Message, Variant
from tests.analytics.making import make_mailing
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_member, make_workspace
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db

TWO = [
    {"label": "A", "subject": "The harvest lot is here", "preview_text": "Picked in June", "body": HELLO},
    {"label": "B", "subject": "Plum, cocoa, gone by Friday", "preview_text": "Picked in June", "body": HELLO},
]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_member(workspace))
    return client


@pytest.fixture
def draft(workspace: Workspace) -> Campaign:
    readers = make_list(workspace, *[make_contact(workspace) for _ in range(40)])
    return make_campaign(workspace, variants=TWO, lists=[readers])


def running(workspace: Workspace, *, clicks: tuple[int, int] = (33, 51), waiting: int = 3, **plan: Any) -> Campaign:
    """A test on 1,600 people that is being sent, with some who wait for its end."""
    mailing = make_mailing(workspace, size=2, variants=2, sent_at=timezone.now() - timedelta(minutes=30))
    for variant, subject, clicked in zip(
        mailing.variants, ("First pour of autumn is here", "The harvest lot we waited a year for"), clicks, strict=True
    ):
        Variant.objects.filter(pk=variant.pk).update(subject=subject, body=HELLO)
        CampaignStats.objects.create(
            campaign=mailing.campaign, variant=variant, delivered=800, unique_clicks=clicked, unique_opens=3 * clicked
        )
    Message.objects.bulk_create(
        Message(workspace=workspace, campaign=mailing.campaign, email=f"waits{n}@example.org", status="held",
                email_normalized=f"waits{n}@example.org")
        for n in range(waiting)
    )  # fmt: skip
    Experiment.objects.create(workspace=workspace, campaign=mailing.campaign, **{"mode": "winner", **plan})
    return mailing.campaign


def form_of(campaign: Campaign, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "mode": "winner", "metric": "clicks", "goal_key": "", "test_share": 30, "lift": 25, "decide_after_hours": 6,
        "chooser": "person", "fallback": "ask", "holdout_share": 5,
    }  # fmt: skip
    for variant in campaign.variants.order_by("label"):
        fields |= {
            f"{variant.label}-subject": variant.subject, f"{variant.label}-preview_text": variant.preview_text,
            f"{variant.label}-share": variant.share, f"{variant.label}-sender": "",
            f"{variant.label}-send_delay_minutes": variant.send_delay_minutes,
        }  # fmt: skip
    return {**fields, **changes}


def text_of(response: Any) -> str:
    return str(response.content.decode())


# --- setting it up ---------------------------------------------------------------------------------------------------
def test_a_test_is_set_up_on_its_page(client: Client, draft: Campaign, workspace: Workspace) -> None:
    address = reverse("campaigns:experiment", args=[draft.pk])
    assert "What it can show" in text_of(client.get(address))
    sender = draft.sender
    changes = {"B-subject": "Gone by Friday", "A-share": 40, "B-share": 60, "B-sender": str(sender.pk),
               "B-send_delay_minutes": 45}  # fmt: skip
    answer = client.post(address, form_of(draft, **changes))
    assert answer.status_code == 302
    plan = Experiment.objects.get()
    assert (plan.mode, plan.test_share, plan.minimum_lift, plan.decide_after_hours, plan.chooser, plan.fallback) == (
        "winner", 30, 0.25, 6, "person", "ask",
    )  # fmt: skip
    second = Variant.objects.get(label="B")
    assert (second.subject, second.share, second.sender, second.send_delay_minutes) == (
        "Gone by Friday",
        60,
        sender,
        45,
    )
    assert second.body, "what it says stays"
    assert Campaign.objects.get().holdout_share == 5


def test_variants_are_added_as_copies_and_removed(client: Client, draft: Campaign) -> None:
    address = reverse("campaigns:experiment", args=[draft.pk])
    client.post(address, form_of(draft, action="add", **{"A-subject": "Typed just now"}))
    assert list(draft.variants.order_by("label").values_list("label", "subject", "share")) == [
        ("A", "Typed just now", 34), ("B", TWO[1]["subject"], 33), ("C", TWO[0]["subject"], 33),
    ]  # fmt: skip
    assert draft.variants.get(label="C").body == draft.variants.get(label="A").body
    client.post(address, form_of(draft, action="remove:B"))
    assert list(draft.variants.order_by("label").values_list("label", "share")) == [("A", 50), ("C", 50)]


def test_what_cannot_be_is_said_beside_its_field(client: Client, draft: Campaign) -> None:
    address = reverse("campaigns:experiment", args=[draft.pk])
    page = client.post(address, form_of(draft, test_share=0, lift=""))
    assert page.status_code == 400
    assert text_of(page).count('aria-invalid="true"') == 2
    page = client.post(address, form_of(draft, **{"A-share": 30, "B-share": 30}))
    assert "must add up to 100" in text_of(page)
    page = client.post(address, form_of(draft, **{"A-subject": "Hello {{first_name"}))
    assert page.status_code == 400
    assert not Experiment.objects.exists()


def test_a_goal_can_be_chosen_when_there_is_one(client: Client, draft: Campaign, workspace: Workspace) -> None:
    Goal.objects.create(workspace=workspace, key="order", name="Ordered a bag")
    address = reverse("campaigns:experiment", args=[draft.pk])
    assert "Ordered a bag" in text_of(client.get(address))
    client.post(address, form_of(draft, metric="goal", goal_key="order"))
    assert Experiment.objects.get().goal_key == "order"


def test_the_time_may_be_left_to_the_mode(client: Client, draft: Campaign) -> None:
    address = reverse("campaigns:experiment", args=[draft.pk])
    for mode, hours in (("even", 168), ("winner", 4)):
        client.post(address, form_of(draft, mode=mode, decide_after_hours=""))
        assert Experiment.objects.get().decide_after_hours == hours


def test_analysts_look_and_editors_of_launched_campaigns_are_sent_to_watch(
    workspace: Workspace, draft: Campaign, client: Client
) -> None:
    analyst = Client()
    analyst.force_login(make_member(workspace, "analyst"))
    address = reverse("campaigns:experiment", args=[draft.pk])
    assert '<fieldset class="stack" disabled>' in text_of(analyst.get(address))
    assert analyst.post(address, form_of(draft)).status_code == 403
    Campaign.objects.filter(pk=draft.pk).update(status="sending", launched_at=timezone.now())
    assert client.get(address).url == reverse("analytics:live", args=[draft.pk])


# --- what it can show ------------------------------------------------------------------------------------------------
def test_the_outlook_follows_the_form_and_saves_nothing(client: Client, draft: Campaign) -> None:
    address = reverse("analytics:experiment_outlook", args=[draft.pk])
    stored = text_of(client.get(address))
    assert "usual click rate of <b>2 %</b>" in stored
    assert "<b>20</b>" in stored, "40 people, two variants"
    assert "With 40 people this test cannot show any difference" in stored
    written = text_of(client.get(address, {"mode": "winner", "test_share": "50", "metric": "opens", "lift": "30"}))
    assert "open rate" in written
    assert "To see 30 %" in written
    assert "<b>10</b>" in written
    assert "varies too much" in text_of(client.get(address, {"metric": "revenue"}))
    nonsense = {
        "mode": "coin",
        "test_share": "x",
        "lift": "-1",
        "A-share": "1e9",
        "goal_key": "é" * 99,
        "metric": "luck",
    }
    assert client.get(address, nonsense).status_code == 200
    assert not Experiment.objects.exists()


def test_preflight_and_the_review_page_speak_of_the_test(client: Client, draft: Campaign) -> None:
    page = text_of(client.get(reverse("campaigns:review", args=[draft.pk])))
    assert "With 40 people this test cannot show any difference" in page
    assert reverse("campaigns:experiment", args=[draft.pk]) in page


# --- where it stands -------------------------------------------------------------------------------------------------
def test_the_card_says_where_a_test_stands_in_words_bars_and_a_table(client: Client, workspace: Workspace) -> None:
    campaign = running(workspace)
    card = text_of(client.get(reverse("analytics:experiment_card", args=[campaign.pk])))
    for words in (
        "33 of 800 clicked",
        "51 of 800 clicked",
        "Not proven yet",
        "valid however often you look",
        "A 800 of 800",
        "clicks for each 1,000 readers",
        "3 get a variant when the test is over",
        "<caption",
    ):
        assert words in card, words
    single = make_mailing(workspace).campaign
    assert text_of(client.get(reverse("analytics:experiment_card", args=[single.pk]))).strip() == ""


def test_a_person_sends_a_variant_and_only_who_may_send_sees_the_buttons(client: Client, workspace: Workspace) -> None:
    campaign = running(workspace, chooser="person")
    card, choose = (reverse(f"analytics:experiment_{name}", args=[campaign.pk]) for name in ("card", "choose"))
    assert "Send B to 3" in text_of(client.get(card))
    analyst = Client()
    analyst.force_login(make_member(workspace, "analyst"))
    assert "Send B to 3" not in text_of(analyst.get(card))
    assert analyst.post(choose, {"variant": "B"}).status_code == 403
    assert client.post(choose, {"variant": "B", "reason": "The sale ends tonight"}).status_code == 302
    plan = Experiment.objects.get()
    assert (plan.winner.label, plan.state) == ("B", "no_difference")
    assert "sent B to the rest: The sale ends tonight" in plan.outcome
    assert set(Message.objects.filter(email__startswith="waits").values_list("status", "variant__label")) == {
        ("queued", "B")
    }
    after = text_of(client.get(card))
    assert "Send B to" not in after
    assert "The sale ends tonight" in after
    assert client.post(choose, {"variant": "Z"}).status_code == 404


# --- in a browser ----------------------------------------------------------------------------------------------------
def opened(live_server: LiveServer, page_for: PageFor, workspace: Workspace, path: str, **options: Any) -> Page:
    client = Client()
    client.force_login(make_member(workspace))
    page = page_for(**options)
    session = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([{**session, "url": live_server.url}])
    page.goto(live_server.url + path)
    return page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_setting_up_a_test_looks_right_and_can_be_used(
    live_server: LiveServer, page_for: PageFor, workspace: Workspace, draft: Campaign, theme: str, width: int
) -> None:
    path = reverse("campaigns:experiment", args=[draft.pk])
    page = opened(live_server, page_for, workspace, path, theme=theme, width=width)
    expect(page.get_by_text("cannot show any difference")).to_be_visible()
    expect(page.get_by_label("Test on, % of the list")).to_be_hidden()
    page.get_by_role("radio", name="Test on some, send the winner to the rest").check()
    expect(page.get_by_label("Test on, % of the list")).to_be_visible()
    expect(page.get_by_label("Which goal")).to_be_hidden()
    page.get_by_label("Compared by").select_option("opens")
    expect(page.get_by_text("a usual open rate")).to_be_visible()
    page.get_by_label("Smallest difference that matters, %").fill("40")
    expect(page.get_by_text("To see 40 %")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"experiment-plan-{theme}-{width}")
    # the form goes to the server with what htmx had under way
    page.expected_errors += ["htmx:afterRequest", "htmx:sendAbort"]
    page.get_by_label("Smallest difference that matters, %").press("Enter")
    expect(page.get_by_text("The test is saved.")).to_be_visible()
    assert Experiment.objects.get().minimum_lift == 0.4
    assert draft.variants.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_card_looks_right_and_sends_a_variant(
    live_server: LiveServer, page_for: PageFor, workspace: Workspace, theme: str, width: int
) -> None:
    campaign = running(workspace, chooser="person", waiting=40)
    path = reverse("analytics:live", args=[campaign.pk])
    page = opened(live_server, page_for, workspace, path, theme=theme, width=width)
    page.expected_errors.append("WebSocket connection")  # this server has no sockets
    card = page.locator("#ab")
    expect(card).to_be_visible()
    card.get_by_text("As a table").click()
    assert_accessible(page)
    assert_fits(page)
    card.scroll_into_view_if_needed()
    save_picture(page, f"experiment-card-{theme}-{width}")
    card.get_by_label("Send one to the rest yourself").fill("It reads better")
    card.get_by_role("button", name="Send B to 40").click()
    page.get_by_role("dialog").get_by_role("button", name="Send B").click()
    expect(page.get_by_text("Variant B goes to everybody who waited.")).to_be_visible()
    assert Experiment.objects.get().winner.label == "B"

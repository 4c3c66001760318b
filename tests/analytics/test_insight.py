"""Two lines about a finished campaign, from its figures only; and the draft of a second mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User, Workspace
from aiwriter.agents import running
from aiwriter.agents.small.insight import faults_of
from aiwriter.models import Generation
from aiwriter.services.briefs import create_brief
from analytics.models import CampaignStats
from analytics.selectors.insight import MIN_CAMPAIGNS, get_facts
from analytics.services.follow_up import READERS
from audiences.models import Contact, Segment
from audiences.selectors import preview_segment
from campaigns.models import Campaign, Message
from tests.analytics.making import SENT_AT, Mailing, make_mailing, make_member, make_workspace
from tests.fakes.llm_server import LLMServer, Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def maya(workspace) -> User:
    return make_member(workspace)


@pytest.fixture
def api(maya) -> APIClient:
    client = APIClient()
    client.force_login(maya)
    return client


@pytest.fixture
def fake(settings) -> Iterator[LLMServer]:
    with LLMServer() as server:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", server.openai_url
        settings.ANTHROPIC_API_KEY = ""
        yield server


def finished(workspace: Workspace, *, size: int = 200, opens: int = 60, clicks: int = 20, **more: Any) -> Mailing:
    """A campaign that was sent, with so many opens and clicks of people, and as many opens of machines."""
    days_ago = more.pop("days_ago", 0)
    mailing = make_mailing(
        workspace, size=size, provider="smtp", campaign_status=Campaign.Status.SENT,
        sent_at=SENT_AT - timedelta(days=days_ago), **more,
    )  # fmt: skip
    CampaignStats.objects.create(
        campaign=mailing.campaign, variant=mailing.variants[0], opens=opens, unique_opens=opens, any_opens=size,
        machine_opens=size, clicks=clicks, unique_clicks=clicks, any_clicks=clicks,
    )  # fmt: skip
    return mailing


def with_history(workspace: Workspace, number: int, *, clicks: int = 4) -> None:
    for day in range(1, number + 1):
        finished(workspace, clicks=clicks, days_ago=day, with_contacts=False, name=f"Earlier {day}")


def address(campaign: Campaign, what: str = "insight") -> str:
    return f"/v1/campaigns/{campaign.pk}/{what}"


# --- by rules ---------------------------------------------------------------------------------------------------------
def test_without_a_model_two_lines_say_what_the_figures_say(api, workspace):
    campaign = finished(workspace).campaign

    body = api.get(address(campaign)).json()

    assert body["lines"][0] == "200 sent and 200 delivered; 60 people opened (30.0 %) and 20 people clicked (10.0 %)."
    assert body["lines"][1] == "Not enough data to compare the click rate: 0 earlier campaigns, 3 are needed."
    assert (body["origin"], body["ai_generated"], body["status"]) == ("rules", False, "ready")


def test_one_person_is_no_people(api, workspace):
    body = api.get(address(finished(workspace, size=2, opens=1, clicks=1).campaign)).json()

    assert body["lines"][0] == "2 sent and 2 delivered; 1 person opened (50.0 %) and 1 person clicked (50.0 %)."


def test_machines_are_left_out(api, workspace):
    body = api.get(address(finished(workspace).campaign)).json()

    assert "60 people opened, 30.0 % of the delivered" in body["figures"]
    assert "200 people opened" not in json.dumps(body)


@pytest.mark.parametrize(
    ("clicks", "verdict", "words"),
    [
        (40, "above", "The click rate of 20.0 % is above the average of 2.0 % of the last 3 campaigns."),
        (0, "below", ""),
        (5, "same", "the difference may be chance"),
    ],
)
def test_a_rate_is_compared_with_the_own_average_and_says_of_how_many(workspace, clicks, verdict, words):
    with_history(workspace, MIN_CAMPAIGNS, clicks=4 if verdict != "below" else 30)

    facts, lines = get_facts(finished(workspace, clicks=clicks).campaign)

    compared = facts["comparisons"][-1]
    assert (compared["verdict"], compared["campaigns"]) == (verdict, 3)
    assert words in compared["text"]
    assert verdict == "same" or lines[1] == compared["text"]


def test_small_and_later_campaigns_are_no_average(workspace):
    for day in (1, 2, 3):
        finished(workspace, size=10, opens=1, clicks=1, days_ago=day, with_contacts=False)
        finished(workspace, days_ago=-day, with_contacts=False)

    facts, _lines = get_facts(finished(workspace).campaign)

    assert {one["verdict"] for one in facts["comparisons"]} == {"not_enough_data"}


def test_what_was_not_tracked_is_not_told(workspace):
    campaign = finished(workspace).campaign
    campaign.track_opens = campaign.track_clicks = False
    campaign.save()

    facts, lines = get_facts(campaign)

    assert lines == ["200 sent and 200 delivered; opens and clicks were not tracked.", "There is nothing to compare."]
    assert not [text for text in facts["figures"] if "opened" in text or "clicked" in text]


def test_a_campaign_that_is_under_way_is_not_summed_up(api, workspace):
    campaign = make_mailing(workspace).campaign

    assert api.get(address(campaign)).status_code == 409


# --- by a model -------------------------------------------------------------------------------------------------------
GOOD = {
    "happened": "200 mails were delivered and 60 people opened (30.0 %).",
    "stands_out": "20 people clicked, 10.0 %.",
}


def said(**lines: str) -> Reply:
    return Reply(json.dumps({**GOOD, **lines}))


def summed_up(api: APIClient, campaign: Campaign) -> dict[str, Any]:
    response = api.post(address(campaign))
    assert response.status_code == 202, response.json()
    running.run(Generation.objects.for_workspace(campaign.workspace_id).latest("created_at").pk)
    return api.get(address(campaign)).json()


def test_a_model_writes_the_lines_and_is_not_paid_twice_for_the_same_figures(api, workspace, fake):
    fake.otherwise = lambda _request: said()
    campaign = finished(workspace).campaign

    first = summed_up(api, campaign)
    again = api.post(address(campaign))

    assert (first["lines"], first["origin"], first["is_current"]) == ([*GOOD.values()], "ai", True)
    assert first["model"]
    assert (again.status_code, again.json()["generation"]) == (200, first["generation"])
    assert len(fake.requests) == 1

    CampaignStats.objects.filter(campaign=campaign).update(unique_opens=61)
    moved = api.get(address(campaign)).json()
    assert (moved["is_current"], moved["origin"]) == (False, "ai")
    assert api.post(address(campaign)).status_code == 202


def test_the_model_sees_figures_and_nobody(api, workspace, fake):
    fake.otherwise = lambda _request: said()

    summed_up(api, finished(workspace, domains=("secret.example",)).campaign)

    sent = json.dumps(fake.requests[0].body)
    assert "200 delivered" in sent
    assert "secret.example" not in sent
    assert "reader0" not in sent


def test_a_number_that_is_no_figure_is_mended_once(api, workspace, fake):
    fake.script.extend([said(stands_out="75 % clicked, a fine result."), said()])

    body = summed_up(api, finished(workspace).campaign)

    assert body["lines"] == [*GOOD.values()]
    assert "none of the figures" in json.dumps(fake.requests[1].body)


@pytest.mark.parametrize(
    "line",
    [
        "Some 65 people opened.",
        "Almost a third opened it.",
        "Twice as many clicked.",
        "20 people clicked, which is above the average.",
        "20 people clicked because the subject was short.",
        "Most of them opened.",
        "It earned $300.",
        "10.5 % clicked.",
    ],
)
def test_what_the_figures_do_not_say_is_refused_and_the_rules_lines_stay(api, workspace, fake, line):
    fake.otherwise = lambda _request: said(stands_out=line)

    body = summed_up(api, finished(workspace).campaign)

    assert (body["origin"], body["status"]) == ("rules", "failed")
    assert body["lines"][0].startswith("200 sent")
    assert body["problem"] == "The AI writer said more than the figures show."


@given(number=st.integers(min_value=0, max_value=100_000), unit=st.sampled_from(["", " %", " people", ".5 %"]))
@settings(max_examples=150, deadline=None)
def test_only_numbers_of_the_figures_pass(number, unit):
    request = {
        "campaign": "Offer 5",
        "figures": ["200 sent", "60 people opened, 30.5 % of the delivered"],
        "derived": ["140 people have not opened"],
        "comparisons": [],
    }
    counts, rates = {200, 60, 140}, {"30.5 %"}
    said_text = f"{number}{unit}"
    is_known = said_text in rates or ("%" not in unit and number in counts)

    assert (not list(faults_of([f"There were {said_text} here."], request))) == is_known


def test_without_a_provider_the_model_is_refused_and_the_rules_go_on(api, workspace):
    campaign = finished(workspace).campaign

    refused = api.post(address(campaign))

    assert (refused.status_code, refused.json()["code"]) == (503, "ai_not_configured")
    assert api.get(address(campaign)).json()["origin"] == "rules"


# --- a second mail ----------------------------------------------------------------------------------------------------
@pytest.fixture
def read(workspace) -> Mailing:
    """Five got it: one opened, one opened and clicked, one was only opened by a machine, one bounced before."""
    mailing = make_mailing(workspace, size=5, campaign_status=Campaign.Status.SENT)
    opened, clicked, machine, _quiet, skipped = mailing.messages
    for message, facts in (
        (opened, {"first_opened_at": SENT_AT}),
        (clicked, {"first_opened_at": SENT_AT, "first_clicked_at": SENT_AT}),
        (machine, {"first_machine_opened_at": SENT_AT}),
        (skipped, {"status": Message.Status.SKIPPED}),
    ):
        Message.objects.filter(pk=message.pk).update(**facts)
    return mailing


@pytest.mark.parametrize(
    ("readers", "numbers"), [("did_not_open", (2, 3)), ("opened_without_click", (0,)), ("clicked", (1,))]
)
def test_a_follow_up_is_a_draft_for_the_right_readers_with_a_brief_of_its_own(api, workspace, read, readers, numbers):
    read.campaign.brief = create_brief(
        workspace=workspace,
        fields={
            "goal": "The harvest roast is back",
            "facts": ["Free shipping until Sunday"],
            "cta_url": "https://n.example/",
        },
    )
    read.campaign.save()

    response = api.post(address(read.campaign, "follow-up"), {"readers": readers}, format="json")

    body = response.json()
    assert response.status_code == 202, body
    made = Campaign.objects.get(pk=body["campaign"])
    segment = Segment.objects.get(pk=body["segment"])
    assert (made.status, made.launched_at, list(made.segments.all())) == ("draft", None, [segment])
    assert "The harvest roast is back" in made.brief.goal
    assert made.brief.facts == ["Free shipping until Sunday"]
    assert made.brief.audience == READERS[readers].audience
    assert Generation.objects.get(pk=body["generation"]).campaign_id == made.pk
    assert not made.messages.exists()
    _count, sample = preview_segment(segment.rules, workspace_id=workspace.pk)
    expected = {read.messages[number].contact_id for number in numbers}
    assert {contact.pk for contact in sample} == expected


def test_the_segment_of_a_follow_up_is_made_once(api, workspace, read):
    for _ in range(2):
        response = api.post(address(read.campaign, "follow-up"), {"readers": "clicked"}, format="json")
        assert response.status_code == 202, response.json()

    assert Segment.objects.count() == 1
    assert Contact.objects.count() == 5


def test_a_follow_up_without_a_brief_begins_with_the_subject(api, workspace, read):
    body = api.post(address(read.campaign, "follow-up"), {"readers": "did_not_open"}, format="json").json()

    assert "“Subject 0”" in Campaign.objects.get(pk=body["campaign"]).brief.goal


@pytest.mark.parametrize("readers", ["", "everybody", None])
def test_other_readers_are_refused(api, read, readers):
    assert api.post(address(read.campaign, "follow-up"), {"readers": readers}, format="json").status_code == 400


def test_a_campaign_that_is_under_way_gets_no_follow_up(api, workspace):
    campaign = make_mailing(workspace).campaign

    assert api.post(address(campaign, "follow-up"), {"readers": "clicked"}, format="json").status_code == 409


# --- the card ---------------------------------------------------------------------------------------------------------
def test_the_card_says_who_wrote_the_lines_and_what_they_rest_on(client, maya, workspace):
    client.force_login(maya)
    campaign = finished(workspace).campaign

    card = client.get(reverse("analytics:insight", args=[campaign.pk])).content.decode()

    assert "By rules, no AI model" in card
    assert "60 people opened, 30.0 % of the delivered" in card
    assert "Ask the AI writer" not in card
    assert "did not open (200)" in card


def test_the_card_leads_to_a_draft_in_the_composer(client, maya, workspace):
    client.force_login(maya)
    campaign = finished(workspace).campaign

    response = client.post(reverse("analytics:follow_up", args=[campaign.pk]), {"readers": "did_not_open"})

    made = Campaign.objects.get(name__startswith="Follow-up")
    assert response["Location"] == reverse("campaigns:composer", args=[made.pk])

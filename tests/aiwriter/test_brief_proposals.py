"""From one sentence to a proposed brief: by rules, by a model, and never more than the sentence says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from aiwriter.agents.contract import BriefData
from aiwriter.agents.offline.proposing import propose_by_rules
from aiwriter.agents.small.brief import held_to
from aiwriter.services.facts import save_fact
from aiwriter.services.proposing import propose_brief
from tests.aiwriter.making import make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply

NOTHING = {
    "audience": "", "offer": "", "facts": [], "cta_label": "", "cta_url": "", "tone": "", "length": "medium",
    "language": "en", "must_say": [], "must_not_say": [],
}  # fmt: skip


def proposed(goal: str, *brand_facts: str) -> dict:
    brief = BriefData(goal=goal, brand_facts=brand_facts)
    return held_to(brief, propose_by_rules(brief))["proposed"]


def test_rules_read_audience_offer_facts_and_the_button_from_one_sentence():
    found = proposed("Tell our subscribers that the harvest roast is back, free shipping until Sunday")

    assert found == {
        "language": "en",
        "audience": "Subscribers",
        "offer": "Free shipping until Sunday",
        "facts": ["The harvest roast is back"],
        "cta_label": "Order yours",
        "length": "medium",
    }


def test_rules_read_what_is_said_to_the_writer():
    found = proposed(
        "Invite our wholesale clients in Bristol to the cupping on Friday at 6 pm. Keep it warm and short. "
        "Mention that parking is free. Don't mention prices."
    )

    assert (found["audience"], found["tone"], found["length"]) == ("Wholesale clients in Bristol", "warm", "short")
    assert (found["must_say"], found["must_not_say"]) == (["Parking is free"], ["prices"])


def test_brand_facts_that_bear_on_the_sentence_are_proposed():
    found = proposed("20% off all grinders", "Every grinder has a two-year warranty", "We ship on weekdays")

    assert found["facts"] == ["Every grinder has a two-year warranty"]


def test_a_sentence_in_another_language_is_recognised_and_not_guessed_at():
    assert proposed("Sag unseren Kunden, dass die Ernte-Röstung zurück ist und der Versand gratis ist") == {
        "language": "de"
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("offer", "Free shipping and 20% off"),
        ("offer", "Free shipping until Monday"),
        ("facts", ["Grown by the Lopez family"]),
        ("facts", ["1,450 bags were picked"]),
        ("audience", "Those who bought in the last 12 months"),
        ("cta_label", "Save 50%"),
        ("cta_url", "https://elsewhere.example/"),
        ("must_say", ["The best coffee in town"]),
        ("tone", "as warm as our award-winning roast"),
    ],
)
def test_what_the_sentence_does_not_say_is_held_back_with_a_reason(field, value):
    brief = BriefData(goal="The harvest roast is back, free shipping until Sunday")

    held = held_to(brief, {**NOTHING, field: value})

    assert field not in held["proposed"]
    assert held["left_out"][0]["field"] == field
    assert held["left_out"][0]["reason"]


def test_the_words_of_the_sentence_pass_in_another_order():
    brief = BriefData(goal="The harvest roast is back, free shipping until Sunday", cta_url="https://n.example/h")
    fields = {"offer": "Shipping is free until Sunday", "facts": ["Harvest roast is back"], "cta_url": brief.cta_url}

    assert held_to(brief, {**NOTHING, **fields})["proposed"].items() >= fields.items()


@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer() as running:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", running.openai_url
        yield running


@pytest.mark.django_db(transaction=True)
def test_a_models_proposal_is_held_to_the_sentence_and_the_brands_facts(server):
    workspace = make_workspace()
    save_fact(workspace=workspace, actor=None, text="Every grinder has a two-year warranty")
    answer = {
        **NOTHING,
        "audience": "Home brewers",
        "offer": "20% off all grinders",
        "facts": ["Every grinder has a two-year warranty", "Over 5,000 happy customers"],
        "tone": "plain, helpful",
    }
    server.otherwise = lambda _request: Reply(json.dumps(answer))

    done = written(propose_brief(workspace=workspace, actor=None, goal="20% off all grinders this week"))

    assert done.status == "succeeded", done.error_detail
    assert done.result["proposed"]["facts"] == ["Every grinder has a two-year warranty"]
    assert done.result["proposed"]["audience"] == "Home brewers"
    assert [left["text"] for left in done.result["left_out"]] == ["Over 5,000 happy customers"]
    assert set(server.requests[0].properties) == set(NOTHING)


@pytest.mark.django_db(transaction=True)
def test_without_a_model_the_proposal_says_who_made_it():
    done = written(propose_brief(workspace=make_workspace(), actor=None, goal="Announce our new app"))

    assert (done.status, done.origin, done.cost_micro_usd) == ("succeeded", "offline_template", 0)
    assert done.result["proposed"]["cta_label"] == "Get the app"

"""Drafts without a model: three different mails from the brief's own words, honestly labelled."""

from __future__ import annotations

import json

import pytest

from aiwriter.agents.contract import BriefData, VoiceData, check_content
from aiwriter.agents.offline.engine import write_drafts
from aiwriter.agents.offline.reading import read_brief
from aiwriter.models import Draft, Generation, GenerationStep
from aiwriter.models.draft import readable_text
from tests.aiwriter.making import SENTENCE, ask, make_workspace, written


def angles_of(goal: str, **fields):
    brief = BriefData(goal=goal, workspace_name="Northwind Coffee", **fields)
    return brief, write_drafts(brief)


@pytest.mark.parametrize(
    ("goal", "statement", "offers"),
    [
        (SENTENCE, "The harvest roast is back", ("free shipping until Sunday",)),
        ("Announce our new autumn menu and 20% off until Friday", "Our new autumn menu", ("20% off until Friday",)),
        ("Remind members to renew their membership before 31 December", "Renew your membership before 31 December", ()),
        (
            "Draft a campaign for our sale: 30% off everything, ends Monday",
            "Our sale",
            ("30% off everything until Monday",),
        ),
        (
            "Email customers who bought beans last month that our new grinder is in stock",
            "Our new grinder is in stock",
            (),
        ),
        ("Write a newsletter announcing our new store in Bristol", "Our new store in Bristol", ()),
    ],
)
def test_it_tells_the_instruction_from_the_news(goal, statement, offers):
    news = read_brief(BriefData(goal=goal))

    assert news.statement == statement
    assert news.offers == offers


@pytest.mark.django_db
def test_one_sentence_becomes_three_labelled_drafts():
    generation = written(ask(make_workspace()))

    assert generation.status == Generation.Status.SUCCEEDED
    assert generation.origin == Generation.Origin.OFFLINE_TEMPLATE
    assert (generation.provider, generation.model, generation.cost_micro_usd) == ("offline", "template-v1", 0)
    drafts = generation.ordered_drafts
    assert [draft.position for draft in drafts] == [0, 1, 2]
    assert not any(draft.is_ai_generated for draft in drafts)
    assert all(draft.guardrails["ok"] for draft in drafts)
    assert all("harvest roast" in readable_text(draft.blocks).lower() for draft in drafts)
    assert all("free shipping until sunday" in readable_text(draft.blocks).lower() for draft in drafts)
    step = GenerationStep.objects.get(generation=generation)
    assert (step.provider, step.cost_micro_usd, step.usage_source) == ("offline", 0, "none")


@pytest.mark.django_db
def test_the_same_brief_gives_the_same_drafts():
    workspace = make_workspace()

    first, second = (
        [(d.angle, d.subject, d.preview_text, json.dumps(d.blocks)) for d in written(ask(workspace)).ordered_drafts]
        for _ in range(2)
    )

    assert first == second


def test_the_angles_are_different_mails():
    _, drafts = angles_of(SENTENCE, facts=("Picked in June", "1,450 bags"), cta_url="https://northwind.example/h")

    assert len({draft.subject for draft in drafts}) == 3
    assert len({draft.angle for draft in drafts}) == 3
    assert len({draft.blocks[0]["type"] + str(draft.blocks[0].get("text")) for draft in drafts}) == 3


def test_it_greets_by_name_with_a_fallback():
    _, drafts = angles_of(SENTENCE)

    greeting = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
    assert all(any(greeting in block.get("html", "") for block in draft.blocks) for draft in drafts)


@pytest.mark.parametrize(
    "goal",
    [
        SENTENCE,
        "Thank customers for a great year",
        "Ask our customers to leave a review",
        "We launched a mobile app and it is free to download",
        "Win back customers who haven't bought in six months with a 10% discount",
        "Herbstfest am Samstag mit freiem Eintritt",
        "x",
    ],
)
def test_it_invents_nothing(goal):
    brief, drafts = angles_of(goal, cta_url="https://northwind.example/h")

    for draft in drafts:
        report = check_content(draft, brief, VoiceData())
        assert [f for f in report["findings"] if f["severity"] == "block"] == []
        assert draft.subject
        assert draft.preview_text
        assert not any("<script" in block.get("html", "") for block in draft.blocks)


def test_markup_in_the_sentence_is_escaped_and_pointed_out():
    brief, drafts = angles_of("<script>alert(1)</script> sale & more", cta_url="https://northwind.example/h")

    for draft in drafts:
        report = check_content(draft, brief, VoiceData())
        assert {f["code"] for f in report["findings"] if f["severity"] == "block"} == {"leftover_text"}
        assert not any("<script" in block.get("html", "") for block in draft.blocks)


def test_a_subject_fits_into_an_inbox():
    _, drafts = angles_of("Announce " + "a rather long description of something new " * 8)

    assert all(len(draft.subject) <= 60 for draft in drafts)


def test_another_language_is_admitted_not_pretended():
    brief, drafts = angles_of("Unser Herbstfest ist am Samstag", language="de")

    assert all("language_not_offered" in _codes(draft, brief) for draft in drafts)


def test_a_brief_without_a_link_gets_a_button_to_fill_and_says_so():
    brief, drafts = angles_of(SENTENCE)

    assert all("link_missing" in _codes(draft, brief) for draft in drafts)


@pytest.mark.django_db
def test_a_link_inside_the_sentence_is_used_and_the_website_stands_in():
    workspace = make_workspace(brand={"website": "https://northwind.example"})

    linked = written(ask(workspace, goal=f"{SENTENCE}: https://northwind.example/roast", cta_url=""))
    plain = written(ask(workspace, cta_url=""))

    assert _button(linked) == "https://northwind.example/roast"
    assert _button(plain) == "https://northwind.example"
    assert all("https" not in draft.subject for draft in linked.ordered_drafts)
    assert Draft.objects.filter(guardrails__ok=False).count() == 0


def _codes(draft, brief) -> set[str]:
    return {finding["code"] for finding in check_content(draft, brief, VoiceData())["findings"]}


def _button(generation: Generation) -> str:
    return next(block["url"] for block in generation.ordered_drafts[0].blocks if block["type"] == "button")

"""Mixing drafts, writing one part anew and bringing it back; angles that say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from accounts.models import Activity
from aiwriter.agents.contract import DraftContent
from aiwriter.agents.distinctness import TOO_ALIKE, similarities, with_alike_flagged
from aiwriter.models import Draft, Generation
from aiwriter.services.drafts import accept_draft
from aiwriter.services.mixing import MOST_DRAFTS, mix_drafts, regenerate_part, restore_part
from aiwriter.services.voices import save_brand_voice
from pulsequill.core.errors import Invalid, WrongState
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply, Request

pytestmark = pytest.mark.django_db(transaction=True)

PART = {"text", "title", "url"}


@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer(otherwise=team.answer) as running:
        settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = running.openai_url, running.url
        settings.EMBEDDER = "lexical"
        yield running


@pytest.fixture
def drafts() -> list[Draft]:
    return written(ask(make_workspace())).ordered_drafts


def blocks_of(*drafts: Draft) -> list[dict[str, str]]:
    return [{"draft": str(draft.pk), "block": block["id"]} for draft in drafts for block in draft.blocks]


def answering(text: str, **fields: str):
    def answer(request: Request) -> Reply:
        if request.properties == PART:
            return Reply(json.dumps({"text": text, "title": "", "url": "", **fields}))
        return team.answer(request)

    return answer


def rewritten(draft: Draft, part: str, **asked) -> Generation:
    return written(regenerate_part(draft=draft, part=part, actor=None, **asked))


# --- mixing ----------------------------------------------------------------------------------------------------------
def test_a_mix_takes_each_part_from_where_it_was_chosen_and_is_checked(drafts):
    first, second, _ = drafts
    actor = make_member(first.workspace)

    mixed = mix_drafts(
        generation=first.generation, subject=second.pk, preview_text=first.pk, actor=actor,
        blocks=[*blocks_of(first)[:2], *blocks_of(second)[-3:]],
    )  # fmt: skip

    assert (mixed.position, mixed.letter, mixed.angle) == (3, "D", "Mix of A and B")
    assert (mixed.subject, mixed.preview_text) == (second.subject, first.preview_text)
    assert [block["id"] for block in mixed.blocks] == ["d1", "d2", "d3", "d4", "d5"]
    assert mixed.blocks[4]["html"] == second.blocks[-1]["html"]
    assert mixed.made_from_drafts == [str(second.pk), str(first.pk)]
    assert mixed.guardrails["ok"] is True
    assert {receipt["where"] for receipt in mixed.guardrails["receipts"]} >= {"subject"}
    assert Activity.objects.filter(kind="draft.mixed", actor=actor).exists()


def test_what_blocked_a_draft_blocks_its_mix(drafts):
    first, second, _ = drafts
    lie = {"id": "b9", "type": "text", "html": "<p>Now with 75% off.</p>"}
    Draft.objects.filter(pk=second.pk).update(blocks=[lie])

    mixed = mix_drafts(
        generation=first.generation, subject=first.pk, preview_text=first.pk, actor=None,
        blocks=[*blocks_of(first), {"draft": str(second.pk), "block": "b9"}],
    )  # fmt: skip

    assert mixed.guardrails["ok"] is False
    assert "number_unsupported" in {finding["code"] for finding in mixed.guardrails["findings"]}


def test_a_mix_of_what_is_not_there_is_refused(drafts):
    first, second, _ = drafts
    whole = {"subject": first.pk, "preview_text": first.pk, "blocks": blocks_of(first), "actor": None}
    stranger = written(ask(make_workspace())).ordered_drafts[0]

    for wrong in (
        {"subject": stranger.pk},
        {"preview_text": uuid4()},
        {"blocks": []},
        {"blocks": [{"draft": str(second.pk), "block": "a1"}]},
        {"blocks": blocks_of(stranger)},
    ):
        with pytest.raises(Invalid):
            mix_drafts(generation=first.generation, **{**whole, **wrong})
    for _ in range(MOST_DRAFTS - 3):
        mix_drafts(generation=first.generation, **whole)
    with pytest.raises(Invalid, match="at most 8"):
        mix_drafts(generation=first.generation, **whole)


def test_nothing_is_mixed_while_it_is_being_written():
    generation = ask(make_workspace())

    with pytest.raises(WrongState):
        mix_drafts(generation=generation, subject=uuid4(), preview_text=uuid4(), blocks=[{}], actor=None)


# --- one part anew ---------------------------------------------------------------------------------------------------
def test_a_part_is_written_anew_checked_and_can_be_brought_back(server):
    draft = written(ask(make_workspace(), cta_url=team.LINK)).ordered_drafts[0]
    before = [dict(block) for block in draft.blocks]
    server.otherwise = answering("The roast you asked for.\n\n- shipping is free\n- until Sunday")

    done = rewritten(draft, before[1]["id"], wish="plainer")

    draft.refresh_from_db()
    assert done.status == Generation.Status.SUCCEEDED, done.error_detail
    assert done.result["before"] == before[1]
    assert draft.blocks == [before[0], done.result["after"], before[2]]
    assert draft.blocks[1]["html"].startswith("<p>The roast you asked for.</p><ul>")
    assert draft.rewritten_parts == [before[1]["id"]]
    assert draft.guardrails["ok"] is True
    asked = team.data_of(server.requests[-1])
    assert (asked["part"], asked["wish"], len(asked["others"])) == ("block", "plainer", 2)

    back = restore_part(draft=draft, actor=None)

    assert (back.blocks, back.rewritten_parts) == (before, [])
    with pytest.raises(WrongState):
        restore_part(draft=draft, actor=None)


def test_a_part_that_invents_something_blocks_the_draft_until_it_is_brought_back(server):
    draft = written(ask(make_workspace(), cta_url=team.LINK)).ordered_drafts[1]
    server.otherwise = answering("75% off the harvest roast, today only")

    rewritten(draft, "subject")

    draft.refresh_from_db()
    assert draft.guardrails["ok"] is False
    assert next(r for r in draft.guardrails["receipts"] if r["support"] is None)["where"] == "subject"
    assert restore_part(draft=draft, actor=None).guardrails["ok"] is True


def test_a_button_keeps_its_kind_and_only_links_of_the_brief_pass(server):
    draft = written(ask(make_workspace(), cta_url=team.LINK)).ordered_drafts[0]
    button = draft.blocks[2]
    server.otherwise = answering("Taste it again", url="https://elsewhere.example/")

    rewritten(draft, button["id"])

    draft.refresh_from_db()
    assert (draft.blocks[2]["type"], draft.blocks[2]["label"]) == ("button", "Taste it again")
    assert "link_unknown" in {finding["code"] for finding in draft.guardrails["findings"]}


def test_the_same_wish_twice_is_asked_twice(server):
    draft = written(ask(make_workspace(), cta_url=team.LINK)).ordered_drafts[0]
    server.otherwise = answering("Harvest roast, back on the shelf")
    rewritten(draft, "subject")
    draft.refresh_from_db()
    restore_part(draft=draft, actor=None)
    asked = len(server.requests)

    rewritten(draft, "subject")

    assert len(server.requests) == asked + 1


def test_without_a_model_rules_find_another_subject_and_say_no_to_blocks(drafts):
    draft = drafts[0]
    before = draft.subject

    done = rewritten(draft, "subject")
    refused = rewritten(draft, draft.blocks[1]["id"])

    draft.refresh_from_db()
    assert done.status == Generation.Status.SUCCEEDED
    assert draft.subject not in {before, *(other.subject for other in drafts[1:])}
    assert done.result["before"] == before
    assert (refused.status, refused.error_code) == ("failed", "ai_not_configured")


def test_a_draft_in_the_editor_is_changed_there(drafts):
    draft = drafts[0]
    queued = regenerate_part(draft=draft, part="subject", actor=None)
    accept_draft(draft=draft, actor=None)

    late = written(queued)

    assert (late.status, late.error_code) == ("failed", "draft_changed")
    draft.refresh_from_db()
    assert draft.rewritten_parts == []
    with pytest.raises(WrongState):
        regenerate_part(draft=draft, part="subject", actor=None)
    with pytest.raises(WrongState):
        restore_part(draft=draft, actor=None)


@pytest.mark.parametrize("part", ["", "blocks", "z9"])
def test_a_part_that_is_not_there_is_refused(drafts, part):
    with pytest.raises(Invalid):
        regenerate_part(draft=drafts[0], part=part, actor=None)


# --- distinctness ----------------------------------------------------------------------------------------------------
def content(position: int, subject: str, text: str) -> DraftContent:
    return DraftContent(position, "", subject, "", [{"id": "a1", "type": "text", "html": f"<p>{text}</p>"}])


def test_an_angle_like_another_is_flagged_and_a_distinct_one_is_not():
    news = content(0, "The harvest roast is back", "Our harvest roast is back, and shipping is free until Sunday.")
    again = content(1, "The harvest roast is back", "Our harvest roast is back and shipping is free until Sunday!")
    people = content(2, "Three generations, one hillside", "Luz walks the terraces each morning. Her beans are here.")

    flagged = with_alike_flagged([news, again, people])

    assert [bool(draft.remarks) for draft in flagged] == [False, True, False]
    assert flagged[1].remarks[0]["message"].endswith("like angle A: ask for a new set, or keep one of them.")
    assert similarities([news, people])[0, 2] < TOO_ALIKE / 2


def test_angles_of_a_model_that_say_the_same_are_marked_on_their_cards(server):
    drafts = written(ask(make_workspace(), cta_url=team.LINK)).ordered_drafts

    codes = [{finding["code"] for finding in draft.guardrails["findings"]} for draft in drafts]

    assert ["angles_alike" in found for found in codes] == [False, True, True]
    assert all(draft.guardrails["ok"] for draft in drafts)


def test_a_mix_is_scored_against_the_voice_of_its_brief():
    workspace = make_workspace()
    voice = save_brand_voice(
        workspace=workspace, actor=None, name="House", profile={"traits": ["warm"]}, status="active"
    )
    first, second, _ = written(ask(workspace, brand_voice=voice)).ordered_drafts

    mixed = mix_drafts(
        generation=first.generation, subject=second.pk, preview_text=first.pk, blocks=blocks_of(first), actor=None
    )

    assert mixed.voice["voice"]["name"] == "House"
    assert 0 <= mixed.voice["score"] <= 100

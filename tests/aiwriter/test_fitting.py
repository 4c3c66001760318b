"""Shortening a prompt: examples first, then samples by paragraph, then web text; never what the brief says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.fitting import LONGEST_PROMPT, fit
from aiwriter.gateway.tokens import estimate_messages, estimate_text
from aiwriter.gateway.types import LLMRequest, Message
from aiwriter.prompts.messages import DISPENSABLE, build_messages
from tests.effort import cpu_seconds

GPT = ModelEntry(
    price_id=1, provider="openai", model="m", role="main", tier_from_tokens=0, input_price=1, output_price=1,
    cached_input_price=1, context_tokens=20_000, max_output_tokens=4000, accepts_temperature=True,
    thinks_by_default=False, has_structured_output=True, shutdown_date=None, replacement="",
)  # fmt: skip
CLAUDE = replace(GPT, provider="anthropic")
PARTS = [part.name for part in DISPENSABLE]
FACTS = {
    "goal": "The harvest roast is back",
    "facts": ["Free shipping until Sunday", "12 bags left"],
    "links": ["https://northwind.example/harvest"],
    "merge_tags": ["first_name", "unsubscribe_url"],
    "must_say": ["free shipping"],
    "must_not_say": ["cheap"],
}
EXAMPLES = [{"title": f"Mail {number}", "text": "coffee " * 200} for number in range(8)]

texts = st.text(max_size=200)
paragraphs = st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=80), max_size=6)
datas = st.fixed_dictionaries(
    {
        "goal": texts,
        "facts": st.lists(texts, max_size=6),
        "links": st.lists(texts, max_size=4),
        "merge_tags": st.lists(texts, max_size=4),
        "must_say": st.lists(texts, max_size=4),
        "voice": st.dictionaries(texts, texts, max_size=3),
        "examples": st.lists(st.fixed_dictionaries({"title": texts, "text": texts}), max_size=6),
        "samples": st.lists(paragraphs.map("\n\n".join), max_size=4),
        "web_text": st.text(max_size=600),
    }
)


def sent(messages: tuple[Message, ...]) -> dict:
    """The data in a prompt, as the model reads it."""
    (found,) = re.findall(r"\ADATA-\w+\n(.*)\nDATA-\w+\Z", messages[1].text, re.DOTALL)
    return json.loads(found)


@settings(max_examples=200, deadline=None)
@given(data=datas, room=st.integers(300, 3000), entry=st.sampled_from([GPT, CLAUDE]))
def test_what_is_sent_fits_and_says_all_that_the_brief_says_or_nothing_is_sent(data, room, entry):
    entry = replace(entry, context_tokens=room + 500)
    conversation = build_messages("writer", data)

    try:
        fitted = fit(conversation, entry=entry, output_tokens=500)
    except GatewayError as error:
        assert error.code == "context_overflow"
        bare = build_messages("writer", {**data, "examples": [], "samples": [], "web_text": ""})
        assert data["samples"] or estimate_messages(bare, entry.provider) > room, "it could have been shortened"
        return

    assert estimate_messages(fitted.messages, entry.provider) == fitted.input_tokens <= room
    assert fitted.messages[0] == conversation[0], "the rules are never cut"
    got = sent(fitted.messages)
    assert {name: got.get(name) for name in data if name not in PARTS} == {
        name: value or None for name, value in data.items() if name not in PARTS
    }
    kept = got.get("examples", [])
    assert kept == data["examples"][: len(kept)], "the nearest stay"
    if fitted.left_out.get("samples"):
        assert kept == [], "samples go after the examples"
    if fitted.left_out.get("web_text"):
        assert len(got.get("samples", [])) <= 1, "web text goes last"
    assert fit(build_messages("writer", data), entry=entry, output_tokens=500) == fitted, "the same again"


@settings(max_examples=60, deadline=None)
@given(data=datas, room=st.integers(600, 3000))
def test_more_room_never_means_less_text(data, room):
    def length(context: int) -> int:
        try:
            fitted = fit(build_messages("writer", data), entry=replace(GPT, context_tokens=context), output_tokens=100)
        except GatewayError:
            return 0
        return len(fitted.messages[1].text)

    assert length(room) <= length(room + 200)


def test_nothing_is_cut_where_everything_fits():
    data = {**FACTS, "examples": [{"title": "A", "text": "B"}], "samples": ["One.\n\nTwo."], "web_text": "  Three."}

    fitted = fit(build_messages("writer", data), entry=GPT, output_tokens=1000)

    assert sent(fitted.messages) == data
    assert fitted.left_out == {}


def test_parts_go_in_the_order_that_is_declared_and_each_only_when_the_one_before_is_gone():
    samples = ["\n\n".join(f"Paragraph {number}{letter}. " + "roast " * 40 for letter in "abc") for number in range(3)]
    data = {**FACTS, "examples": EXAMPLES, "samples": samples, "web_text": "word " * 1500}
    seen = [(8, 9, 1500)]
    for context in range(9_000, 1_500, -250):
        fitted = fit(build_messages("writer", data), entry=replace(GPT, context_tokens=context), output_tokens=500)
        got = sent(fitted.messages)
        assert {name: got[name] for name in FACTS} == FACTS
        kept = (
            len(got.get("examples", [])),
            len("\n\n".join(got["samples"]).split("\n\n")),
            len(got.get("web_text", "").split()),
        )
        left_out = fitted.left_out
        assert kept[:2] == (8 - left_out.get("examples", 0), 9 - left_out.get("samples", 0)), "the audit row is right"
        seen.append(kept)

    for before, after in pairwise(seen):
        examples, paragraphs_kept, words = after
        assert all(later <= earlier for earlier, later in zip(before, after, strict=True)), "never more in less room"
        assert paragraphs_kept == 9 or examples == 0
        assert words == 1500 or (examples, paragraphs_kept) == (0, 1)
    assert seen[-1][:2] == (0, 1)
    assert 0 < seen[-1][2] < 1500
    assert got["samples"][0].startswith("Paragraph 0a"), "the newest sample's beginning stays"


def test_claude_is_given_less_because_its_tokens_are_smaller():
    def kept(entry: ModelEntry) -> int:
        small = replace(entry, context_tokens=5_000)
        conversation = build_messages("writer", {**FACTS, "examples": EXAMPLES})
        return len(sent(fit(conversation, entry=small, output_tokens=500).messages)["examples"])

    assert kept(CLAUDE) < kept(GPT)


def test_what_can_be_left_out_is_left_out_before_a_prompt_gets_dear():
    data = {**FACTS, "web_text": "word " * 100_000}

    fitted = fit(build_messages("writer", data), entry=replace(GPT, context_tokens=1_000_000), output_tokens=500)

    assert LONGEST_PROMPT * 0.99 < fitted.input_tokens <= LONGEST_PROMPT


def test_facts_may_be_as_long_as_the_model_can_take():
    data = {"facts": ["word " * 50_000]}

    fitted = fit(build_messages("writer", data), entry=replace(GPT, context_tokens=1_000_000), output_tokens=500)

    assert sent(fitted.messages) == data
    assert fitted.input_tokens > LONGEST_PROMPT


def test_a_request_to_mend_an_answer_counts_and_stays():
    data = {**FACTS, "examples": EXAMPLES}
    added = (Message("assistant", "answer " * 500), Message("user", "That cannot be used."))

    def fitted(turns: tuple[Message, ...]) -> tuple[Message, ...]:
        entry = replace(GPT, context_tokens=6_000)
        return fit(build_messages("writer", data), entry=entry, output_tokens=500, added=turns).messages

    assert fitted(added)[-2:] == added
    assert len(sent(fitted(added)[:2]).get("examples", [])) < len(sent(fitted(()))["examples"])


def test_plain_messages_stay_as_they_are_or_are_not_sent():
    messages = (Message("user", "word " * 1000),)

    assert fit(messages, entry=GPT, output_tokens=500).messages == messages
    with pytest.raises(GatewayError, match="context_overflow"):
        fit(messages, entry=replace(GPT, context_tokens=1000), output_tokens=500)


def test_a_question_has_one_digest_however_it_is_shortened():
    """A run that takes over finds its answers by it."""
    data = {**FACTS, "examples": [{"title": "A", "text": "B"}]}

    first, again, other = (
        LLMRequest(role="writer", task="writer", messages=build_messages("writer", each)).sha256()
        for each in (data, dict(data), FACTS)
    )

    assert first == again != other


@settings(max_examples=100, deadline=None)
@given(one=st.text(max_size=300), more=st.text(max_size=50))
def test_a_longer_text_never_counts_less(one, more):
    """Cutting looks for the right length by halves, which rests on this."""
    assert estimate_text("a" + one) <= estimate_text("a" + one + more)


def test_counting_costs_as_much_as_the_text_is_long():
    """A prompt is counted a few dozen times while it is cut."""
    text = "The harvest roast is back – 収穫祭のコーヒー 🎉 " * 1_000

    short, long = (cpu_seconds(lambda: estimate_text(text * times)) for times in (1, 20))  # noqa: B023 - called at once

    assert long < 60 * short, f"{len(text) * 20} characters"

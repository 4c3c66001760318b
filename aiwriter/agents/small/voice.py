"""Reading a brand's voice out of samples, in quarantine.

Samples are texts that nobody vouches for. The model that reads them has no tools and answers with short strings of a
fixed shape; those are looked through again, quotes are kept only when the samples have them word for word, and the
result waits as a proposal for a person. The samples themselves never reach the writer.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.db.models import Max
from pydantic import BaseModel, ConfigDict, Field

from accounts.models import Workspace
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.models import BrandSample, BrandVoice
from aiwriter.voice.cleaning import paragraphs_of, speaks_to_a_model, without_invisible
from aiwriter.voice.manner import measure
from aiwriter.voice.profile import LONGEST_QUOTE, Quote, Trait, measured_profile, stored_trait

#: Of all samples together, about 6,000 tokens.
MOST_CHARACTERS = 24_000
#: Signs that no word of a profile needs, and links, markup and orders do.
_FORBIDDEN = ("<", ">", "{", "}", "://", "www.", "`", "@")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TraitAnswer(_Answer):
    """What the brand is, what it must not be taken for, and words of a sample that show it."""

    sounds: str = Field(min_length=1, max_length=40)
    never: str = Field(max_length=40)
    quote: str = Field(max_length=300)


class RuleAnswer(_Answer):
    """A rule of style, and words of a sample that follow it."""

    rule: str = Field(min_length=1, max_length=120)
    quote: str = Field(max_length=300)


class BrandVoiceProfile(_Answer):
    """All that may leave the quarantine."""

    traits: list[TraitAnswer] = Field(max_length=6)
    do_words: list[str] = Field(max_length=20)
    dont_words: list[str] = Field(max_length=20)
    style_rules: list[RuleAnswer] = Field(max_length=10)
    banned_phrases: list[str] = Field(max_length=20)
    formality: Literal["casual", "neutral", "formal"]


def _samples(asked: Asked) -> list[BrandSample]:
    """Return the samples in the order in which they were chosen; one that was removed meanwhile is left out."""
    rows = BrandSample.objects.for_workspace(asked.generation.workspace_id).in_bulk(
        [UUID(chosen) for chosen in asked.request["samples"]]
    )
    return [rows[UUID(chosen)] for chosen in asked.request["samples"] if UUID(chosen) in rows]


def _given(asked: Asked) -> dict[str, Any]:
    """Return the samples for the model: whole paragraphs, each sample its share of the room."""
    samples = _samples(asked)
    room = MOST_CHARACTERS // max(1, len(samples))
    return {"samples": [_start(sample.text, room) for sample in samples]}


def _start(text: str, room: int) -> str:
    kept: list[str] = []
    for paragraph in paragraphs_of(text):
        room -= len(paragraph) + 2
        if room < 0 and kept:
            break
        kept.append(paragraph[:MOST_CHARACTERS])
    return "\n\n".join(kept)


def _measured(asked: Asked) -> dict[str, Any]:
    texts = [sample.text for sample in _samples(asked)]
    manner = measure(texts)
    profile, quotes = measured_profile(texts, manner)
    return {
        "profile": profile,
        "evidence": {"method": "measured", "quotes": _sourced(quotes, asked), "flags": []},
        "measured": manner.as_json(),
    }


def _read(asked: Asked, answer: BrandVoiceProfile) -> dict[str, Any]:
    """Return the model's answer as a profile, without anything that is more than a word about style."""
    flags: list[dict[str, str]] = []

    def clean(text: str) -> str:
        plain = " ".join(without_invisible(text).split())
        if plain and (speaks_to_a_model(plain) or any(sign in plain.lower() for sign in _FORBIDDEN)):
            message = "The answer held something that is no word about style. It was left out."
            flags.append({"code": "answer", "message": message, "quote": plain[:80]})
            return ""
        return plain

    quotes: list[Quote] = []
    traits: list[Any] = []
    for trait in answer.traits:
        if is_so := clean(trait.sounds):
            traits.append(stored_trait(Trait(is_so, clean(trait.never))))
            quotes.append(Quote("traits", is_so, trait.quote))
    rules: list[str] = []
    for one in answer.style_rules:
        if rule := clean(one.rule):
            rules.append(rule)
            quotes.append(Quote("style_rules", rule, one.quote))
    words = {
        name: list(dict.fromkeys(filter(None, (clean(word[:60]) for word in getattr(answer, name)))))
        for name in ("do_words", "dont_words", "banned_phrases")
    }
    texts = [sample.text for sample in _samples(asked)]
    return {
        "profile": {"traits": traits, "style_rules": rules, "formality": answer.formality, **words},
        "evidence": {"method": "model", "quotes": _sourced(quotes, asked), "flags": flags},
        "measured": measure(texts).as_json(),
    }


def _sourced(quotes: list[Quote], asked: Asked) -> list[dict[str, str]]:
    """Return the quotes with the sample that has them word for word; others lose their words."""
    texts = [(sample, " ".join(sample.text.split()).lower()) for sample in _samples(asked)]
    sourced = []
    for quote in quotes:
        words = " ".join(quote.quote.split()).strip("\"“”'")[:LONGEST_QUOTE]
        source = next((sample for sample, text in texts if len(words) >= 4 and words.lower() in text), None)
        sourced.append({**quote.as_json(), "quote": words if source else "", "sample": source.title if source else ""})
    return sourced


def _propose(asked: Asked, result: dict[str, Any]) -> None:
    """Store the proposal, beside the samples that it rests on. A run that was taken over finds it stored."""
    generation = asked.generation
    name = str(asked.request["name"])
    Workspace.objects.select_for_update().get(pk=generation.workspace_id)  # two proposals get two versions
    voices = BrandVoice.objects.for_workspace(generation.workspace_id)
    if voices.filter(generation=generation).exists():
        return
    newest = voices.filter(name=name).aggregate(newest=Max("version"))["newest"] or 0
    proposal = BrandVoice.objects.create(
        workspace_id=generation.workspace_id,
        name=name,
        version=newest + 1,
        status=BrandVoice.Status.PROPOSED,
        profile=result["profile"],
        evidence=result["evidence"],
        measured=result["measured"],
        note=_note(len(asked.request["samples"])),
        generation=generation,
        saved_by=generation.created_by,
    )
    proposal.samples.set(_samples(asked))
    result["voice"] = str(proposal.pk)


def _note(samples: int) -> str:
    return f"Learned from {samples} sample{'s'[: samples != 1]}"


VOICE = SmallTask(
    prompt="voice",
    answer=BrandVoiceProfile,
    data=_given,
    result=_read,
    by_rules=_measured,
    keep=_propose,
)

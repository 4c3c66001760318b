"""Scoring the drafts of a generation against the voice that its brief asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from aiwriter.models import BrandVoice, Generation
from aiwriter.retrieval.store import nearest_passages
from aiwriter.voice.scoring import Block, voice_report


def score_for(generation: Generation, blocks: Iterable[Block]) -> dict[str, Any]:
    """Return how blocks sound, as `Draft.voice` keeps it; {} when the brief asks for no voice.

    May ask an embedder, so it does not belong inside a transaction.
    """
    voice = generation.brief.brand_voice if generation.brief else None
    if voice is None:
        return {}
    language = generation.brief.language if generation.brief else ""
    return score_blocks(blocks, voice=voice, language=language, generation_id=generation.pk)


def score_all(generation: Generation, drafts: Sequence[Iterable[Block]]) -> list[dict[str, Any]]:
    """Return `score_for` of several drafts."""
    return [score_for(generation, blocks) for blocks in drafts]


def score_blocks(
    blocks: Iterable[Block], *, voice: BrandVoice, generation_id: Any, language: str = ""
) -> dict[str, Any]:
    """Return how blocks sound beside a voice, with the voice's name and version.

    Args:
        generation_id: what a paid embedder's calls are booked on.
    """
    report = voice_report(
        blocks,
        profile=voice.profile,
        measured=voice.measured,
        language=language,
        find_nearest=partial(nearest_passages, voice=voice, generation_id=generation_id),
    )
    return {**report, "voice": {"id": str(voice.pk), "name": voice.name, "version": voice.version}} if report else {}

"""Three angles must be three reasons to open: drafts of one generation that say nearly the same are flagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from aiwriter.agents.contract import DraftContent
from aiwriter.guardrails import Finding, finding
from aiwriter.models.draft import readable_text
from aiwriter.retrieval.embedders import LexicalEmbedder

ALIKE = "angles_alike"
#: Cosine of the lexical vectors from which two angles are one. Facts, greeting and button are shared by all angles of
#: a brief: distinct ones lie well below.
TOO_ALIKE = 0.9


def similarities(drafts: Sequence[DraftContent]) -> dict[tuple[int, int], float]:
    """Return how alike each pair of drafts is, from 0 to 1; the keys are their positions."""
    texts = [f"{draft.subject}\n{draft.preview_text}\n{readable_text(draft.blocks)}" for draft in drafts]
    vectors = LexicalEmbedder().embed(texts, workspace_id=None, generation_id=None)
    return {
        (one.position, other.position): sum(a * b for a, b in zip(first, second, strict=True))
        for (one, first), (other, second) in combinations(zip(drafts, vectors, strict=True), 2)
    }


def with_alike_flagged(drafts: Sequence[DraftContent]) -> tuple[DraftContent, ...]:
    """Return the drafts, each that is too much like an earlier one with a remark that says so."""
    found: dict[int, Finding] = {}
    for (earlier, later), alike in similarities(drafts).items():
        if alike >= TOO_ALIKE:
            text = f"{alike:.0%} like angle {chr(ord('A') + earlier)}: ask for a new set, or keep one of them."
            found.setdefault(later, finding(ALIKE, "warn", text, "blocks"))
    return tuple(
        replace(draft, remarks=(*draft.remarks, found[draft.position])) if draft.position in found else draft
        for draft in drafts
    )

"""Likeness by words alone, worked out on the spot: for pages, which load no model and ask no provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiwriter.models import Exemplar
from aiwriter.retrieval.embedders import LexicalEmbedder
from aiwriter.retrieval.store import EXAMPLES, MOST_TEXT, Similar

#: The newest of a workspace are looked at; each takes about half a millisecond.
MOST_COMPARED = 300
LEAST_LIKE = 0.1


def likeness(text: str, others: Sequence[str]) -> list[float]:
    """Return how like each text is to the first, -1 to 1, by words, word pairs and letter groups."""
    own, *vectors = LexicalEmbedder().embed(
        [one[:MOST_TEXT] for one in (text, *others)], workspace_id=None, generation_id=None
    )
    return [sum(a * b for a, b in zip(own, vector, strict=True)) for vector in vectors]


def like_text(text: str, *, workspace_id: Any, limit: int = 5) -> list[Similar]:
    """Return the workspace's exemplars that are most like a text, by words."""
    rows = Exemplar.objects.for_workspace(workspace_id).filter(origin__in=EXAMPLES).order_by("-created_at")
    exemplars = list(rows[:MOST_COMPARED])
    scores = likeness(text, [exemplar.text for exemplar in exemplars])
    near = sorted(zip(scores, exemplars, strict=True), key=lambda pair: -pair[0])
    return [Similar(one, score, LexicalEmbedder.label) for score, one in near[:limit] if score >= LEAST_LIKE]

"""Keeping exemplars and finding those that are like a new brief: exact search within one workspace and one embedder."""

from __future__ import annotations

import hashlib
from typing import Any

import structlog
from pgvector.django import CosineDistance

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Draft, Embedding, Exemplar
from aiwriter.retrieval.embedders import Embedder, UnknownEmbedder, choose_embedder

logger = structlog.get_logger(__name__)

#: Cosine distance above which two texts have nothing to do with each other.
FARTHEST = 0.85
MOST_TEXT = 6000


def remember(draft: Draft) -> Exemplar:
    """Keep an accepted draft as an exemplar with its vector; doing it twice changes nothing."""
    text = f"{draft.subject}\n{draft.preview_text}\n{draft.sketch}"[:MOST_TEXT]
    exemplar, _ = Exemplar.objects.get_or_create(
        workspace_id=draft.workspace_id,
        draft=draft,
        origin="accepted",
        defaults={"title": draft.subject[:300], "text": text},
    )
    _embed(exemplar, choose_embedder(draft.workspace_id), generation_id=draft.generation_id)
    return exemplar


def _embed(exemplar: Exemplar, embedder: Embedder, *, generation_id: Any) -> None:
    digest = hashlib.sha256(exemplar.text.encode()).hexdigest()
    known = Embedding.objects.filter(exemplar=exemplar, embedder=embedder.id, content_sha256=digest)
    if known.exists():
        return
    workspace_id = exemplar.workspace_id
    vector = embedder.embed([exemplar.text], workspace_id=workspace_id, generation_id=generation_id)[0]
    Embedding.objects.update_or_create(
        exemplar=exemplar,
        embedder=embedder.id,
        defaults={"workspace_id": workspace_id, "content_sha256": digest, "vector": vector},
    )


def find_similar(text: str, *, workspace_id: Any, generation_id: Any, limit: int = 3) -> list[Exemplar]:
    """Return the workspace's exemplars nearest to a text; none when the embedder cannot be asked.

    Memory is a help: a provider that fails here must not cost the draft.
    """
    rows = Embedding.objects.for_workspace(workspace_id)
    try:
        embedder = choose_embedder(workspace_id)
        rows = rows.filter(embedder=embedder.id)
        if not rows.exists():
            return []
        vector = embedder.embed([text[:MOST_TEXT]], workspace_id=workspace_id, generation_id=generation_id)[0]
    except (GatewayError, UnknownEmbedder) as error:
        logger.warning("memory_not_searched", reason=str(error))
        return []
    near = rows.annotate(distance=CosineDistance("vector", vector)).filter(distance__lte=FARTHEST)
    return [row.exemplar for row in near.select_related("exemplar").order_by("distance")[:limit]]

"""Keeping exemplars and finding those that are like a new brief: exact search within one workspace and one embedder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count
from pgvector.django import CosineDistance

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BrandSample, BrandVoice, Draft, Embedding, Exemplar, Passage
from aiwriter.retrieval.embedders import Embedder, UnknownEmbedder, choose_embedder, usable_embedders
from aiwriter.voice.cleaning import paragraphs_of
from aiwriter.voice.scoring import Nearest, paragraphs_of_blocks

logger = structlog.get_logger(__name__)

#: Cosine distance above which two texts have nothing to do with each other.
FARTHEST = 0.85
MOST_TEXT = 6000
MOST_PASSAGES = 60
#: Writing that drafts may be written with in mind. Samples are not: nobody has read them through.
EXAMPLES = (Exemplar.Origin.ACCEPTED, Exemplar.Origin.WINNER)


@dataclass(frozen=True)
class Similar:
    """An exemplar with how like it is: the cosine of the vectors, and by what kind of likeness."""

    exemplar: Exemplar
    similarity: float
    label: str

    def as_json(self) -> dict[str, Any]:
        """Return what a generation says about it."""
        return {
            "id": str(self.exemplar.pk),
            "title": self.exemplar.title,
            "why": self.exemplar.why,
            "similarity": round(self.similarity, 3),
            "label": self.label,
        }


def digest(text: str) -> str:
    """Return what tells whether a stored vector is still that of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def remember(draft: Draft) -> Exemplar:
    """Keep an accepted draft as an exemplar with its vectors; doing it twice changes nothing."""
    text = "\n\n".join(filter(None, (draft.subject, draft.preview_text, _body(draft))))[:MOST_TEXT]
    exemplar, _ = Exemplar.objects.get_or_create(
        workspace_id=draft.workspace_id,
        draft=draft,
        origin=Exemplar.Origin.ACCEPTED,
        defaults={"title": draft.subject[:300], "text": text, "campaign_id": draft.generation.campaign_id},
    )
    index_exemplar(exemplar, choose_embedder(draft.workspace_id), generation_id=draft.generation_id)
    return exemplar


def _body(draft: Draft) -> str:
    return "\n\n".join(paragraph.text for paragraph in paragraphs_of_blocks(draft.blocks))


# --- vectors ---------------------------------------------------------------------------------------------------------
def index_exemplar(exemplar: Exemplar, embedder: Embedder, *, generation_id: Any) -> None:
    """Store the vectors of an exemplar and of its paragraphs, unless they are there.

    Raises:
        GatewayError: a provider was asked and did not answer; nothing is stored.
    """
    sha256 = digest(exemplar.text)
    known = Embedding.objects.filter(exemplar=exemplar, embedder=embedder.id, content_sha256=sha256)
    if known.exists():
        return
    workspace_id = exemplar.workspace_id
    paragraphs = own_paragraphs(exemplar.text)
    whole, *vectors = embedder.embed(
        [exemplar.text, *paragraphs], workspace_id=workspace_id, generation_id=generation_id
    )
    with transaction.atomic():
        Exemplar.objects.select_for_update().get(pk=exemplar.pk)
        Embedding.objects.update_or_create(
            exemplar=exemplar,
            embedder=embedder.id,
            defaults={"workspace_id": workspace_id, "content_sha256": sha256, "vector": whole},
        )
        _store_passages(exemplar, paragraphs, vectors, embedder)


def index_sample(sample: BrandSample, embedder: Embedder, *, generation_id: Any) -> None:
    """Store the vectors of a sample's paragraphs, unless they are there. Raises like `index_exemplar`."""
    if Passage.objects.filter(sample=sample, embedder=embedder.id).exists():
        return
    paragraphs = own_paragraphs(sample.text)
    vectors = embedder.embed(paragraphs, workspace_id=sample.workspace_id, generation_id=generation_id)
    with transaction.atomic():
        BrandSample.objects.select_for_update().get(pk=sample.pk)
        _store_passages(sample, paragraphs, vectors, embedder)


def own_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text that are worth comparing with: sentences, not labels."""
    paragraphs = list(paragraphs_of(text))
    long = [paragraph for paragraph in paragraphs if len(paragraph.split()) >= 5]
    return (long or paragraphs[:1] or [text[:200]])[:MOST_PASSAGES]


def _store_passages(
    owner: Exemplar | BrandSample, paragraphs: Sequence[str], vectors: Sequence[list[float]], embedder: Embedder
) -> None:
    own = {"exemplar": owner} if isinstance(owner, Exemplar) else {"sample": owner}
    Passage.objects.filter(embedder=embedder.id, **own).delete()
    Passage.objects.bulk_create(
        Passage(
            workspace_id=owner.workspace_id, position=position, text=text, embedder=embedder.id, vector=vector, **own
        )
        for position, (text, vector) in enumerate(zip(paragraphs, vectors, strict=True))
    )


# --- finding ---------------------------------------------------------------------------------------------------------
def embedder_to_search(workspace_id: Any) -> Embedder:
    """Return the embedder whose vectors cover most of a workspace's memory.

    While a workspace changes its embedder, the old vectors stay and are searched until the new ones are complete.
    A paid embedder is only asked when it is the chosen one.

    Raises:
        UnknownEmbedder: EMBEDDER names one that cannot be used.
    """
    chosen = choose_embedder(workspace_id)
    others = [one for one in usable_embedders(workspace_id) if one.id != chosen.id and not one.is_paid]
    rows = Embedding.objects.for_workspace(workspace_id).values_list("embedder").annotate(number=Count("pk"))
    counts = dict(rows.order_by())
    return max((chosen, *others), key=lambda one: counts.get(one.id, 0))


def find_similar(text: str, *, workspace_id: Any, generation_id: Any, limit: int = 3) -> list[Similar]:
    """Return the workspace's exemplars nearest to a text; none when the embedder cannot be asked.

    Memory is a help: a provider that fails here must not cost the draft.
    """
    try:
        embedder = embedder_to_search(workspace_id)
        if not Embedding.objects.for_workspace(workspace_id).filter(embedder=embedder.id).exists():
            return []
        vector = embedder.embed([text[:MOST_TEXT]], workspace_id=workspace_id, generation_id=generation_id)[0]
    except (GatewayError, UnknownEmbedder) as error:
        logger.warning("memory_not_searched", reason=str(error))
        return []
    return _near(vector, embedder, workspace_id=workspace_id, limit=limit)


def similar_to(exemplar: Exemplar, *, limit: int = 5) -> list[Similar]:
    """Return the exemplars nearest to one of them, by vectors that are stored already; asks nobody."""
    workspace_id = exemplar.workspace_id
    embedder = embedder_to_search(workspace_id)
    own = Embedding.objects.for_workspace(workspace_id).filter(exemplar=exemplar, embedder=embedder.id).first()
    if own is None:
        return []
    return _near(own.vector, embedder, workspace_id=workspace_id, limit=limit, other_than=exemplar)


def _near(
    vector: Any, embedder: Embedder, *, workspace_id: Any, limit: int, other_than: Exemplar | None = None
) -> list[Similar]:
    rows = Embedding.objects.for_workspace(workspace_id).filter(embedder=embedder.id, exemplar__origin__in=EXAMPLES)
    if other_than is not None:
        rows = rows.exclude(exemplar=other_than)
    near = rows.annotate(distance=CosineDistance("vector", vector)).filter(distance__lte=FARTHEST)
    return [
        Similar(row.exemplar, 1 - row.distance, embedder.label)
        for row in near.select_related("exemplar").order_by("distance")[:limit]
    ]


def nearest_passages(texts: Sequence[str], *, voice: BrandVoice, generation_id: Any) -> list[Nearest | None]:
    """Return for each text the nearest paragraph of the brand's own: of this voice's samples, or of what was accepted.

    None for every text when there is nothing to compare with, or nobody to ask.
    """
    workspace_id = voice.workspace_id
    nobody: list[Nearest | None] = [None] * len(texts)
    versions = BrandVoice.objects.for_workspace(workspace_id).filter(name=voice.name).values("pk")
    samples = BrandSample.objects.for_workspace(workspace_id).filter(voices__in=versions).values("pk")
    try:
        embedder = embedder_to_search(workspace_id)
        every = Passage.objects.for_workspace(workspace_id).filter(embedder=embedder.id)
        own = every.filter(sample__in=samples) | every.filter(exemplar__origin__in=EXAMPLES)
        if not texts or not own.exists():
            return nobody
        vectors = embedder.embed(texts, workspace_id=workspace_id, generation_id=generation_id)
    except (GatewayError, UnknownEmbedder) as error:
        logger.warning("voice_not_compared", reason=str(error))
        return nobody
    return [_nearest(own, vector, embedder) for vector in vectors]


def _nearest(own: Any, vector: list[float], embedder: Embedder) -> Nearest | None:
    rows = own.select_related("sample", "exemplar").annotate(distance=CosineDistance("vector", vector))
    passage = rows.order_by("distance").first()
    if passage is None:
        return None
    similarity = 1 - passage.distance
    title = passage.sample.title if passage.sample else passage.exemplar.title
    return Nearest(passage.text, title, similarity, embedder.label, _kinship(similarity, embedder))


def _kinship(similarity: float, embedder: Embedder) -> float | None:
    """Return 0 for a paragraph of another hand to 1 for one of the same, None where likeness does not tell."""
    if embedder.kinship is None:
        return None
    other, same = embedder.kinship
    return min(1.0, max(0.0, (similarity - other) / (same - other)))

"""Bringing a workspace's vectors up to date: after new writing, and when the embedder has changed.

Resumable: what is done is stored text by text, and a second run finds nothing to do for it. Vectors of other embedders
stay, and are searched, until the last text has its new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BrandSample, Embedding, Exemplar, Generation, GenerationStep, Passage
from aiwriter.retrieval.embedders import Embedder, choose_embedder
from aiwriter.retrieval.store import index_exemplar, index_sample


@dataclass(frozen=True)
class IndexState:
    """How far a workspace's memory is indexed by the embedder that it should use."""

    embedder: str
    label: str
    done: int
    total: int

    @property
    def is_complete(self) -> bool:
        """Whether every text has its vectors."""
        return self.done == self.total


def index_state(workspace_id: Any) -> IndexState:
    """Return how many exemplars and samples have vectors of the chosen embedder.

    Raises:
        UnknownEmbedder: EMBEDDER names one that cannot be used.
    """
    embedder = choose_embedder(workspace_id)
    exemplars, samples = _missing(workspace_id, embedder)
    total = (
        Exemplar.objects.for_workspace(workspace_id).count() + BrandSample.objects.for_workspace(workspace_id).count()
    )
    return IndexState(embedder.id, embedder.label, total - exemplars.count() - samples.count(), total)


def index_workspace(workspace_id: Any, *, progress: Callable[[IndexState], None] | None = None) -> IndexState:
    """Give every exemplar and sample its vectors of the chosen embedder, then drop those of others.

    Args:
        progress: told after every text.

    Raises:
        UnknownEmbedder: EMBEDDER names one that cannot be used.
        GatewayError: the budget is used up or the provider did not answer; what is done stays done.
    """
    embedder = choose_embedder(workspace_id)
    state = index_state(workspace_id)
    exemplars, samples = _missing(workspace_id, embedder)
    if not state.is_complete:
        with _booked(workspace_id, embedder) as generation_id:
            index_one: list[Callable[[], None]] = [
                partial(index_exemplar, exemplar, embedder, generation_id=generation_id)
                for exemplar in exemplars.order_by("created_at")
            ]
            index_one += [
                partial(index_sample, sample, embedder, generation_id=generation_id)
                for sample in samples.order_by("created_at")
            ]
            for done, index in enumerate(index_one, start=state.done + 1):
                index()
                if progress is not None:
                    progress(replace(state, done=done))
    state = index_state(workspace_id)  # texts may have come in meanwhile
    if state.is_complete:
        Embedding.objects.for_workspace(workspace_id).exclude(embedder=embedder.id).delete()
        Passage.objects.for_workspace(workspace_id).exclude(embedder=embedder.id).delete()
    return state


def _missing(workspace_id: Any, embedder: Embedder) -> tuple[QuerySet[Exemplar], QuerySet[BrandSample]]:
    indexed = Embedding.objects.for_workspace(workspace_id).filter(embedder=embedder.id)
    passages = Passage.objects.for_workspace(workspace_id).filter(embedder=embedder.id, sample__isnull=False)
    exemplars = Exemplar.objects.for_workspace(workspace_id).exclude(pk__in=indexed.values("exemplar"))
    samples = BrandSample.objects.for_workspace(workspace_id).exclude(pk__in=passages.values("sample"))
    return exemplars, samples


@contextmanager
def _booked(workspace_id: Any, embedder: Embedder) -> Iterator[Any]:
    """Give paid work a generation of its own, so that its calls stand in the audit and count against the budget."""
    if not embedder.is_paid:
        yield None
        return
    generation = Generation.objects.create(
        workspace_id=workspace_id,
        kind=Generation.Kind.INDEX,
        status=Generation.Status.RUNNING,
        origin=Generation.Origin.AI,
        engine="single",
        started_at=timezone.now(),
    )
    status, code = Generation.Status.SUCCEEDED, ""
    try:
        yield generation.pk
    except GatewayError as error:
        status, code = Generation.Status.FAILED, error.code
        raise
    finally:
        steps = GenerationStep.objects.for_workspace(workspace_id).filter(generation=generation)
        Generation.objects.filter(pk=generation.pk).update(
            status=status,
            error_code=code,
            cost_micro_usd=steps.aggregate(total=Sum("cost_micro_usd"))["total"] or 0,
            finished_at=timezone.now(),
        )

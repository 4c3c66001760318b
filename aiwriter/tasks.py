"""Celery carriers of the AI writer: ids in, one engine call, nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready
from django.db.models import Q
from django.utils import timezone

from aiwriter.agents import engines
from aiwriter.agents.ending import UNFINISHED, end_unclaimed
from aiwriter.gateway import budget
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Draft, Generation
from aiwriter.retrieval import indexing, store
from aiwriter.retrieval.embedders import UnknownEmbedder

logger = structlog.get_logger(__name__)

AI_QUEUE = "ai"
#: A queued generation whose message has not arrived by now was lost with the broker.
LOST_AFTER = timedelta(seconds=45)
#: Older than this, nobody is waiting for it any more.
GIVE_UP_AFTER = timedelta(hours=1)
SWEEP_LIMIT = 200


@worker_ready.connect
def warm_up(sender: Any, **_signal: Any) -> None:
    """Load the AI stack beside the start of a worker that takes from its queue, so that nobody waits for it later."""
    if AI_QUEUE in sender.app.amqp.queues.consume_from:
        threading.Thread(target=engines.preload, name="ai-preload", daemon=True).start()


@shared_task
def run_generation(*, generation_id: str, **_later: Any) -> None:
    """Write one generation, then wake what waits for its place; a repeated delivery finds nothing to do."""
    from aiwriter.agents import running  # the writing itself: whoever only asks for it starts without

    if running.run(generation_id):
        for waiting in running.next_in_line(generation_id):
            run_generation.delay(generation_id=str(waiting))


@shared_task(autoretry_for=(GatewayError,), retry_backoff=30, max_retries=3)
def remember_draft(*, draft_id: str, **_later: Any) -> None:
    """Keep an accepted draft as an exemplar for later briefs."""
    draft = Draft.objects.filter(pk=draft_id, status__in=(Draft.Status.ACCEPTED, Draft.Status.EDITED)).first()
    if draft is None:
        return
    try:
        store.remember(draft)
    except UnknownEmbedder as error:
        logger.warning("draft_not_remembered", draft_id=draft_id, reason=str(error))


@shared_task
def index_memory(*, workspace_id: str, **_later: Any) -> None:
    """Give new samples and exemplars their vectors; all of them, when the embedder has changed."""
    try:
        indexing.index_workspace(workspace_id)
    except (GatewayError, UnknownEmbedder) as error:
        logger.warning("memory_not_indexed", workspace_id=workspace_id, reason=str(error))


@shared_task
def sweep_generations(**_later: Any) -> None:
    """Start what was lost (a flushed broker, a killed worker), end what is too old, drop expired holds."""
    now = timezone.now()
    budget.release_expired(now)
    unfinished = Generation.objects.filter(status__in=UNFINISHED)
    for generation in unfinished.filter(created_at__lt=now - GIVE_UP_AFTER)[:SWEEP_LIMIT]:
        end_unclaimed(generation, Generation.Status.FAILED, GatewayError("interrupted"))
    is_lost = Q(status=Generation.Status.QUEUED, updated_at__lt=now - LOST_AFTER) | Q(
        status=Generation.Status.RUNNING, leased_until__lt=now
    )
    lost = unfinished.filter(is_lost, created_at__gte=now - GIVE_UP_AFTER)
    for generation_id in lost.order_by("created_at").values_list("pk", flat=True)[:SWEEP_LIMIT]:
        run_generation.delay(generation_id=str(generation_id))

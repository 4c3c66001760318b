"""Running one generation: claim it, write, check, store, and end in exactly one final state.

A run owns its generation by a lease that it renews while it works. Whoever is redelivered the same task finds either a
running lease (and leaves), an expired one (and takes over), or a finished generation (and leaves). A run that has lost
its lease can no longer write anything: every write names the lease.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from aiwriter.agents import budget_notices
from aiwriter.agents.contract import DraftPackage, ExemplarData, check_content
from aiwriter.agents.distinctness import with_alike_flagged
from aiwriter.agents.ending import announce_end, spent_on
from aiwriter.agents.engines import choose_engine
from aiwriter.agents.inputs import informed_brief, voice_data
from aiwriter.agents.small.running import keep_result, run_small_task
from aiwriter.gateway import budget
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.keys import providers_for
from aiwriter.gateway.router import OFFLINE, Route, route
from aiwriter.models import Draft, Generation, GenerationStep
from aiwriter.retrieval.store import find_similar
from aiwriter.streams import FrameWriter
from aiwriter.voice.drafts import score_all

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
RENEW_EVERY_S = 5.0
Status = Generation.Status


class _Run:
    """One worker's hold on a generation."""

    def __init__(self, generation: Generation, lease_id: uuid.UUID) -> None:
        self.generation = generation
        self.lease_id = lease_id
        self.emit = FrameWriter(generation.workspace_id, generation.pk)
        self._renewed_at = time.monotonic()

    @property
    def mine(self) -> Any:
        """The generation's row, as long as it is this run's."""
        rows = Generation.objects.for_workspace(self.generation.workspace_id)
        return rows.filter(pk=self.generation.pk, lease_id=self.lease_id, status=Status.RUNNING)

    def checkpoint(self) -> None:
        """Renew the lease now and then.

        Raises:
            GatewayError: `cancelled`, somebody asked to stop or another run took over.
        """
        if time.monotonic() - self._renewed_at > RENEW_EVERY_S:
            self._renewed_at = time.monotonic()
            self.mine.update(leased_until=timezone.now() + LEASE)
        if not self.mine.filter(is_cancel_requested=False).exists():
            raise GatewayError("cancelled")


def claim(generation_id: Any) -> _Run | None:
    """Take a queued generation, or one whose run has died.

    Returns None when there is nothing to take, or when its workspace has as many running as it may: then it stays in
    the queue, the worker is free for others, and `next_in_line` finds it when one of those ends.
    """
    now = timezone.now()
    lease_id = uuid.uuid4()
    free = Generation.objects.filter(Q(status=Status.QUEUED) | Q(status=Status.RUNNING, leased_until__lt=now))
    wanted = free.filter(pk=generation_id).values_list("workspace_id", flat=True).first()
    if wanted is None:
        return None
    with transaction.atomic():
        if _free_places(wanted) <= 0:
            return None
        taken = free.filter(pk=generation_id).update(
            status=Status.RUNNING, lease_id=lease_id, leased_until=now + LEASE, started_at=now, updated_at=now
        )
    if not taken:
        return None
    generation = Generation.objects.select_related("brief__brand_voice", "workspace").get(pk=generation_id)
    budget.release_holds(workspace_id=generation.workspace_id, generation_id=generation.pk)
    return _Run(generation, lease_id)


def _free_places(workspace_id: Any) -> int:
    """Return how many more a workspace may run; within a transaction the answer holds until its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"generations:{workspace_id}"])
    rows = Generation.objects.for_workspace(workspace_id)
    alive = rows.filter(status=Status.RUNNING, leased_until__gte=timezone.now())
    return settings.AI_RUNS_PER_WORKSPACE - alive.count()


def next_in_line(generation_id: Any) -> list[uuid.UUID]:
    """Return the oldest waiting generations for which there is a place now that this one has ended."""
    ended = Generation.objects.filter(pk=generation_id).values_list("workspace_id", flat=True).first()
    if ended is None:
        return []
    with transaction.atomic():
        places = max(0, _free_places(ended))
    waiting = Generation.objects.for_workspace(ended).filter(status=Status.QUEUED).order_by("created_at")
    return list(waiting.values_list("pk", flat=True)[:places])


def run(generation_id: Any) -> bool:
    """Do the work of one generation and leave it in a final state; False when there was nothing to take."""
    held = claim(generation_id)
    if held is None:
        logger.info("generation_not_claimed", generation_id=str(generation_id))
        return False
    held.emit({"type": "status", "status": Status.RUNNING.value})
    try:
        held.checkpoint()
        _work(held)
    except GatewayError as error:
        _finish_badly(held, error)
    except Exception:
        logger.exception("generation_crashed", generation_id=str(generation_id))
        _finish_badly(held, GatewayError("internal_error"))
    budget_notices.tell(held.generation)
    return True


def _work(held: _Run) -> None:
    generation = held.generation
    catalog = load_catalog(timezone.now().date())
    providers = providers_for(generation.workspace_id)
    gateway = LLMGateway(
        workspace_id=generation.workspace_id,
        generation_id=generation.pk,
        catalog=catalog,
        providers=providers,
        checkpoint=held.checkpoint,
    )
    brief, voice = informed_brief(generation), voice_data(generation)
    chosen = route(
        task="drafts" if generation.kind == Generation.Kind.DRAFTS else generation.kind,
        complexity=brief.complexity,  # type: ignore[arg-type]
        needs_brand_alignment=bool(voice.profile),
        available=providers,
        catalog=catalog,
        model=str(generation.request.get("model", "")),
        is_offline_allowed=settings.AI_OFFLINE == "allow",
    )
    if generation.kind != Generation.Kind.DRAFTS:
        result = run_small_task(generation, brief=brief, voice=voice, gateway=gateway, route=chosen)
        provider, model = str(result.pop("provider")), str(result.pop("model"))
        keep = partial(keep_result, generation, brief=brief, voice=voice, result=result)
        _finish_well(held, chosen, engine="single", provider=provider, model=model, result=result, also=keep)
        return
    engine = choose_engine(chosen, gateway, settings.AI_ENGINE)
    similar = []
    if chosen.provider != OFFLINE:
        similar = find_similar(
            "\n".join((brief.goal, brief.offer, *brief.facts)),
            workspace_id=generation.workspace_id,
            generation_id=generation.pk,
        )
    package = engine.run(
        brief=brief,
        voice=voice,
        exemplars=[ExemplarData(found.exemplar.title, found.exemplar.text) for found in similar],
        emit=held.emit,
        checkpoint=held.checkpoint,
    )
    if package.provider != OFFLINE:  # templates arrange the same words three times, and say so
        package = replace(package, drafts=with_alike_flagged(package.drafts))
    reports = [check_content(draft, brief, voice) for draft in package.drafts]
    sounds = score_all(generation, [draft.blocks for draft in package.drafts])

    def store() -> None:
        _store_drafts(held, package, reports, sounds)

    result = {"inspired_by": [found.as_json() for found in similar]}
    _finish_well(
        held, chosen, engine=engine.name, provider=package.provider, model=package.model, result=result, also=store
    )


def _store_drafts(held: _Run, package: DraftPackage, reports: list[Any], sounds: list[dict[str, Any]]) -> None:
    generation = held.generation
    is_ai = package.provider != OFFLINE
    for draft, report, sound in zip(package.drafts, reports, sounds, strict=True):
        Draft.objects.update_or_create(
            generation=generation,
            position=draft.position,
            defaults={
                "workspace_id": generation.workspace_id,
                "angle": draft.angle[:120],
                "subject": draft.subject[:300],
                "preview_text": draft.preview_text[:300],
                "blocks": draft.blocks,
                "guardrails": report,
                "voice": sound,
                "is_ai_generated": is_ai,
            },
        )
    if not is_ai:
        GenerationStep.objects.create(
            workspace_id=generation.workspace_id,
            generation=generation,
            role="writer",
            task="drafts",
            provider=OFFLINE,
            model_requested=package.model,
            model_served=package.model,
            usage_source="none",
            finish_reason="stop",
            output_text=f"{len(package.drafts)} drafts from the brief's own words",
        )


def _finish_well(
    held: _Run,
    chosen: Route,
    *,
    engine: str,
    provider: str,
    model: str,
    result: dict[str, Any],
    also: Callable[[], None] | None = None,
) -> None:
    generation = held.generation
    with transaction.atomic():
        if not held.mine.select_for_update().filter(is_cancel_requested=False).exists():
            raise GatewayError("cancelled")
        if also is not None:
            also()
        held.mine.update(
            status=Status.SUCCEEDED,
            origin=Generation.Origin.OFFLINE_TEMPLATE if provider == OFFLINE else Generation.Origin.AI,
            engine=engine,
            provider=provider,
            model=model[:80],
            route_reason=chosen.reason[:200],
            cost_micro_usd=spent_on(generation),
            result=result,
            error_code="",
            error_detail="",
            finished_at=timezone.now(),
            leased_until=None,
            updated_at=timezone.now(),
        )
    announce_end(generation, held.emit)


def _finish_badly(held: _Run, error: GatewayError) -> None:
    budget.release_holds(workspace_id=held.generation.workspace_id, generation_id=held.generation.pk)
    status = {"cancelled": Status.CANCELLED, "budget_exceeded": Status.BLOCKED}.get(error.code, Status.FAILED)
    ended = held.mine.update(
        status=status,
        error_code="" if status == Status.CANCELLED else error.code,
        error_detail="" if status == Status.CANCELLED else error.detail[:300],
        cost_micro_usd=spent_on(held.generation),
        finished_at=timezone.now(),
        leased_until=None,
        updated_at=timezone.now(),
    )
    if not ended:
        logger.info("generation_lease_lost", generation_id=str(held.generation.pk))
        return
    if status != Status.CANCELLED:
        held.emit({"type": "error", "code": error.code, "detail": error.detail})
    announce_end(held.generation, held.emit)

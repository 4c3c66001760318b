"""How a generation ends and what its readers are told: needed by whoever stops one, without the engines that write."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, Sum
from django.utils import timezone

from aiwriter.agents.desk import desk_frames
from aiwriter.gateway import budget
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Generation, GenerationStep
from aiwriter.selectors import generation_json
from aiwriter.streams import FrameWriter

Status = Generation.Status
UNFINISHED = (Status.QUEUED, Status.RUNNING)


def spent_on(generation: Generation) -> int:
    """Return what its calls have cost so far, in millionths of a dollar."""
    steps = GenerationStep.objects.for_workspace(generation.workspace_id).filter(generation=generation)
    return steps.aggregate(total=Sum("cost_micro_usd"))["total"] or 0


def announce_end(generation: Generation, emit: FrameWriter) -> None:
    """Show what is stored: final drafts with their ids and checks, then the end."""
    stored = Generation.objects.for_workspace(generation.workspace_id).prefetch_related("drafts").get(pk=generation.pk)
    for frame in final_frames(stored):
        emit(frame)


def final_frames(generation: Generation) -> list[dict[str, Any]]:
    """Return the frames that a late reader needs of a finished generation, from the database alone."""
    as_json = generation_json(generation)
    frames = [{**draft, "type": "draft", "is_final": True} for draft in as_json["drafts"]]
    return [*desk_frames(generation), *frames, {"type": "done", "status": generation.status, "generation": as_json}]


def end_unclaimed(generation: Generation, status: Status, error: GatewayError | None = None) -> bool:
    """End a generation that nobody runs (cancelled in the queue, or given up); returns whether it was still open."""
    ended = (
        Generation.objects.for_workspace(generation.workspace_id)
        .filter(pk=generation.pk, status__in=UNFINISHED)
        .filter(Q(leased_until=None) | Q(leased_until__lt=timezone.now()))
        .update(
            status=status,
            error_code=error.code if error else "",
            error_detail=error.detail[:300] if error else "",
            finished_at=timezone.now(),
            leased_until=None,
            cost_micro_usd=spent_on(generation),
            updated_at=timezone.now(),
        )
    )
    if ended:
        budget.release_holds(workspace_id=generation.workspace_id, generation_id=generation.pk)
        announce_end(generation, FrameWriter(generation.workspace_id, generation.pk))
    return bool(ended)

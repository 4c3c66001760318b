"""Asking a model for the rules of a segment. Nobody's data goes along: only the sentence and the names of things."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from aiwriter.gateway.keys import providers_for
from aiwriter.models import Generation
from aiwriter.services.generations import enqueue

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: The same sentence within this time is the same question: whoever was told to come back gets its answer.
SAME_QUESTION_FOR = timedelta(minutes=15)


def can_ask_for_rules(workspace: Workspace) -> bool:
    """Return whether a provider is set up; rules of a sentence need a model, no template can stand in."""
    return bool(providers_for(workspace.pk))


def ask_for_rules(
    *, workspace: Workspace, actor: User | None, text: str, grammar: dict[str, Any], addresses: dict[str, str]
) -> Generation:
    """Ask for the rules of a sentence; they arrive in `result.rules`, what they leave out in `result.not_understood`.

    A sentence that was just asked about is not asked again, unless that went wrong.

    Args:
        text: the sentence, with stand-ins for mail addresses.
        grammar: names of fields, lists and campaigns, and the operators of each type.
        addresses: stand-in to address; stays here.

    Raises:
        Blocked, Throttled, Unavailable: as `enqueue`.
    """
    request = {"text": text, "grammar": grammar, "addresses": addresses}
    earlier = (
        Generation.objects.for_workspace(workspace)
        .filter(kind=Generation.Kind.SEGMENT, request=request, created_at__gte=timezone.now() - SAME_QUESTION_FOR)
        .exclude(status__in=(Generation.Status.FAILED, Generation.Status.CANCELLED, Generation.Status.BLOCKED))
        .order_by("-created_at")
        .first()
    )
    return earlier or enqueue(workspace=workspace, actor=actor, kind=Generation.Kind.SEGMENT, request=request)

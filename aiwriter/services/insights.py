"""Asking a model for two lines about figures. It sees the figures and the campaign's name, and nobody's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiwriter.gateway.keys import providers_for
from aiwriter.models import Generation
from aiwriter.services.generations import enqueue
from pulsequill.core.errors import Unavailable

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: Ended without an answer that may be shown.
FAILED = (Generation.Status.FAILED, Generation.Status.CANCELLED, Generation.Status.BLOCKED)


def can_ask_for_insight(workspace: Workspace) -> bool:
    """Return whether a provider is set up."""
    return bool(providers_for(workspace.pk))


def find_insight(workspace: Workspace, campaign_id: UUID) -> Generation | None:
    """Return the newest run over a campaign's figures."""
    rows = Generation.objects.for_workspace(workspace).filter(kind=Generation.Kind.INSIGHT, campaign_id=campaign_id)
    return rows.order_by("-created_at").first()


def ask_for_insight(
    *, workspace: Workspace, actor: User | None, campaign_id: UUID, figures: dict[str, Any]
) -> Generation:
    """Ask for two lines about figures; they arrive in `result.lines`.

    The same figures are not paid twice: their run is returned as it is, unless it went wrong.

    Args:
        figures: `campaign`, `figures`, `derived` and `comparisons`, as `agents.small.insight` checks them.

    Raises:
        Unavailable: `ai_not_configured`.
        Blocked, Throttled: as `enqueue`.
    """
    if not can_ask_for_insight(workspace):
        raise Unavailable("No AI provider is set up.", code="ai_not_configured", retry_after_s=3600)
    latest = find_insight(workspace, campaign_id)
    if latest is not None and latest.request == figures and latest.status not in FAILED:
        return latest
    return enqueue(
        workspace=workspace, actor=actor, kind=Generation.Kind.INSIGHT, campaign_id=campaign_id, request=figures
    )

"""Telling people about the budget: once a month when it is nearly used up, and once when the writer stops."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.activity import record
from aiwriter.gateway import budget
from aiwriter.models import Budget, Generation
from aiwriter.models.model_price import dollars


def tell(generation: Generation) -> None:
    """Look at the budget after a run that has ended, and tell its workspace what it has to know.

    A raised or lowered budget counts as a new one: `set_budget` forgets what was said.
    """
    state = budget.get_state(generation.workspace_id)
    was_refused = Generation.objects.for_workspace(generation.workspace_id).filter(
        pk=generation.pk, error_code="budget_exceeded"
    )
    spent = f"{dollars(state.spent)} of this month’s {dollars(state.cap)}"
    if state.cap > 0 and (state.spent >= state.cap or was_refused.exists()):
        summary = f"The AI writer has stopped: {spent} is spent, and what is left does not pay for the next call."
        _say_once(generation, "ai_budget.stopped", "stopped_month", summary)
    elif state.is_warning:
        _say_once(generation, "ai_budget.warned", "warned_month", f"The AI writer has spent {spent}.")


def _say_once(generation: Generation, kind: str, mark: str, summary: str) -> None:
    month = budget.month_start(timezone.now()).date()
    with transaction.atomic():
        rows = Budget.objects.for_workspace(generation.workspace_id)
        if rows.exclude(**{mark: month}).update(**{mark: month}):
            record(workspace=generation.workspace, kind=kind, summary=summary)

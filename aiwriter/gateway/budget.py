"""The workspace's monthly budget: set money aside before a call, settle after it, never over the cap.

PostgreSQL keeps it: spent is the sum of this month's audit rows, held is the sum of the holds that have not
expired. The row lock on `Budget` makes reserving strictly one after the other per workspace; it costs about two
milliseconds beside a call of seconds, and there is no second truth that could drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import Budget, BudgetHold, GenerationStep
from aiwriter.models.generation_step import INTERRUPTED, UNDER_WAY

HOLD_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class BudgetState:
    """This month's money of one workspace, in micro-USD."""

    cap: int
    spent: int
    held: int
    warn_percent: int

    @property
    def left(self) -> int:
        """What may still be promised."""
        return max(0, self.cap - self.spent - self.held)

    @property
    def is_warning(self) -> bool:
        """Whether the soft limit is passed."""
        return self.cap > 0 and self.spent * 100 >= self.cap * self.warn_percent

    @property
    def is_exceeded(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0


def month_start(now: datetime) -> datetime:
    """Return the first moment of the month, in UTC."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _state(budget: Budget, now: datetime) -> BudgetState:
    # Holds first: a call that settles between the two queries is then counted twice, never not at all.
    holds = BudgetHold.objects.for_workspace(budget.workspace_id).filter(expires_at__gt=now)
    held = holds.aggregate(total=Sum("amount_micro_usd"))["total"] or 0
    steps = GenerationStep.objects.for_workspace(budget.workspace_id).filter(created_at__gte=month_start(now))
    spent = steps.aggregate(total=Sum("cost_micro_usd"))["total"] or 0
    return BudgetState(cap=budget.monthly_cap_micro_usd, spent=spent, held=held, warn_percent=budget.warn_percent)


def _budget(workspace_id: Any) -> Budget:
    budget, _ = Budget.objects.for_workspace(workspace_id).get_or_create(workspace_id=workspace_id)
    return budget


def get_state(workspace_id: Any) -> BudgetState:
    """Return this month's state."""
    return _state(_budget(workspace_id), timezone.now())


def reserve(*, step: GenerationStep, amount_micro_usd: int) -> BudgetHold:
    """Set money aside for one call and store its audit row: from here on the trail has it, whatever happens.

    Raises:
        GatewayError: `budget_exceeded`; nothing was set aside and the call must not be made.
    """
    with transaction.atomic():
        locked = Budget.objects.for_workspace(step.workspace_id).select_for_update()
        budget = locked.first()
        if budget is None:
            _budget(step.workspace_id)  # a workspace's first call makes it
            budget = locked.get()
        now = timezone.now()
        if _state(budget, now).left < amount_micro_usd:
            raise GatewayError("budget_exceeded")
        step.error_class = UNDER_WAY
        step.save(force_insert=True)
        return BudgetHold.objects.create(
            pk=step.pk,
            workspace_id=step.workspace_id,
            generation_id=step.generation_id,
            amount_micro_usd=amount_micro_usd,
            expires_at=now + HOLD_FOR,
        )


def settle(step: GenerationStep) -> None:
    """Store how a call ended and give its hold back, in one transaction."""
    with transaction.atomic():
        BudgetHold.objects.for_workspace(step.workspace_id).filter(pk=step.pk).delete()
        step.save(force_update=True)


def release_holds(*, workspace_id: Any, generation_id: Any) -> None:
    """Give back what a run that died had set aside, and say of its calls that nobody knows how they ended."""
    _give_back(BudgetHold.objects.for_workspace(workspace_id).filter(generation_id=generation_id))


def release_expired(now: datetime) -> None:
    """Do the same for every call that must have ended long ago."""
    _give_back(BudgetHold.objects.filter(expires_at__lt=now))


def _give_back(holds: QuerySet[BudgetHold]) -> None:
    with transaction.atomic():
        calls = GenerationStep.objects.across_workspaces().filter(pk__in=holds.values("pk"), error_class=UNDER_WAY)
        calls.update(error_class=INTERRUPTED, updated_at=timezone.now())
        holds.delete()

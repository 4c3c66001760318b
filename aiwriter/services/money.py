"""What a workspace may spend on AI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import activity
from aiwriter.models import Budget
from aiwriter.selectors import get_budget
from pulsequill.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import User, Workspace


def set_budget(*, workspace: Workspace, actor: User | None, cap_micro_usd: int, warn_percent: int) -> Budget:
    """Set what a workspace may spend in a month.

    Raises:
        Invalid: a negative cap, or a warning outside 1 to 100 per cent.
    """
    if not 0 <= cap_micro_usd <= 10**12 or not 1 <= warn_percent <= 100:
        raise Invalid("The budget is not valid.", errors=[FieldError("cap", "out_of_range", "0 or more.")])
    budget = get_budget(workspace)
    budget.monthly_cap_micro_usd, budget.warn_percent = cap_micro_usd, warn_percent
    budget.warned_month = budget.stopped_month = None  # another limit, so people are told again when they reach it
    budget.save(update_fields=["monthly_cap_micro_usd", "warn_percent", "warned_month", "stopped_month", "updated_at"])
    activity.record(
        workspace=workspace, kind="ai_budget.changed", actor=actor,
        summary=f"Set the AI budget to ${cap_micro_usd / 1_000_000:.2f} a month.",
    )  # fmt: skip
    return budget

"""What a workspace may spend on AI."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Budget(TenantModel):
    """The monthly cap of a workspace: a warning at `warn_percent`, a hard stop at the cap."""

    monthly_cap_micro_usd = models.BigIntegerField(default=20_000_000)
    warn_percent = models.PositiveSmallIntegerField(default=80)
    warned_month = models.DateField(
        null=True, blank=True, help_text="First day of the month in which people were told that it is nearly used up."
    )
    stopped_month = models.DateField(
        null=True, blank=True, help_text="First day of the month in which people were told that the writer stopped."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="budget_one_per_workspace")]

    def __str__(self) -> str:
        return f"{self.monthly_cap_micro_usd / 1_000_000:.2f} USD a month"


class BudgetHold(TenantModel):
    """Money set aside for a provider call that is under way; gone when the call is settled or the hold expires.

    It has the id of the audit row of its call.
    """

    generation = models.ForeignKey("aiwriter.Generation", on_delete=models.CASCADE, related_name="+")
    amount_micro_usd = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "expires_at"], name="budget_hold_active")]

    def __str__(self) -> str:
        return f"{self.amount_micro_usd} micro-USD until {self.expires_at:%H:%M:%S}"

"""Goals reached by everybody whom a campaign with a hold-out could have mailed, mailed or not."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager


class HoldoutConversion(models.Model):
    """Somebody in the ledger of a campaign that holds people out reached a goal after the launch, in one currency.

    Both groups are counted alike: whatever is reported about the contact within the goal's window after the launch,
    whether they got, opened or clicked a mail or not. `Conversion` counts what is owed to mails; the two never add up.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    goal = models.ForeignKey("analytics.Goal", on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(
        "campaigns.Message",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        help_text="The contact's row of the ledger; one that was held out has a row too.",
    )
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217; empty where no money was named.")
    times = models.PositiveIntegerField(default=0)
    value = models.BigIntegerField(default=0, help_text="Sum, in minor units.")

    objects = TenantManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "goal", "currency"], name="holdout_conversion_unique")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.goal_id}"

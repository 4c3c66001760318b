from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager


class Conversion(models.Model):
    """A message whose reader reached a goal: what was reached how often, and for how much, in one currency."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    goal = models.ForeignKey("analytics.Goal", on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+")
    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, null=True, related_name="+")
    message = models.ForeignKey("campaigns.Message", on_delete=models.CASCADE, related_name="+")
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217; empty where no money was named.")
    times = models.PositiveIntegerField(default=0)
    value = models.BigIntegerField(default=0, help_text="Sum, in minor units.")
    first_at = models.DateTimeField()

    objects = TenantManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "goal", "currency"], name="conversion_unique")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.goal_id}"


class ConversionStats(models.Model):
    """Absolute counts of one goal for one variant, raised in the transaction that stores the events."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, related_name="+")
    goal = models.ForeignKey("analytics.Goal", on_delete=models.CASCADE, related_name="+")
    currency = models.CharField(max_length=3, blank=True)
    messages = models.PositiveIntegerField(default=0, help_text="Messages whose reader reached it.")
    times = models.PositiveIntegerField(default=0)
    value = models.BigIntegerField(default=0, help_text="Sum, in minor units.")
    value_squares = models.DecimalField(
        max_digits=40, decimal_places=0, default=0, help_text="Sum over messages of the squared value, for intervals."
    )

    class Meta:
        verbose_name_plural = "conversion stats"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "variant", "goal", "currency"], name="conversion_stats_unique")
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.goal_id}"

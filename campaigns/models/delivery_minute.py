"""How many messages left in each minute."""

from __future__ import annotations

from django.db import models


class DeliveryMinute(models.Model):
    """Counts of one campaign variant and minute, raised in the transaction that records the results."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="minutes", db_index=False)
    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField()
    sent = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(
        default=0, help_text="Accepted by a provider that sends no delivery reports of its own."
    )
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "variant", "minute"], name="delivery_minute_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.minute:%H:%M} {self.sent}"

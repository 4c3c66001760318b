from __future__ import annotations

from django.db import models


class Breakdown(models.Model):
    """Counts of one campaign for one value of a dimension: a device, a program, a country, a mailbox provider."""

    class Dimension(models.TextChoices):
        DEVICE = "device", "Device"
        CLIENT = "client", "Mail program"
        COUNTRY = "country", "Country"
        MAILBOX = "mailbox", "Mailbox provider"

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    dimension = models.CharField(max_length=8, choices=Dimension.choices)
    value = models.CharField(max_length=80)
    opens = models.PositiveIntegerField(default=0, help_text="Human opens, repeats included.")
    clicks = models.PositiveIntegerField(default=0, help_text="Human clicks, repeats included.")
    delivered = models.PositiveIntegerField(default=0, help_text="Reported by the provider's events.")
    deferred = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "dimension", "value"], name="breakdown_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.dimension} {self.value}"

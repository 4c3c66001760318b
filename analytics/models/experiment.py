"""A/B tests."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Experiment(TenantModel):
    """How the variants of a campaign are compared; fixed before launch."""

    class Metric(models.TextChoices):
        CLICKS = "clicks", "Human clicks"
        OPENS = "opens", "Human opens"

    campaign = models.OneToOneField("campaigns.Campaign", on_delete=models.CASCADE, related_name="experiment")
    metric = models.CharField(max_length=10, choices=Metric.choices, default=Metric.CLICKS)
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.campaign_id} by {self.metric}"

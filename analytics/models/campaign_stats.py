"""Rollups: what pages read instead of counting events."""

from __future__ import annotations

from django.db import models


class CampaignStats(models.Model):
    """Absolute counts of one variant of a campaign, raised in the transaction that stores the events."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey("campaigns.Variant", on_delete=models.CASCADE, related_name="+")
    delivered = models.PositiveIntegerField(default=0, help_text="Reported by the provider's events.")
    returned = models.PositiveIntegerField(
        default=0, help_text="Accepted or delivered, and bounced all the same: taken off the delivered ones."
    )
    deferred = models.PositiveIntegerField(default=0, help_text="Delays that the provider reported.")
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    unsubscribed = models.PositiveIntegerField(default=0)
    opens = models.PositiveIntegerField(default=0, help_text="Human opens, repeats included.")
    unique_opens = models.PositiveIntegerField(default=0)
    machine_opens = models.PositiveIntegerField(default=0, help_text="Messages opened by a machine.")
    any_opens = models.PositiveIntegerField(default=0, help_text="Messages opened by a human, a machine or both.")
    clicks = models.PositiveIntegerField(default=0, help_text="Human clicks, repeats included.")
    unique_clicks = models.PositiveIntegerField(default=0)
    machine_clicks = models.PositiveIntegerField(default=0, help_text="Messages clicked by a machine.")
    any_clicks = models.PositiveIntegerField(default=0, help_text="Messages clicked by a human, a machine or both.")

    class Meta:
        verbose_name_plural = "campaign stats"
        constraints = [models.UniqueConstraint(fields=["campaign", "variant"], name="campaign_stats_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id}/{self.variant_id}"


class EventMinute(models.Model):
    """Events of one campaign and minute, for the chart."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    minute = models.DateTimeField()
    delivered = models.PositiveIntegerField(default=0)
    human_opens = models.PositiveIntegerField(default=0)
    machine_opens = models.PositiveIntegerField(default=0)
    human_clicks = models.PositiveIntegerField(default=0)
    machine_clicks = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    unsubscribed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "minute"], name="event_minute_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.minute:%H:%M}"

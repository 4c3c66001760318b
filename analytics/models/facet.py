"""A campaign's figures by what only its ledger knows: lists, the hour a mail left, how long people took."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantManager


class Facet(models.Model):
    """Counts of messages of one campaign for one value of a dimension; counted from the ledger in the background."""

    class Dimension(models.TextChoices):
        LIST = "list", "List"
        HOUR = "hour", "Weekday and hour of sending"
        OPENED_AFTER = "opened_after", "Hours from sending to the first open"
        CLICKED_AFTER = "clicked_after", "Hours from sending to the first click"

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    dimension = models.CharField(max_length=13, choices=Dimension.choices)
    value = models.CharField(max_length=40, help_text="A list's id; `2-09` for Tuesday, nine o'clock; hours.")
    sent = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    unique_opens = models.PositiveIntegerField(default=0)
    unique_clicks = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    complained = models.PositiveIntegerField(default=0)
    unsubscribed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "dimension", "value"], name="facet_unique")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.dimension} {self.value}"


class FacetCount(models.Model):
    """When a campaign's facets were counted, and when they are counted again."""

    campaign = models.OneToOneField("campaigns.Campaign", on_delete=models.CASCADE, primary_key=True, related_name="+")
    counted_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="Empty: it is settled.")

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.counted_at:%Y-%m-%d %H:%M}"


class CohortMonth(models.Model):
    """What the contacts who joined in one month did in another; counted from the ledger in the background."""

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    joined_month = models.DateField()
    month = models.DateField()
    mailed = models.PositiveIntegerField(default=0, help_text="Contacts who were sent a campaign's mail.")
    active = models.PositiveIntegerField(default=0, help_text="Contacts who opened or clicked one themselves.")
    clicked = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()

    objects = TenantManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "month", "joined_month"], name="cohort_month_unique")
        ]

    def __str__(self) -> str:
        return f"{self.joined_month:%Y-%m} in {self.month:%Y-%m}"

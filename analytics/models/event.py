"""What happened to a message."""

from __future__ import annotations

import uuid

from django.db import models

from pulsequill.core.db import TenantManager
from pulsequill.core.ids import uuid7_from_bigint


class EventBase(models.Model):
    """What is kept of one fact that was reported about a message."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        DEFERRED = "deferred", "Deferred"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        OPENED = "opened", "Opened"
        CLICKED = "clicked", "Clicked"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        REJECTED = "rejected", "Rejected"
        FAILED = "failed", "Failed"
        CONVERTED = "converted", "Goal reached"
        UNKNOWN = "unknown", "Unknown"

    class Actor(models.TextChoices):
        HUMAN = "human", "Human"
        MACHINE = "machine", "Machine"
        UNKNOWN = "unknown", "Unknown"

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    message = models.ForeignKey("campaigns.Message", on_delete=models.CASCADE, null=True, related_name="+")
    link = models.ForeignKey("campaigns.Link", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    actor = models.CharField(max_length=8, choices=Actor.choices, default=Actor.UNKNOWN)
    actor_reason = models.CharField(max_length=60, blank=True, help_text="Which rule decided the class.")
    dedupe_key = models.CharField(max_length=120)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20, help_text="tracking, sendgrid, bounce, page, api")
    user_agent = models.CharField(max_length=300, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    # What the event counted for in the breakdowns, so that a change of its class takes off exactly that.
    device = models.CharField(max_length=20, blank=True, db_default="", help_text="What the reader used.")
    client = models.CharField(max_length=40, blank=True, db_default="", help_text="The reader's program.")
    country = models.CharField(max_length=2, blank=True, db_default="", help_text="Where the reader was; ISO 3166-1.")
    mailbox = models.CharField(max_length=40, blank=True, db_default="", help_text="Who runs the recipient's mailbox.")

    objects = TenantManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"

    @property
    def public_id(self) -> uuid.UUID:
        """The UUIDv7 that `/v1` shows; it contains the key."""
        return uuid7_from_bigint(self.id, self.received_at)


class Event(EventBase):
    """One fact that was reported, in the order it arrived. `dedupe_key` makes "at least once" exact."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dedupe_key"], name="event_once")]
        indexes = [
            models.Index(fields=["campaign", "-id"], name="event_recent"),
            models.Index(fields=["campaign"], condition=models.Q(kind="deferred"), name="event_deferred"),
            models.Index(fields=["campaign"], condition=models.Q(kind="bounced"), name="event_bounced"),
        ]


class EventArchive(EventBase):
    """An event older than `EVENT_RETENTION_DAYS`; the table has one partition for each month of arrival.

    PostgreSQL makes and drops the partitions (`analytics.ingest.archive`), so Django does not manage the table.
    """

    class Meta:
        managed = False
        db_table = "analytics_eventarchive"
        verbose_name = "archived event"


class ArchiveMonth(models.Model):
    """A month of archived events: how many there are, or that they were dropped."""

    month = models.DateField(primary_key=True, help_text="Its first day; by arrival, in UTC.")
    events = models.PositiveBigIntegerField(default=0)
    dropped_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

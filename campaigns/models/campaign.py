"""The campaign: what is sent, to whom, when, and how far it has come."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from pulsequill.core.db import TenantModel


class Campaign(TenantModel):
    """One mailing. Its status changes only through `campaigns.lifecycle`."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        PREPARING = "preparing", "Preparing"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    class TimezoneMode(models.TextChoices):
        WORKSPACE = "workspace", "Everybody at the same moment"
        CONTACT = "contact", "Everybody at this time where they are"

    name = models.CharField(max_length=160)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    status_reason = models.CharField(max_length=300, blank=True, help_text="Why it is paused, failed or missed.")
    # RESTRICT and not PROTECT: a sender in use stays, but goes with its whole workspace.
    sender = models.ForeignKey("campaigns.Sender", on_delete=models.RESTRICT, null=True, blank=True, related_name="+")
    lists = models.ManyToManyField("audiences.ContactList", blank=True, related_name="+")
    segments = models.ManyToManyField("audiences.Segment", blank=True, related_name="+")
    exclude_lists = models.ManyToManyField("audiences.ContactList", blank=True, related_name="+")
    exclude_segments = models.ManyToManyField("audiences.Segment", blank=True, related_name="+")
    track_opens = models.BooleanField(default=True)
    track_clicks = models.BooleanField(default=True)
    utm = models.JSONField(default=dict, blank=True)
    send_at = models.DateTimeField(null=True, blank=True)
    timezone_mode = models.CharField(max_length=10, choices=TimezoneMode.choices, default=TimezoneMode.WORKSPACE)
    send_window = models.JSONField(
        default=dict, blank=True, help_text="`{weekdays: [1..7], from: HH:MM, to: HH:MM}`; empty: at any time."
    )
    throttle_per_hour = models.PositiveIntegerField(null=True, blank=True)
    continues_at = models.DateTimeField(
        null=True, blank=True, help_text="It waits until then: outside its window, or the warm-up's day is full."
    )
    holdout_share = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(50)], help_text="Percent who get nothing, to compare with."
    )
    canary_share = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(20)], help_text="Percent who get it first; 0: everybody at once."
    )
    canary_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(5), MaxValueValidator(1440)],
        help_text="How long the first ones are watched before the others get it.",
    )  # fmt: skip
    canary_released_at = models.DateTimeField(null=True, blank=True)
    brake = models.JSONField(
        default=dict, blank=True,
        help_text="Limits that pause it: `{bounce_rate, complaint_rate, unsubscribe_rate, dead_links}`.",
    )  # fmt: skip
    braked_at = models.DateTimeField(null=True, blank=True, help_text="When the brake paused it; empty: it goes on.")
    brake_released_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person went on in spite of the brake; what came before counts no more."
    )
    dead_urls = models.JSONField(
        default=list, blank=True,
        help_text="Addresses that led nowhere when the brake stopped it; whoever resumes it accepts them as they are.",
    )  # fmt: skip
    brief = models.ForeignKey("aiwriter.Brief", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Raised on every edit; the ETag of `/v1/campaigns/{id}` and the guard of the composer's autosave.
    revision = models.PositiveIntegerField(default=1)
    provider = models.CharField(max_length=20, blank=True, help_text="Frozen at launch.")
    recipients = models.PositiveIntegerField(default=0, help_text="Ledger rows planned at launch.")
    launched_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="campaign_recent"),
            models.Index(fields=["send_at"], condition=models.Q(status="scheduled"), name="campaign_due"),
        ]

    def __str__(self) -> str:
        return self.name

"""The ledger: one email to one contact."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from pulsequill.core.db import TenantManager
from pulsequill.core.ids import uuid7_from_bigint


class Message(models.Model):
    """One row for each recipient of a campaign, from the plan to the last thing that happened to it.

    A row that is held back waits for its wave: with a variant for the end of the canary, without one for the test.

    Written by `campaigns.delivery` (status, attempt, lease) and by `campaigns.services` (facts). Rows are planned in
    bulk and claimed in batches: RULES 1 of the README's *Delivery* section says how.
    """

    class Status(models.TextChoices):
        HELD = "held", "Held back"
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        RETRYING = "retrying", "Retrying"
        FAILED = "failed", "Failed"
        IN_DOUBT = "in_doubt", "In doubt"
        SKIPPED = "skipped", "Skipped"

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    campaign = models.ForeignKey(
        "campaigns.Campaign",
        on_delete=models.CASCADE,
        related_name="messages",
        null=True,
        blank=True,
        db_index=False,
        help_text="Empty for a transactional message.",
    )
    variant = models.ForeignKey(
        "campaigns.Variant", on_delete=models.CASCADE, related_name="+", null=True, blank=True, db_index=False
    )
    contact = models.ForeignKey(
        "audiences.Contact", on_delete=models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    # what a transactional message is made of; empty in rows of a campaign
    template = models.ForeignKey(
        "campaigns.EmailTemplate", on_delete=models.SET_NULL, related_name="+", null=True, blank=True, db_index=False
    )
    sender = models.ForeignKey(
        "campaigns.Sender", on_delete=models.SET_NULL, related_name="+", null=True, blank=True, db_index=False
    )
    data = models.JSONField(null=True, blank=True, help_text="Values of a transactional message: names to texts.")
    email = models.CharField(max_length=254)
    email_normalized = models.CharField(max_length=254)
    is_test = models.BooleanField(default=False, help_text="A test send; never counted.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was skipped, failed or is in doubt.")
    # the attempt under way, or the last one
    attempt_id = models.UUIDField(null=True, blank=True)
    attempt_no = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="Not before then: local time of the contact, or the next attempt; empty: now."
    )
    provider = models.CharField(max_length=20, blank=True)
    provider_message_id = models.CharField(max_length=120, blank=True)
    last_error_code = models.CharField(max_length=60, blank=True)
    # facts: each is set once, by the first event of its kind
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    first_opened_at = models.DateTimeField(null=True, blank=True, help_text="By a human.")
    first_machine_opened_at = models.DateTimeField(null=True, blank=True)
    first_clicked_at = models.DateTimeField(null=True, blank=True, help_text="By a human.")
    first_machine_clicked_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounce_type = models.CharField(max_length=4, blank=True, choices=[("hard", "Hard"), ("soft", "Soft")])
    complained_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "email_normalized"],
                condition=Q(is_test=False),
                name="message_once_per_address",
            )
        ]
        indexes = [
            models.Index(fields=["campaign", "status", "id"], name="message_ledger"),
            models.Index(
                fields=["campaign", "id"],
                condition=Q(status__in=["queued", "retrying"]),
                name="message_claimable",
            ),
            models.Index(fields=["campaign", "id"], condition=Q(status="held"), name="message_held"),
            # the emergency brake asks each minute what went wrong, and must not read what went well
            models.Index(
                fields=["campaign"],
                condition=Q(bounced_at__isnull=False)
                | Q(complained_at__isnull=False)
                | Q(unsubscribed_at__isnull=False),
                name="message_trouble",
            ),
            models.Index(fields=["lease_until"], condition=Q(status="sending"), name="message_leases"),
            # the home page asks whether a workspace has ever sent itself a test
            models.Index(fields=["workspace"], condition=Q(is_test=True), name="message_tests"),
            models.Index(
                fields=["provider_message_id"],
                condition=~Q(provider_message_id=""),
                name="message_provider_id",
            ),
            models.Index(
                fields=["workspace", "-id"],
                condition=Q(campaign__isnull=True),
                name="message_transactional",
            ),
            models.Index(fields=["workspace", "-id"], condition=Q(status="in_doubt"), name="message_in_doubt"),
            # deleting a template or a sender looks for their messages; a campaign's rows are in neither index
            models.Index(fields=["template"], condition=Q(template__isnull=False), name="message_of_template"),
            models.Index(fields=["sender"], condition=Q(sender__isnull=False), name="message_of_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.status}"

    @property
    def is_erased(self) -> bool:
        """Whether a hash stands here in place of an erased person's address."""
        return "@" not in self.email_normalized

    @property
    def public_id(self) -> uuid.UUID:
        """The UUIDv7 that `/v1` shows; it contains the key."""
        return uuid7_from_bigint(self.id, self.created_at)

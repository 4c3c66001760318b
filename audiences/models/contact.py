"""The person we may write to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower

from pulsequill.core.db import TenantModel

if TYPE_CHECKING:
    from audiences.models.subscription import Subscription


class Contact(TenantModel):
    """A person with an email address. Whether they may be mailed is asked of `audiences.selectors`, never here."""

    #: Without an index of its own: every index below that matters starts with it.
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    email = models.CharField(max_length=254, help_text="As the person writes it.")
    email_normalized = models.CharField(max_length=254, help_text="Lower case; what uniqueness goes by.")
    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text="Custom fields by key.")
    time_zone = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=40, blank=True, help_text="import, api, form, manual, demo")
    source_import = models.ForeignKey(
        "audiences.ContactImport",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The import that created this contact; undoing it removes the contact.",
    )
    #: Engagement, written by `analytics.ingest.effects` through `services`; human only.
    last_sent_at = models.DateTimeField(null=True, blank=True)
    last_opened_at = models.DateTimeField(null=True, blank=True)
    last_clicked_at = models.DateTimeField(null=True, blank=True)

    #: Filled by `selectors.with_status`: suppression reason or '', places on lists, and what follows from them.
    stop: str
    places: list[Subscription]
    status: str

    class Meta:
        constraints = [
            # The pattern class serves equality, uniqueness and `LIKE 'abc%'` in any database collation.
            models.UniqueConstraint(
                fields=["workspace", "email_normalized"],
                name="contact_email_unique",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="contact_recent"),
            models.Index("workspace", OpClass(Lower("first_name"), name="text_pattern_ops"), name="contact_first_name"),
            models.Index("workspace", OpClass(Lower("last_name"), name="text_pattern_ops"), name="contact_last_name"),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="contact_attributes"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def name(self) -> str:
        """First and last name, or the address when neither is known."""
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def last_event(self) -> tuple[str, datetime] | None:
        """What the contact did last, or was sent last, in a word with its time; None when nothing happened."""
        happened = (("Clicked", self.last_clicked_at), ("Opened", self.last_opened_at), ("Sent", self.last_sent_at))
        known = [(word, at) for word, at in happened if at]
        return max(known, key=lambda event: event[1]) if known else None

"""What a person decided about a message that nobody could be sure of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pulsequill.core.db import TenantModel


class Settlement(TenantModel):
    """One decision about one ledger row; those of one click share `batch`. `was_*` is what an undo puts back."""

    class Verb(models.TextChoices):
        MARKED_SENT = "marked_sent", "Marked as sent"
        RESENT = "resent", "Sent again"

    message = models.ForeignKey("campaigns.Message", on_delete=models.CASCADE, related_name="settlements")
    batch = models.UUIDField(db_index=True)
    verb = models.CharField(max_length=12, choices=Verb.choices)
    actor = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(max_length=160, help_text="Who it was, also when that person is gone.")
    was_status = models.CharField(max_length=10)
    was_reason = models.CharField(max_length=200, blank=True)
    was_code = models.CharField(max_length=60, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at"]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} by {self.actor_label}"

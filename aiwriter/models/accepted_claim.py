"""Claims that no fact supports and that a person answers for."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class AcceptedClaim(TenantModel):
    """One claim of one campaign, accepted by a named person although nothing in the brief says it."""

    campaign_id = models.UUIDField(help_text="An id, because a later app owns campaigns.")
    claim = models.CharField(max_length=300, help_text="As it was found, in one line, lower case.")
    accepted_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "campaign_id", "claim"], name="accepted_claim_once")
        ]

    def __str__(self) -> str:
        return self.claim

"""Four eyes: a person's yes or no to exactly the content they saw."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Approval(TenantModel):
    """A decision on one state of a campaign's content; an edit after it makes it void (the hash differs)."""

    class Decision(models.TextChoices):
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    content_hash = models.CharField(max_length=64)
    remark = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.decision} by {self.person_id}"

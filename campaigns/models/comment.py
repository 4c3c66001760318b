"""What teammates say about a campaign."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Comment(TenantModel):
    """A remark on a campaign."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=2000)
    resolved_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.text[:60]

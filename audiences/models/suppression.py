"""Who must not be mailed, whatever lists say."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Suppression(TenantModel):
    """An address that no campaign reaches. It survives the deletion of its contact."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "Hard bounce"
        COMPLAINT = "complaint", "Complaint"
        UNSUBSCRIBE = "unsubscribe", "Unsubscribe"
        MANUAL = "manual", "Manual"

    #: Without an index of its own: both indexes below start with it, and a planner with stale statistics took the
    #: plain one, reading all of a workspace's rows for each address.
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    email_normalized = models.CharField(max_length=254)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    source = models.CharField(max_length=120, blank=True, help_text="What told us: a campaign, an import, a person.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "email_normalized"], name="suppression_unique")]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="suppression_recent")]

    def __str__(self) -> str:
        return f"{self.email_normalized} ({self.reason})"

    @property
    def is_erased(self) -> bool:
        """Whether a hash stands here in place of an erased person's address."""
        return "@" not in self.email_normalized

    @property
    def can_be_lifted(self) -> bool:
        """Whether the team may lift it: not when the person themselves said no."""
        return self.reason in (self.Reason.HARD_BOUNCE, self.Reason.MANUAL)

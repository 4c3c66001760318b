"""What the writer proposes."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Draft(TenantModel):
    """One angle: subject, preview text and the composer's own block list."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        EDITED = "edited", "Edited"
        REJECTED = "rejected", "Rejected"

    generation = models.ForeignKey("aiwriter.Generation", on_delete=models.CASCADE, related_name="drafts")
    position = models.PositiveSmallIntegerField()
    angle = models.CharField(max_length=120)
    subject = models.CharField(max_length=300)
    preview_text = models.CharField(max_length=300, blank=True)
    blocks = models.JSONField(default=list)
    guardrails = models.JSONField(
        default=dict, blank=True, help_text="{ok, findings:[{code, severity, message, where}]}"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    is_ai_generated = models.BooleanField(default=False)
    edit_distance = models.FloatField(null=True, blank=True)
    decided_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "position"], name="draft_position_unique")]

    def __str__(self) -> str:
        return self.subject

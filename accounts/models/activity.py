"""Who did what: the audit log, which also feeds webhooks and notifications."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class Activity(TenantModel):
    """One thing that somebody (or the system) did. Written by `accounts.activity.record` only; never changed."""

    actor = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=160, blank=True, help_text="Kept when the person is deleted.")
    kind = models.CharField(max_length=60, help_text="Noun and past tense: `campaign.launched`.")
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    summary = models.CharField(max_length=300)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="activity_recent")]

    def __str__(self) -> str:
        return self.summary

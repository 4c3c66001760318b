"""Drafts that are written by the calendar."""

from __future__ import annotations

from django.db import models

from pulsequill.core.db import TenantModel


class DraftingSchedule(TenantModel):
    """A brief that is drafted again at fixed times; a person still approves and sends."""

    name = models.CharField(max_length=120)
    brief = models.ForeignKey("aiwriter.Brief", on_delete=models.CASCADE, related_name="+")
    crontab = models.CharField(max_length=60, help_text="Minute hour day month weekday, in the workspace's time zone.")
    is_active = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_run_at"], condition=models.Q(is_active=True), name="drafting_schedule_due")
        ]

    def __str__(self) -> str:
        return self.name

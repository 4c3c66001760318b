"""The clock of a limit that several workers share."""

from __future__ import annotations

from django.db import models


class Pace(models.Model):
    """When the next messages under a limit may leave. Taking a turn moves `free_at`, in one statement."""

    key = models.CharField(primary_key=True, max_length=80, help_text="An account at a provider.")
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key

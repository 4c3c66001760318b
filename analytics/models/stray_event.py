"""Events that could not join the stream, or name nothing we know: kept, never dropped."""

from __future__ import annotations

from django.db import models


class StrayEvent(models.Model):
    """A raw stream entry in PostgreSQL: written while Valkey is away, or when its message is not known."""

    id = models.BigAutoField(primary_key=True)
    entry = models.JSONField(help_text="The stream entry as it would have been appended.")
    problem = models.CharField(max_length=200, blank=True, help_text="Empty: waits for the consumer.")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(problem=""), name="stray_event_waiting")]

    def __str__(self) -> str:
        return self.problem or "waiting"

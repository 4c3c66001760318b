"""Tables that belong to no app: `pulsequill.core` writes them and may not know any."""

from __future__ import annotations

from django.db import models


class StrayEvent(models.Model):
    """An event of the log that is in PostgreSQL instead of the Valkey stream.

    With an empty `problem` it waits for the consumer (it was part of a transaction, or Valkey was away). With a problem
    it could not be counted (its message is not known, or is another workspace's) and is kept for people to look at.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.JSONField(help_text="The event as it would have stood in the stream.")
    dedupe_key = models.CharField(max_length=120, unique=True)
    problem = models.CharField(max_length=200, blank=True, help_text="Empty: waits for the consumer.")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(problem=""), name="stray_event_queue")]

    def __str__(self) -> str:
        return self.problem or "waiting"


class StoredAnswer(models.Model):
    """What `/v1` answered to a request with an `Idempotency-Key`; written with its effects in one transaction."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=64, unique=True, help_text="SHA-256 of workspace, route and key.")
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body_encrypted = models.BinaryField(help_text="An answer may show a secret once.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.status} {self.scope[:8]}"

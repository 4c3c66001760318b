"""Outgoing webhooks (Standard Webhooks 1.0.0): endpoints of a workspace and what was delivered to them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from pulsequill.core.db import TenantModel


class WebhookEndpoint(TenantModel):
    """An address of the customer's that is told what happens."""

    url = models.URLField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=60), default=list, blank=True, help_text="Empty: all.")
    secret_encrypted = models.BinaryField()
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.url


class WebhookAttempt(TenantModel):
    """One event on its way to one endpoint: the outbox row and the log of its tries."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        EXHAUSTED = "exhausted"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="attempts")
    message_id = models.CharField(max_length=64, help_text="`webhook-id`: the same on every try.")
    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.CharField(max_length=1024, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "message_id"], name="webhook_attempt_once")]
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(status="pending"), name="webhook_attempt_due")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id} {self.status}"

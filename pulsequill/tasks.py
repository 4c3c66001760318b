"""The one task that belongs to no app."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from pulsequill.core import heartbeats


@shared_task(bind=True, name="pulsequill.heartbeat")
def heartbeat(self: Task, **_later: Any) -> None:
    """Write that a task has come through this queue, dated with the moment at which beat sent it."""
    queue = self.request.delivery_info["routing_key"]
    sent_at = self.request.get("sent_at")
    heartbeats.sign(heartbeats.age_of(queue), at=sent_at, expiry_s=heartbeats.QUEUE_EXPIRY_S)

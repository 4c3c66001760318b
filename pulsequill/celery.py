"""The Celery application. Tasks only wake engines: what is to be done stands in the database."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, heartbeat_sent, setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")

app = Celery("pulsequill")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()

HEARTBEAT_TASK = "pulsequill.heartbeat"


@setup_logging.connect
def _keep_our_logging(**_kwargs: Any) -> None:
    """Settings have configured logging already; Celery must not add its own handlers."""


@heartbeat_sent.connect
def _sign_as_worker(**_kwargs: Any) -> None:
    """Every two seconds, from the worker's main process: somebody takes tasks from these queues."""
    from pulsequill.core import heartbeats, valkey  # Celery is imported before the settings can be read

    with suppress(*valkey.AWAY):
        heartbeats.sign(*(heartbeats.worker_of(queue) for queue in app.amqp.queues.consume_from))


@before_task_publish.connect(sender=HEARTBEAT_TASK)
def _sign_as_beat(headers: dict[str, Any], **_kwargs: Any) -> None:
    """Only beat sends the heartbeat task; the task carries when it was sent, so that its way can be measured."""
    from pulsequill.core import heartbeats, valkey

    headers["sent_at"] = time.time()
    with suppress(*valkey.AWAY):
        heartbeats.sign(heartbeats.BEAT)

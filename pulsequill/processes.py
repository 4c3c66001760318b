"""The processes of a running PulseQuill: `manage.py serve`, `docker-compose.yml` and the tests read this one table."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass

CELERY = (sys.executable, "-m", "celery", "-A", "pulsequill.celery")
#: No gossip and no mingle: workers find their tasks in the broker and have nothing to tell each other.
WORKER = (*CELERY, "worker", "--without-gossip", "--without-mingle", "--loglevel=INFO")


@dataclass(frozen=True)
class Process:
    """One kind of process: `patience_s` is how long it may take to end its work when asked to stop."""

    name: str
    label: str
    command: tuple[str, ...]
    patience_s: float = 10
    stop_signal: signal.Signals = signal.SIGTERM


PROCESSES: tuple[Process, ...] = (
    Process("web", "The web server", (sys.executable, "-m", "pulsequill.web")),
    Process(
        "worker",
        "The worker",
        (
            *WORKER,
            "-n",
            "main@%h",
            "-Q",
            "default,sending,imports,watch",
            "-P",
            "prefork",
            "-c",
            str(max(4, os.cpu_count() or 1)),
            "-O",
            "fair",
        ),
        # A sending slice ends within a minute; cutting it short would leave messages in doubt.
        patience_s=75,
    ),
    Process("ai", "The AI worker", (*WORKER, "-n", "ai@%h", "-Q", "ai", "-P", "threads", "-c", "4"), patience_s=15),
    Process("beat", "Celery beat", (*CELERY, "beat", "--pidfile=", "--loglevel=INFO")),
    Process("consumer", "The event consumer", (sys.executable, "manage.py", "consume_events")),
)

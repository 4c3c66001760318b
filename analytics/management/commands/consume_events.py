"""`manage.py consume_events`: turns the event log into facts and figures, and figures into live frames."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from analytics.ingest.consumer import Consumer
from analytics.live.publisher import Publisher


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; finishes the batch at hand first. Several may run at once."""

    help = "Store and count the events of the event log, and publish live figures."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run consumer and publisher side by side."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        publisher = threading.Thread(target=Publisher().run, args=[stop], name="publisher", daemon=True)
        publisher.start()
        Consumer().run(stop)
        publisher.join(timeout=5)

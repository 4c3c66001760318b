"""Opens connections beside the loop, several at once: greeting and signing in take several round trips."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from campaigns.delivery.providers.smtp.relays import Relay
from campaigns.delivery.providers.smtp.session import Refused, Session, open_session

#: Connections that are being opened at the same time.
AT_ONCE = 16


class Connector:
    """A small pool of threads, started when first needed and kept between batches."""

    def __init__(self, *, timeout_s: float, context: ssl.SSLContext | None) -> None:
        self._timeout_s = timeout_s
        self._context = context
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def connect(self, relay: Relay, deliver: Callable[[Relay, Session | None], None]) -> None:
        """Open a connection that was reserved with `relay`.

        Args:
            relay: whom to connect to; it is told how it went.
            deliver: called from another thread with the connection, or with None when it was refused.
        """
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="smtp-connect")
            self._pool.submit(self._open, relay, deliver)

    def close(self) -> None:
        """Let the threads go once they are done; the next connection starts new ones."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
                self._pool = None

    def _open(self, relay: Relay, deliver: Callable[[Relay, Session | None], None]) -> None:
        try:
            session = open_session(relay.server, timeout_s=self._timeout_s, context=self._context)
        except Refused as refusal:
            relay.refused(refusal.outcome)
            deliver(relay, None)
        else:
            relay.opened()
            deliver(relay, session)

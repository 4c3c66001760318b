"""What one process knows about its mail servers: open connections, limits, who is away, whose turn it is.

Shared by all batches of the process, from whatever thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

import structlog

from campaigns.delivery.providers.answers import Effect, Outcome
from campaigns.delivery.providers.smtp.server import Server
from campaigns.delivery.providers.smtp.session import Session

logger = structlog.get_logger(__name__)

#: Seconds after which a server that was away, or that wanted fewer connections, is tried again.
AWAY_S = 60.0
#: So many fresh connections in a row that break before any message is answered: the server is away, whatever it says.
USELESS_IN_A_ROW = 3


class Relay:
    """One server and our connections to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.refusal = Outcome("connection_failed")
        """Why it was last found away."""
        self._lock = threading.Lock()
        self._idle: deque[Session] = deque()
        self._count = 0
        self._limit = server.max_connections
        self._limited_until = 0.0
        self._away_until = 0.0
        self._useless_in_a_row = 0

    @property
    def is_away(self) -> bool:
        """Whether it could not be used a moment ago."""
        return time.monotonic() < self._away_until

    def take_idle(self) -> Session | None:
        """Return an open connection that still works; the others are closed."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                session = self._idle.pop()
            if session.is_fresh() and session.is_quiet():
                return session
            self.drop(session)

    def reserve(self) -> bool:
        """Ask for the right to open one more connection; `opened` or `refused` must follow when it is granted."""
        with self._lock:
            if time.monotonic() >= self._limited_until:
                self._limit = self.server.max_connections
            if self._count >= self._limit:
                return False
            self._count += 1
            return True

    def opened(self) -> None:
        """Take in that a connection could be opened."""
        with self._lock:
            self._away_until = 0.0

    def refused(self, outcome: Outcome) -> None:
        """Take in that a connection could not be opened: with others open we use fewer, else the server is away."""
        with self._lock:
            self._count -= 1
            if self._count:
                self._limit = self._count
                self._limited_until = time.monotonic() + AWAY_S
            else:
                self._leave(outcome)

    def give_back(self, session: Session) -> None:
        """Keep a quiet connection for the next batch."""
        session.quiet_since = time.monotonic()
        with self._lock:
            self._idle.append(session)
            if session.is_proven:
                self._useless_in_a_row = 0

    def drop(self, session: Session, *, says_goodbye: bool = False, is_useless: bool = False) -> None:
        """Close a connection and forget it.

        Args:
            session: the connection.
            says_goodbye: whether it is quiet, so that QUIT can be said.
            is_useless: whether it broke before it had done anything at all.
        """
        session.close(says_goodbye=says_goodbye)
        with self._lock:
            self._count -= 1
            self._useless_in_a_row = self._useless_in_a_row + 1 if is_useless else 0
            if self._useless_in_a_row >= USELESS_IN_A_ROW:
                self._leave(Outcome("connection_failed", detail="It breaks off each connection."))

    def close(self) -> None:
        """Say goodbye on all idle connections."""
        while True:
            with self._lock:
                if not self._idle:
                    return
                session = self._idle.pop()
                self._count -= 1
            session.close(says_goodbye=True)

    def _leave(self, outcome: Outcome) -> None:
        self._useless_in_a_row = 0
        self.refusal = outcome
        self._away_until = time.monotonic() + AWAY_S
        logger.warning("smtp_server_away", server=str(self.server), code=outcome.code, detail=outcome.detail)


class Rota:
    """Whose turn it is: smooth weighted round robin, as in nginx. Weights 5, 1, 1 give a a b a c a a."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        self._credits = dict.fromkeys(relays, 0)
        self._lock = threading.Lock()

    def share_out(self, waiting: Sequence[int], among: Sequence[Relay]) -> dict[Relay, list[int]]:
        """Give each of the waiting to one of the relays."""
        if len(among) == 1:
            return {among[0]: list(waiting)}
        shares: dict[Relay, list[int]] = {relay: [] for relay in among}
        total = sum(relay.server.weight for relay in among)
        with self._lock:
            for index in waiting:
                for relay in among:
                    self._credits[relay] += relay.server.weight
                chosen = max(among, key=self._credits.__getitem__)
                self._credits[chosen] -= total
                shares[chosen].append(index)
        return shares


def worst_of(refusals: Sequence[Outcome]) -> Outcome:
    """Return what to say when every server is away: an outage when one of them may come back, else the account."""
    return next((outcome for outcome in refusals if outcome.answer.effect is Effect.DOWN), refusals[0])

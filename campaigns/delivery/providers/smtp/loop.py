"""Carries one batch: a single thread that waits on all connections at once and does what is ready."""

from __future__ import annotations

import math
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable

from campaigns.delivery.providers.answers import Outcome
from campaigns.delivery.providers.smtp.batch import Batch, Share
from campaigns.delivery.providers.smtp.connector import Connector
from campaigns.delivery.providers.smtp.exchange import Exchange
from campaigns.delivery.providers.smtp.relays import Relay, Rota, worst_of
from campaigns.delivery.providers.smtp.session import Session

CHUNK = 16_384
#: Greeting and signing in cost about as many round trips as so many messages.
MESSAGES_WORTH_A_CONNECTION = 5
#: Seconds between two looks at the clock: what has timed out, whether the brake was pulled, who is free again.
TICK_S = 0.25


class _Line:
    """A connection that is carrying."""

    __slots__ = ("deadline", "events", "exchange", "relay", "session")

    def __init__(self, relay: Relay, session: Session, exchange: Exchange) -> None:
        self.relay = relay
        self.session = session
        self.exchange = exchange
        self.deadline = 0.0
        self.events = 0


class _Mailbox:
    """Where connecting threads put what they have opened; `wakes` becomes readable when something has come."""

    def __init__(self) -> None:
        self.wakes, self._bell = socket.socketpair()
        self.wakes.setblocking(False)
        self._lock = threading.Lock()
        self._is_closed = False
        self._items: deque[tuple[Relay, Session | None]] = deque()

    def deliver(self, relay: Relay, session: Session | None) -> None:
        """Take in a connection, or None for a refusal; after closing, connections go to the relay's idle ones."""
        with self._lock:
            if not self._is_closed:
                self._items.append((relay, session))
                self._bell.send(b"!")
                return
        if session is not None:
            relay.give_back(session)

    def empty(self) -> list[tuple[Relay, Session | None]]:
        """Return what has come."""
        with self._lock:
            self.wakes.recv(CHUNK)
            items = list(self._items)
            self._items.clear()
        return items

    def close(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._is_closed = True
        for relay, session in self._items:
            self.deliver(relay, session)
        self.wakes.close()
        self._bell.close()


class Loop:
    """Hands a batch over to the relays."""

    def __init__(
        self, batch: Batch, relays: Iterable[Relay], *, rota: Rota, connector: Connector, timeout_s: float
    ) -> None:
        self._batch = batch
        self._rota = rota
        self._connector = connector
        self._timeout_s = timeout_s
        self._tick_s = min(TICK_S, timeout_s / 4)
        self._shares = {relay: Share(batch) for relay in relays}
        self._refusals: list[Outcome] = []
        self._lines: set[_Line] = set()
        self._carrying: Counter[Relay] = Counter()
        self._opening: Counter[Relay] = Counter()
        self._selector = selectors.DefaultSelector()
        self._mailbox: _Mailbox | None = None
        self._needs_hands = True

    def run(self) -> None:
        """Bring every message to an outcome, or leave it NOT_SENT when the brake says so."""
        if not self._batch.messages or not self._batch.may_start():
            return
        self._share_out(range(len(self._batch.messages)))
        try:
            next_look = 0.0
            while True:
                if self._needs_hands:
                    self._call_hands()
                if not self._lines and not self._may_go_on():
                    return
                now = time.monotonic()
                if now >= next_look:
                    self._look_at_the_clock(now)
                    next_look = now + self._tick_s
                for key, _ in self._selector.select(max(0.0, next_look - now)):
                    if key.data is None:
                        self._open_mail()
                    else:
                        self._serve(key.data)
        finally:
            self._close()

    def _may_go_on(self) -> bool:
        return self._batch.may_start() and any(share.waiting for share in self._shares.values())

    def _share_out(self, waiting: Iterable[int]) -> None:
        """Give waiting messages to the servers that are there; when all were away before, to all of them."""
        there = [relay for relay in self._shares if not relay.is_away] or list(self._shares)
        for relay, indexes in self._rota.share_out(list(waiting), there).items():
            self._shares[relay].waiting.extend(indexes)
        self._needs_hands = True

    def _call_hands(self) -> None:
        """Put idle connections to work, and have new ones opened, as far as there is work for them."""
        self._needs_hands = False
        for relay, share in list(self._shares.items()):
            if not self._batch.may_start():
                return
            useful = math.ceil(len(share.waiting) / MESSAGES_WORTH_A_CONNECTION)
            for _ in range(useful - self._carrying[relay] - self._opening[relay]):
                session = relay.take_idle()
                if session is not None:
                    self._employ(relay, session)
                elif relay.reserve():
                    self._open(relay)
                else:
                    break

    def _open(self, relay: Relay) -> None:
        if self._mailbox is None:
            self._mailbox = _Mailbox()
            self._selector.register(self._mailbox.wakes, selectors.EVENT_READ)
        self._opening[relay] += 1
        self._connector.connect(relay, self._mailbox.deliver)

    def _open_mail(self) -> None:
        assert self._mailbox is not None
        for relay, session in self._mailbox.empty():
            self._opening[relay] -= 1
            if session is not None and not session.is_quiet():  # it has spoken out of turn
                relay.drop(session, is_useless=True)
                self._leave_if_away(relay)
            elif session is not None:
                self._employ(relay, session)
            else:
                self._leave_if_away(relay)
        self._needs_hands = True

    def _leave_if_away(self, relay: Relay) -> None:
        """Pass on the share of a server that is away; when there is nobody left, one message bears the refusal."""
        if not relay.is_away or self._carrying[relay] or self._opening[relay] or relay not in self._shares:
            return
        self._refusals.append(relay.refusal)
        share = self._shares.pop(relay)
        if self._shares:
            self._share_out(share.waiting)
        elif share.waiting:
            self._batch.settle(share.waiting.popleft(), worst_of(self._refusals))

    def _employ(self, relay: Relay, session: Session) -> None:
        share = self._shares.get(relay)
        quota = max(0, relay.server.messages_per_connection - session.started)
        exchange = Exchange(share, session.features, quota=quota, is_proven=session.is_proven) if share else None
        if exchange is None or exchange.is_idle:
            relay.give_back(session)
            return
        line = _Line(relay, session, exchange)
        line.deadline = time.monotonic() + self._timeout_s
        line.events = selectors.EVENT_READ
        self._lines.add(line)
        self._carrying[relay] += 1
        self._selector.register(session.sock, line.events, line)
        self._carry_on(line, wants_to_write=self._write(line))

    def _serve(self, line: _Line) -> None:
        exchange = line.exchange
        answered = exchange.answered
        wants_to_write = self._read(line)
        if exchange.is_open and exchange.out:
            wants_to_write |= self._write(line)
        if exchange.answered != answered:
            line.deadline = time.monotonic() + self._timeout_s
        self._carry_on(line, wants_to_write=wants_to_write)

    def _carry_on(self, line: _Line, *, wants_to_write: bool) -> None:
        if not line.exchange.is_open or line.exchange.is_idle:
            self._let_go(line)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wants_to_write else 0)
        if events != line.events:
            line.events = events
            self._selector.modify(line.session.sock, events, line)

    @staticmethod
    def _read(line: _Line) -> bool:
        """Take in what there is; return whether TLS must write before it can go on."""
        exchange, sock = line.exchange, line.session.sock
        try:
            while exchange.is_open:
                data = sock.recv(CHUNK)
                if not data:
                    exchange.lost("dropped")
                    return False
                exchange.receive(data)
                if len(data) < CHUNK and not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                    return False
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except ssl.SSLWantWriteError:
            return True
        except OSError as error:
            exchange.lost("dropped", str(error))
        return False

    def _write(self, line: _Line) -> bool:
        """Write what there is; return whether some is left for when there is room again."""
        exchange, sock = line.exchange, line.session.sock
        try:
            while exchange.out:
                count = sock.send(exchange.out)
                exchange.out = exchange.out[count:]
        except (BlockingIOError, ssl.SSLWantWriteError):
            return True
        except ssl.SSLWantReadError:
            return False
        except OSError as error:
            self._read(line)  # the server may have said why before it hung up
            if exchange.is_open:
                exchange.lost("dropped", str(error))
        return False

    def _let_go(self, line: _Line) -> None:
        """Keep a connection that has nothing more to do here, or close it."""
        exchange, session, relay = line.exchange, line.session, line.relay
        self._lines.discard(line)
        self._carrying[relay] -= 1
        self._selector.unregister(session.sock)
        session.started += exchange.started
        session.is_proven = exchange.is_proven
        limit = relay.server.messages_per_connection
        if exchange.is_open and not (limit and session.started >= limit):
            relay.give_back(session)
        else:
            relay.drop(session, says_goodbye=exchange.is_open, is_useless=exchange.is_useless)
            self._leave_if_away(relay)
        self._needs_hands = True

    def _look_at_the_clock(self, now: float) -> None:
        may_start = self._batch.may_start()
        for line in list(self._lines):
            if now >= line.deadline:
                line.exchange.lost("timeout")
            elif not may_start and not line.exchange.has_content_under_way:
                line.exchange.give_up()
            else:
                continue
            self._let_go(line)
        self._needs_hands = True

    def _close(self) -> None:
        for line in list(self._lines):  # only when something of our own broke
            line.relay.drop(line.session)
        if self._mailbox is not None:
            self._mailbox.close()
        self._selector.close()

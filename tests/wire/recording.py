"""A witness that remembers, and messages to hand over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

from campaigns.delivery.providers import Brake, Outcome, OutgoingMessage, Provider

MIME = b"Subject: x\r\n\r\nhello\r\n"


def message(address: str, mime: bytes = MIME, message_id: int = 1) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=message_id,
        attempt_id=None,
        workspace_id=None,
        campaign_id=None,
        to=address,
        mail_from="hello@northwind.example",
        mime=mime,
    )


def readers(count: int, mime: bytes = MIME) -> list[OutgoingMessage]:
    return [message(f"r{number}@example.org", mime, number) for number in range(count)]


class Recorder:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()

    def starting(self, outgoing: OutgoingMessage) -> None:
        with self._lock:
            self.told.append(("starting", outgoing.to, ""))

    def settled(self, outgoing: OutgoingMessage, outcome: Outcome) -> None:
        with self._lock:
            self.told.append(("settled", outgoing.to, outcome.code))

    @property
    def started(self) -> Counter[str]:
        """How often each address was started."""
        return Counter(address for event, address, _ in self.told if event == "starting")

    @property
    def codes(self) -> dict[str, str]:
        """The outcome of each address."""
        return {address: code for event, address, code in self.told if event == "settled"}

    def of(self, address: str) -> list[str]:
        """What was told about one address, in order."""
        return [event for event, told, _ in self.told if told == address]


def hand_over(
    provider: Provider, messages: Sequence[OutgoingMessage], *, within_s: float = 20, witness: Recorder | None = None
) -> list[str]:
    """Send a batch and return the codes of its outcomes, in order."""
    brake = Brake(deadline=time.monotonic() + within_s)
    outcomes = provider.send_batch(messages, brake=brake, witness=witness or Recorder())
    return [outcome.code for outcome in outcomes]

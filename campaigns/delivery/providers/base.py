"""The small interface between the pipeline and whoever carries the mail."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from campaigns.delivery.providers.answers import Effect, Outcome, Verdict

#: Seconds that one exchange with a provider may take. A claim's lease is at least twice as long.
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Parts:
    """A message for providers that build the MIME themselves."""

    subject: str
    from_name: str
    from_email: str
    reply_to: str
    html: str
    text: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message, ready to be handed over.

    Attributes:
        message_id: the ledger row; None for system mail.
        attempt_id: what a provider event must carry to settle a doubt.
        to: the recipient's address as the envelope needs it.
        mail_from: the envelope's sender: where bounces go.
        mime: the complete RFC 5322 bytes with CRLF line ends, for providers whose `content` is `mime`.
        parts: the pieces, for providers whose `content` is `parts`.
    """

    message_id: int | None
    attempt_id: UUID | None
    workspace_id: UUID | None
    campaign_id: UUID | None
    to: str
    mail_from: str
    subject: str = ""
    mime: bytes = b""
    parts: Parts | None = None


#: So many uncertain answers in a row mean an outage: going on would put every row in doubt.
UNCERTAIN_IN_A_ROW = 5


class Brake:
    """Decides whether another message may be started; shared by all threads and batches of one slice.

    Attributes:
        deadline: `time.monotonic()` after which nothing new is started.
        tripped_by: the outcome that stopped the slice, if one did.
    """

    def __init__(self, *, deadline: float) -> None:
        self.deadline = deadline
        self.tripped_by: Outcome | None = None
        self._uncertain_in_a_row = 0
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Let nothing more be started, without a reason of the provider's."""
        self.deadline = 0.0

    def may_start(self) -> bool:
        """Return whether one more message may be handed over."""
        return self.tripped_by is None and time.monotonic() < self.deadline

    def note(self, outcome: Outcome) -> Outcome:
        """Take in one outcome, and return it."""
        with self._lock:
            if outcome.verdict is Verdict.UNCERTAIN:
                self._uncertain_in_a_row += 1
            elif outcome.verdict is not Verdict.NOT_SENT:
                self._uncertain_in_a_row = 0
            has_tripped = outcome.answer.effect is not Effect.NONE or self._uncertain_in_a_row >= UNCERTAIN_IN_A_ROW
            if has_tripped and self.tripped_by is None:
                self.tripped_by = outcome
        return outcome


class Witness(Protocol):
    """Told before a message leaves and after its answer: the journal that keeps doubt at the open connections."""

    def starting(self, message: OutgoingMessage) -> None:
        """Note that a message is about to leave.

        Called before the first byte of its content leaves (SMTP: of what follows DATA; HTTP: of the request).
        """

    def settled(self, message: OutgoingMessage, outcome: Outcome) -> None:
        """Note a message's answer; called right after it came, before anything else is done."""


class _Nobody:
    def starting(self, message: OutgoingMessage) -> None:
        pass

    def settled(self, message: OutgoingMessage, outcome: Outcome) -> None:
        pass


#: For mail that has no ledger row, so that there is no doubt to bound.
NO_WITNESS: Witness = _Nobody()


class Provider(ABC):
    """Carries messages to mailboxes. One instance serves one process and may keep connections open."""

    name: ClassVar[str]
    content: ClassVar[Literal["mime", "parts"]]
    #: Whether the provider tells us later what became of a message. Where it does not, acceptance counts as delivery.
    reports_delivery: ClassVar[bool]
    #: Whether handing over writes to our own database: then it stays on the slice's thread, and in its transaction.
    uses_database: ClassVar[bool] = False

    @property
    @abstractmethod
    def claim_size(self) -> int:
        """How many messages are claimed together and come in one batch."""

    @abstractmethod
    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Hand over a batch and return one outcome for each message, in order.

        Must not raise for anything that a message, the network or the provider does: that is an outcome.

        Args:
            messages: the batch.
            brake: asked before each message is started and told each outcome; what may not start is `NOT_SENT`.
            witness: told of each message before it leaves and of its answer, from whatever thread.
        """

    def close(self) -> None:  # noqa: B027 - most providers hold nothing
        """Let go of connections that are kept open between batches."""

"""The books of one batch: which messages wait, which are settled, and who is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from campaigns.delivery.providers.answers import NOT_SENT, Outcome
from campaigns.delivery.providers.base import Brake, OutgoingMessage, Witness


class Batch:
    """The messages of one call and what became of them. A message is known by its place in the batch."""

    def __init__(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> None:
        self.messages = messages
        self.outcomes: list[Outcome] = [NOT_SENT] * len(messages)
        self.may_start = brake.may_start
        self._brake = brake
        self._witness = witness

    def starting(self, index: int) -> None:
        """Tell that the content of a message is about to leave."""
        self._witness.starting(self.messages[index])

    def settle(self, index: int, outcome: Outcome) -> None:
        """Keep what became of a message."""
        self._witness.settled(self.messages[index], outcome)
        self.outcomes[index] = self._brake.note(outcome)


class Share:
    """The part of a batch that one server is to carry."""

    def __init__(self, batch: Batch, waiting: Iterable[int] = ()) -> None:
        self.batch = batch
        self.waiting = deque(waiting)

    def take(self) -> int | None:
        """Hand out the next message, unless there is none or the brake forbids it."""
        return self.waiting.popleft() if self.waiting and self.batch.may_start() else None

    def give_back(self, index: int) -> None:
        """Take back a message of which no content has left, to be carried by another connection."""
        self.waiting.appendleft(index)

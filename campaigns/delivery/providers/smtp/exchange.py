"""One connection's talk with a mail server, without any I/O: bytes in, bytes out.

Where the server offers PIPELINING (RFC 2920), one write carries the content of a message and the envelope of the next,
so a message costs one round trip. Elsewhere each command waits for its reply.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from campaigns.delivery.providers.answers import Outcome, smtp_code
from campaigns.delivery.providers.base import OutgoingMessage
from campaigns.delivery.providers.smtp.batch import Share
from campaigns.delivery.providers.smtp.replies import Garbled, ReplyReader


class Step(Enum):
    """What a reply is awaited for; the value is the step's name in the table of answers."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    NO_CONTENT = "no content"
    RESET = "reset"


ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)
START_INPUT = 354
CLOSING = 421

Loss = Literal["dropped", "timeout", "garbled"]
#: How a connection was lost: the outcome's code when the whole content had not left, and when it had.
LOSSES: dict[Loss, tuple[str, str]] = {
    "dropped": ("dropped_before_data", "dropped_after_data"),
    "timeout": ("timeout_before_data", "timeout"),
    "garbled": ("garbled_before_data", "garbled_after_data"),
}

_QUEUE_ID = re.compile(rb"(?:queued as |\bid=)([\w.@+-]{1,120})", re.IGNORECASE)
#: What would end the address or the command.
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]")


@dataclass(frozen=True, slots=True)
class Features:
    """What a server offers in its answer to EHLO.

    Attributes:
        pipelines: it takes several commands in one go.
        takes_utf8: it takes addresses and headers beyond ASCII (RFC 6531).
        size_limit: bytes of the largest message that it takes (RFC 1870); 0 when it tells none.
    """

    pipelines: bool = False
    takes_utf8: bool = False
    size_limit: int = 0


def envelope_of(message: OutgoingMessage) -> tuple[bytes, bytes, bytes]:
    """Return the commands before the content."""
    utf8 = b"" if message.to.isascii() and message.mail_from.isascii() else b" SMTPUTF8"
    return (
        b"MAIL FROM:<%s>%s\r\n" % (message.mail_from.encode(), utf8),
        b"RCPT TO:<%s>\r\n" % message.to.encode(),
        b"DATA\r\n",
    )


def content_of(mime: bytes) -> bytes:
    """Return what follows DATA: dots at line starts doubled (RFC 5321 section 4.5.2), the final dot added.

    A dot after a bare line feed is doubled too: a server that takes that for a line end must not see the end here.
    """
    if b"\n." in mime:
        mime = mime.replace(b"\n.", b"\n..")
    if mime.startswith(b"."):
        mime = b"." + mime
    return mime + (b".\r\n" if mime.endswith(b"\r\n") else b"\r\n.\r\n")


class Exchange:
    """Carries messages of a share over one connection.

    Attributes:
        out: bytes that wait to be written; whoever writes takes them off from the left.
        is_open: whether the connection can carry more. When false, it must be closed without another word.
        answered: replies so far.
        started: messages whose envelope was begun.
        is_proven: whether the connection has brought a message to a clear answer, now or in an earlier exchange.
        is_useless: whether it broke before it had done anything at all.
    """

    def __init__(self, share: Share, features: Features, *, quota: int = 0, is_proven: bool = False) -> None:
        """Begin to talk over a connection that is signed in and quiet.

        Args:
            share: where messages come from and outcomes go.
            features: what the server offers.
            quota: how many messages may be started; 0 for any number.
            is_proven: whether the connection has carried messages before.
        """
        self.out = b""
        self.is_open = True
        self.answered = 0
        self.started = 0
        self.is_proven = is_proven
        self.is_useless = False
        self._share = share
        self._batch = share.batch
        self._features = features
        self._pipelines = features.pipelines
        self._left = quota or -1
        self._reader = ReplyReader()
        self._awaited: deque[Step] = deque()
        self._held: deque[tuple[Step, bytes]] = deque()
        self._under_way: int | None = None
        """The message whose content is being sent or waits for its answer."""
        self._offered: int | None = None
        """The message whose envelope is being sent or waits for its answers."""
        self._refusal: Outcome | None = None
        self._bytes_after_dot = 0
        self._offer_next()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way: the connection may be used for something else."""
        return not self._awaited and not self._held

    @property
    def has_content_under_way(self) -> bool:
        """Whether a message could be in doubt if the connection broke now."""
        return self._under_way is not None

    def receive(self, data: bytes) -> None:
        """Take in what the server said, and put what is to be answered into `out`."""
        #: More replies than had been asked for when these bytes came cannot be true ones.
        allowed = len(self._awaited)
        try:
            for status, text in self._reader.read(data):
                if status == CLOSING:
                    self._end_by_server(f"{status} {text.decode('utf-8', 'replace')}")
                    return
                if not allowed:
                    raise Garbled("a reply to nothing")
                allowed -= 1
                self.answered += 1
                self._take_reply(self._awaited.popleft(), status, text)
                if not self.is_open:
                    return
                self._release()
        except Garbled as error:
            self.lost("garbled", str(error))

    def lost(self, how: Loss, detail: str = "") -> None:
        """Settle what was under way when the connection was lost."""
        before, after = LOSSES[how]
        content_has_left = len(self.out) <= self._bytes_after_dot
        self._end(Outcome(before, detail=detail), Outcome(after if content_has_left else before, detail=detail))

    def give_up(self) -> None:
        """Stop before anything else is started: the message whose envelope is under way goes back."""
        self.is_open = False
        if self._offered is not None:
            self._share.give_back(self._offered)
            self._offered = None

    def _end_by_server(self, detail: str) -> None:
        closing = Outcome("smtp_closing", detail=detail)
        self._end(closing, closing)

    def _end(self, before: Outcome, after: Outcome) -> None:
        offered, under_way = self._offered, self._under_way
        self._offered = self._under_way = None
        self.is_open = False
        if under_way is not None:
            self._batch.settle(under_way, after)
        if offered is None:
            return
        if self.is_proven or under_way is not None:
            # It may have been the connection's time to go, so another one tries. When a fresh one breaks, it tells.
            self._share.give_back(offered)
        else:
            self.is_useless = True
            self._batch.settle(offered, before)

    def _take_reply(self, step: Step, status: int, text: bytes) -> None:
        if step is Step.CONTENT:
            self._take_content_reply(status, text)
        elif step is Step.DATA:
            self._take_data_reply(status, text)
        elif step in ENVELOPE and not 200 <= status < 300 and self._refusal is None:
            self._refusal = self._refused(step.value, status, text)
            if not self._pipelines:
                self._held.clear()
                self._go_on_after_refusal()

    def _take_data_reply(self, status: int, text: bytes) -> None:
        if self._refusal is None and status == START_INPUT:
            self._send_content()
            return
        if self._refusal is None:
            self._refusal = self._refused("data", status, text)
        elif status == START_INPUT:
            # RFC 2920 section 3.1: the server took DATA without a recipient; an empty message ends it.
            self._ask(Step.NO_CONTENT, b".\r\n")
        self._go_on_after_refusal()

    def _take_content_reply(self, status: int, text: bytes) -> None:
        has_left = len(self.out) <= self._bytes_after_dot
        if status < 300 and has_left:
            found = _QUEUE_ID.search(text)
            outcome = Outcome(
                "accepted",
                detail=text.decode("utf-8", "replace")[:100],
                provider_message_id=found[1].decode("ascii", "replace") if found else "",
            )
        else:
            outcome = self._refused("data", status, text)
        under_way, self._under_way = self._under_way, None
        assert under_way is not None
        self._settle(under_way, outcome)
        if not has_left:
            # Refused while it was still being sent: what follows would be read as commands.
            self.give_up()
        elif self._offered is None:
            self._offer_next()

    @staticmethod
    def _refused(step: str, status: int, text: bytes) -> Outcome:
        if status < 400:
            raise Garbled(f"{status} to {step.upper()}")
        return Outcome(smtp_code(step, status), detail=f"{status} {text.decode('utf-8', 'replace')}")

    def _send_content(self) -> None:
        assert self._offered is not None
        if not self._batch.may_start():
            self.give_up()
            return
        self._under_way, self._offered = self._offered, None
        self._batch.starting(self._under_way)
        self._ask(Step.CONTENT, content_of(self._batch.messages[self._under_way].mime))
        length = len(self.out)
        if self._pipelines:
            self._offer_next()
        self._bytes_after_dot = len(self.out) - length

    def _go_on_after_refusal(self) -> None:
        assert self._offered is not None
        assert self._refusal is not None
        refusal, self._refusal = self._refusal, None
        offered, self._offered = self._offered, None
        self._settle(offered, refusal)
        self._ask(Step.RESET, b"RSET\r\n")
        self._offer_next()

    def _settle(self, index: int, outcome: Outcome) -> None:
        self._batch.settle(index, outcome)
        self.is_proven = True

    def _offer_next(self) -> None:
        index = self._next_fit()
        if index is None:
            return
        self._offered = index
        self._left -= 1
        self.started += 1
        commands = envelope_of(self._batch.messages[index])
        if self._pipelines:
            self.out += b"".join(commands)
            self._awaited += ENVELOPE
        else:
            self._held.extend(zip(ENVELOPE, commands, strict=True))
            self._release()

    def _next_fit(self) -> int | None:
        """Take the next message that this server can take; settle those that it cannot."""
        while self._left and (index := self._share.take()) is not None:
            message = self._batch.messages[index]
            if _UNFIT.search(message.to) or _UNFIT.search(message.mail_from):
                self._batch.settle(index, Outcome("bad_message", detail="The address has a character that none has."))
            elif not self._features.takes_utf8 and not (message.to.isascii() and message.mail_from.isascii()):
                self._batch.settle(index, Outcome("smtputf8"))
            elif 0 < self._features.size_limit < len(message.mime):
                self._batch.settle(index, Outcome("smtp_size", detail=f"Its limit: {self._features.size_limit} bytes."))
            else:
                return index
        return None

    def _ask(self, step: Step, command: bytes) -> None:
        if self._pipelines:
            self.out += command
            self._awaited.append(step)
        else:
            self._held.append((step, command))
            self._release()

    def _release(self) -> None:
        """Without pipelining: send the next command once the one before is answered."""
        if self._held and not self._awaited:
            step, command = self._held.popleft()
            self._awaited.append(step)
            self.out += command

"""What a provider's answer means: RULES.md section 1 as one table.

The line between "definitely not accepted" and "perhaps accepted" decides whether a reader could get a mail twice, so it
stands here as data and nowhere else.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of a message after an attempt."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    """Definitely not accepted; try again later."""
    FAILED = "failed"
    """Definitely not accepted, and never will be."""
    UNCERTAIN = "uncertain"
    """Perhaps accepted: a person or a later event decides, never a resend of our own."""
    NOT_SENT = "not_sent"
    """Nothing left for this message: it goes back to the queue as if it had not been claimed."""


class Effect(StrEnum):
    """What an answer says about the provider rather than about the message."""

    NONE = ""
    DOWN = "down"
    """The provider cannot be reached: end this slice, come back later."""
    STOP = "stop"
    """The provider refuses our account: pause the campaign."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of the table."""

    verdict: Verdict
    sentence: str
    effect: Effect = Effect.NONE


ANSWERS: dict[str, Answer] = {
    "accepted": Answer(Verdict.ACCEPTED, "Accepted."),
    "not_sent": Answer(Verdict.NOT_SENT, "Nothing left for this message."),
    # before a byte of the message left
    "dns": Answer(Verdict.RETRY, "The provider's name cannot be resolved.", Effect.DOWN),
    "connection_refused": Answer(Verdict.RETRY, "The provider refuses connections.", Effect.DOWN),
    "connection_timeout": Answer(Verdict.RETRY, "The provider did not answer our call in time.", Effect.DOWN),
    "connection_dropped": Answer(Verdict.RETRY, "The provider hung up when we called.", Effect.DOWN),
    "connection_garbled": Answer(Verdict.RETRY, "What answers there does not speak SMTP.", Effect.DOWN),
    "connection_failed": Answer(Verdict.RETRY, "The provider cannot be reached.", Effect.DOWN),
    "tls": Answer(Verdict.RETRY, "No secure connection to the provider could be made.", Effect.DOWN),
    "tls_required": Answer(
        Verdict.RETRY, "The mail server offers no TLS, and nothing is sent without it.", Effect.STOP
    ),
    "dropped_before_data": Answer(Verdict.RETRY, "The mail server closed the connection before it had the message."),
    "timeout_before_data": Answer(Verdict.RETRY, "The mail server did not answer in time, before it had the message."),
    "garbled_before_data": Answer(Verdict.RETRY, "The mail server answered in no way that SMTP knows."),
    # after bytes of the message left
    "timeout": Answer(Verdict.UNCERTAIN, "The provider did not answer in time."),
    "reset": Answer(Verdict.UNCERTAIN, "The connection broke after the message had left."),
    "dropped_after_data": Answer(Verdict.UNCERTAIN, "The mail server closed the connection after the message."),
    "garbled_after_data": Answer(Verdict.UNCERTAIN, "The mail server answered the message in no way that SMTP knows."),
    "provider_error": Answer(Verdict.UNCERTAIN, "Handing over ended in an error of our own."),
    # HTTP
    "http_400": Answer(Verdict.FAILED, "The provider finds the message malformed."),
    "http_401": Answer(Verdict.FAILED, "The provider refuses the API key.", Effect.STOP),
    "http_403": Answer(Verdict.FAILED, "The provider forbids this account or sender.", Effect.STOP),
    "http_404": Answer(Verdict.FAILED, "The provider does not know this address of its API.", Effect.STOP),
    "http_405": Answer(Verdict.FAILED, "The provider does not know this address of its API.", Effect.STOP),
    "http_413": Answer(Verdict.FAILED, "The message is too large."),
    "http_429": Answer(Verdict.RETRY, "The provider asks us to slow down."),
    "http_4xx": Answer(Verdict.FAILED, "The provider refuses the message."),
    "http_5xx": Answer(Verdict.UNCERTAIN, "The provider had an error of its own."),
    # SMTP: the step at which the server answered, and the class of the answer
    "smtp_connect_4xx": Answer(Verdict.RETRY, "The mail server is not ready.", Effect.DOWN),
    "smtp_connect_5xx": Answer(Verdict.RETRY, "The mail server refuses us.", Effect.DOWN),
    "smtp_auth_4xx": Answer(Verdict.RETRY, "The mail server cannot check our password now.", Effect.DOWN),
    "smtp_auth_5xx": Answer(Verdict.FAILED, "The mail server refuses our user name or password.", Effect.STOP),
    "smtp_mail_4xx": Answer(Verdict.RETRY, "The mail server does not take the sender now."),
    "smtp_mail_5xx": Answer(Verdict.RETRY, "The mail server refuses the sender."),
    "smtp_rcpt_4xx": Answer(Verdict.RETRY, "The recipient's mailbox is not available now."),
    "smtp_rcpt_5xx": Answer(Verdict.FAILED, "The mail server refuses the recipient."),
    "smtp_data_4xx": Answer(Verdict.RETRY, "The mail server does not take the message now."),
    "smtp_data_5xx": Answer(Verdict.FAILED, "The mail server refuses the message."),
    "smtp_closing": Answer(Verdict.RETRY, "The mail server is closing the connection (421)."),
    "smtp_size": Answer(Verdict.FAILED, "The message is larger than the mail server takes."),
    "smtputf8": Answer(Verdict.FAILED, "The mail server does not take addresses with letters beyond ASCII."),
    # before the provider is asked
    "bad_message": Answer(Verdict.FAILED, "The message could not be composed."),
}

#: Codes whose failure was about our account, not about the message: resuming the campaign tries these rows again.
ACCOUNT_CODES = tuple(code for code, answer in ANSWERS.items() if answer.effect is Effect.STOP)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one message of a batch.

    Attributes:
        code: a key of `ANSWERS`.
        detail: the provider's own words, for people.
        provider_message_id: what the provider calls the message, when accepted.
        retry_after_s: when the provider said how long to wait.
    """

    code: str
    detail: str = ""
    provider_message_id: str = ""
    retry_after_s: float | None = None

    @property
    def answer(self) -> Answer:
        """The row of the table."""
        return ANSWERS[self.code]

    @property
    def verdict(self) -> Verdict:
        """What becomes of the message."""
        return ANSWERS[self.code].verdict

    @property
    def reason(self) -> str:
        """One sentence for people, with the provider's words when there are any."""
        sentence = self.answer.sentence
        return f"{sentence} {self.detail}".strip()[:200]


NOT_SENT = Outcome("not_sent")


def http_code(status: int) -> str:
    """Return the table's code of an HTTP status."""
    exact = f"http_{status}"
    if exact in ANSWERS:
        return exact
    return "http_4xx" if 400 <= status < 500 else "http_5xx"


def smtp_code(step: str, status: int) -> str:
    """Return the table's code of an SMTP reply at one step: connect, auth, mail, rcpt or data."""
    if step == "connect" and not 200 <= status < 600:  # `smtplib` says -1 for a greeting that is none
        return "connection_garbled"
    if status == 421:
        return "smtp_connect_4xx" if step == "connect" else "smtp_closing"
    return f"smtp_{step}_{4 if 400 <= status < 500 else 5}xx"


#: Errors while connecting: no byte of a message can have left. The first class that fits counts.
CONNECT_ERRORS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "dns"),
    (UnicodeError, "dns"),  # no name that could be asked for
    (ssl.SSLError, "tls"),
    (ConnectionRefusedError, "connection_refused"),
    (TimeoutError, "connection_timeout"),
    (ConnectionError, "connection_dropped"),
    (OSError, "connection_failed"),
)

#: Errors after bytes may have left.
EXCHANGE_ERRORS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "timeout"),
    (http.client.HTTPException, "reset"),
    (OSError, "reset"),
)


def code_of(error: BaseException, table: tuple[tuple[type[BaseException], str], ...], default: str) -> str:
    """Return the code of the first class in `table` that `error` belongs to."""
    return next((code for kind, code in table if isinstance(error, kind)), default)

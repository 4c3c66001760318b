"""SendGrid v3 `mail/send` through the official SDK: one recipient for each call, several calls at a time.

One call for each message, because the API has no idempotency key: what a call puts in doubt is then one message.
Rules of the body: RULES.md section 1, *SendGrid v3 mail/send*.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any, ClassVar, Literal
from urllib.error import URLError

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from campaigns.delivery.providers.answers import (
    EXCHANGE_ERRORS,
    NOT_SENT,
    PROOF_OF_NO_CONTACT,
    UNREACHABLE,
    Outcome,
    code_of,
    http_code,
)
from campaigns.delivery.providers.base import TIMEOUT_S, Brake, OutgoingMessage, Provider, Witness

#: SendGrid refuses a body with one of these among its `headers`; it writes them itself.
FORBIDDEN_HEADERS = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)
#: SendGrid's own rewriting is off: links and pixel are ours, so that figures do not depend on the provider.
TRACKING_OFF = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}


def body_of(message: OutgoingMessage) -> dict[str, Any]:
    """Return the JSON body of one message; `custom_args` hold opaque ids only: they cannot be redacted."""
    parts = message.parts
    if parts is None:
        raise ValueError("SendGrid needs a message in parts")
    body: dict[str, Any] = {
        "personalizations": [{"to": [{"email": message.to}]}],
        "from": {"email": parts.from_email, **({"name": parts.from_name} if parts.from_name else {})},
        "subject": parts.subject,
        "content": [
            {"type": kind, "value": value}
            for kind, value in (("text/plain", parts.text), ("text/html", parts.html))
            if value
        ],
        "headers": {name: value for name, value in parts.headers.items() if name.lower() not in FORBIDDEN_HEADERS},
        "tracking_settings": TRACKING_OFF,
    }
    if parts.reply_to:
        body["reply_to"] = {"email": parts.reply_to}
    if message.message_id is not None:
        body["custom_args"] = {"pq_message": str(message.message_id), "pq_attempt": str(message.attempt_id)}
    return body


class RateGate:
    """What SendGrid's headers last said about how many calls are left, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def learn(self, headers: Mapping[str, str] | None, *, is_refused: bool = False) -> float | None:
        """Take in `X-RateLimit-Remaining` and `X-RateLimit-Reset` (epoch seconds).

        Returns:
            Seconds until calls are allowed again, or None when they are allowed now.
        """
        if headers is None:
            return None
        try:
            remaining = int(headers.get("X-RateLimit-Remaining") or 1)
            wait_s = float(headers.get("X-RateLimit-Reset") or 0) - time.time()
        except ValueError:
            return None
        if not is_refused and remaining > 0:
            return None
        wait_s = max(wait_s, 1.0 if is_refused else 0.0)
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + wait_s)
        return wait_s

    def wait(self, deadline: float) -> bool:
        """Wait until calls are allowed; return False when that is after the deadline."""
        while (pause := self._closed_until - time.monotonic()) > 0:
            if time.monotonic() + pause >= deadline:
                return False
            time.sleep(min(pause, 1.0))
        return time.monotonic() < deadline


class SendGridProvider(Provider):
    """Hands messages to SendGrid's Web API."""

    name: ClassVar[str] = "sendgrid"
    content: ClassVar[Literal["mime", "parts"]] = "parts"
    reports_delivery: ClassVar[bool] = True

    def __init__(
        self, *, api_key: str = "", base_url: str = "", concurrency: int = 0, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Read the key and the address; nothing is connected before the first message.

        Raises:
            ImproperlyConfigured: there is no SENDGRID_API_KEY.
        """
        self._api_key = api_key or settings.SENDGRID_API_KEY
        if not self._api_key:
            raise ImproperlyConfigured("SENDGRID_API_KEY is not set.")
        self._base_url = (base_url or settings.SENDGRID_BASE_URL).rstrip("/")
        self._concurrency = concurrency or settings.SEND_CONCURRENCY
        self._timeout_s = timeout_s
        self._gate = RateGate()

    @property
    def claim_size(self) -> int:
        """One message for each call that may be under way."""
        return self._concurrency

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Make one call for each message, as many at a time as the concurrency says."""

        def send(message: OutgoingMessage) -> Outcome:
            if not brake.may_start() or not self._gate.wait(brake.deadline):
                return NOT_SENT
            witness.starting(message)
            outcome = self._send(message)
            witness.settled(message, outcome)
            return brake.note(outcome)

        if len(messages) == 1:
            return [send(messages[0])]
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="sendgrid") as pool:
            return list(pool.map(send, messages))

    def _send(self, message: OutgoingMessage) -> Outcome:
        api = SendGridAPIClient(self._api_key, host=self._base_url)
        api.client.timeout = self._timeout_s
        try:
            response = api.send(body_of(message))
        except HTTPError as error:
            return self._refusal(error)
        except URLError as error:
            # urllib wraps what happens while connecting AND while sending the request: only proof counts as "not sent".
            reason = error.reason if isinstance(error.reason, BaseException) else error
            if isinstance(reason, OSError) and reason.errno in UNREACHABLE:
                return Outcome("connection_failed")
            return Outcome(code_of(reason, PROOF_OF_NO_CONTACT + EXCHANGE_ERRORS, "reset"))
        except (OSError, HTTPException) as error:
            return Outcome(code_of(error, EXCHANGE_ERRORS, "reset"))
        self._gate.learn(response.headers)
        if response.status_code not in (200, 202):
            return Outcome(http_code(response.status_code))
        return Outcome("accepted", provider_message_id=(response.headers.get("X-Message-Id") or "")[:120])

    def _refusal(self, error: HTTPError) -> Outcome:
        status = int(error.status_code)
        wait_s = self._gate.learn(error.headers, is_refused=status == 429)
        return Outcome(http_code(status), detail=_first_message(error), retry_after_s=wait_s)


def _first_message(error: HTTPError) -> str:
    """Return the first sentence of SendGrid's `{"errors": [{"message": ...}]}`, or nothing."""
    try:
        return str(error.to_dict["errors"][0]["message"])[:140]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""

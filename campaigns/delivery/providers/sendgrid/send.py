"""SendGrid v3 `mail/send` through the official SDK: one recipient for each call, several calls at a time.

One call for each message, because the API has no idempotency key: what a call puts in doubt is then one message.
Rules of the body: RULES.md section 1, *SendGrid v3 mail/send*.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any, ClassVar, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers.answers import (
    CONNECT_ERRORS,
    EXCHANGE_ERRORS,
    NOT_SENT,
    Outcome,
    code_of,
    http_code,
)
from campaigns.delivery.providers.base import TIMEOUT_S, Brake, OutgoingMessage, Provider, Witness
from campaigns.delivery.providers.sendgrid.rate import RateGate
from campaigns.delivery.providers.sendgrid.transport import ConnectionPool, NotConnected, PooledClient

#: Calls of one process that are under way at the same time, at most.
MOST_AT_ONCE = 50
#: Messages of a batch for each call under way, so that no call waits for the slowest one of a small batch.
ROUNDS_IN_A_BATCH = 20

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
        base_url = (base_url or settings.SENDGRID_BASE_URL).rstrip("/")
        self._concurrency = min(concurrency or settings.SEND_CONCURRENCY, MOST_AT_ONCE)
        self._gate = RateGate()
        self._pool = ConnectionPool(base_url, timeout_s=timeout_s)
        from sendgrid import SendGridAPIClient  # takes long to load, and only who sends by it needs it

        self._api = SendGridAPIClient(self._api_key, host=base_url)
        self._api.client = PooledClient(
            pool=self._pool, host=base_url, request_headers=self._api.client.request_headers, version=3
        )
        self._threads: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def claim_size(self) -> int:
        """Several rounds of calls; the journal keeps doubt at the calls under way."""
        return self._concurrency * ROUNDS_IN_A_BATCH

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Make one call for each message, as many at a time as the concurrency says."""

        def send(message: OutgoingMessage) -> Outcome:
            if not brake.may_start() or not self._gate.enter(brake.deadline):
                return NOT_SENT
            if not brake.may_start():  # something happened while it waited
                self._gate.leave(None)
                return NOT_SENT
            witness.starting(message)
            outcome = self._send(message)
            witness.settled(message, outcome)
            return brake.note(outcome)

        if len(messages) == 1:
            return [send(messages[0])]
        return list(self._workers().map(send, messages))

    def close(self) -> None:
        """Close the idle connections, and let the threads go once they are done."""
        with self._lock:
            if self._threads is not None:
                self._threads.shutdown(wait=False)
                self._threads = None
        self._pool.close()

    def _workers(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._concurrency, thread_name_prefix="sendgrid")
            return self._threads

    def _send(self, message: OutgoingMessage) -> Outcome:
        response = None
        try:
            response = self._api.send(body_of(message))
        except NotConnected as error:
            cause = error.__cause__ or error
            return Outcome(code_of(cause, CONNECT_ERRORS, "connection_failed"))
        except (OSError, HTTPException) as error:
            return Outcome(code_of(error, EXCHANGE_ERRORS, "reset"))
        finally:
            status = response.status_code if response is not None else 0
            wait_s = self._gate.leave(response.headers if response is not None else None, is_refused=status == 429)
        if status in (200, 202):
            return Outcome("accepted", provider_message_id=(response.headers.get("X-Message-Id") or "")[:120])
        return Outcome(
            http_code(status), detail=_first_message(response.body), retry_after_s=wait_s if status == 429 else None
        )


def _first_message(body: bytes) -> str:
    """Return the first sentence of SendGrid's `{"errors": [{"message": ...}]}`, or nothing."""
    try:
        return str(json.loads(body)["errors"][0]["message"])[:140]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""

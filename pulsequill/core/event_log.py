"""The door to the event log: whatever happened to a message is appended here, once it has happened.

The log is a Valkey stream that `manage.py consume_events` reads. It is not the truth yet: the consumer makes facts and
figures of it in PostgreSQL. Three ways lead into it, and none loses an event:

- the stream, for whoever has nothing else to commit (tracking endpoints, workers);
- the table `pulsequill_strayevent` when the caller is inside a transaction: the event is then exactly as durable as
  what the transaction writes (an outbox), and is undone with it;
- the same table when Valkey is away or the stream has grown past `MAX_ENTRIES`.

One stream entry holds one or more events, one JSON object a line, so that a busy endpoint writes a single entry for
everything that arrived in the same millisecond.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import connection

from pulsequill.core.ids import uuid7
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)

STREAM = "events"
FIELD = "e"
#: A consumer that is away for hours must not fill Valkey's memory: beyond this, events wait in PostgreSQL.
MAX_ENTRIES = 2_000_000
MAX_USER_AGENT = 300
MAX_KEY = 120

#: Arrays of entries, keys and problems, in one statement, however many. In the order of keys, so that two reporters
#: that repeat the same events wait for each other and do not deadlock.
INSERT_STRAYS = (
    "INSERT INTO pulsequill_strayevent (entry, dedupe_key, problem, received_at) "
    "SELECT entry::jsonb, dedupe_key, problem, now() "
    "FROM unnest(%s::text[], %s::text[], %s::text[]) AS strays (entry, dedupe_key, problem) ORDER BY dedupe_key "
    "ON CONFLICT (dedupe_key) DO NOTHING"
)


def encode(
    *,
    kind: str,
    message_id: int | None,
    source: str,
    occurred_at: datetime | None = None,
    link_id: int | None = None,
    ip: str = "",
    user_agent: str = "",
    dedupe_key: str = "",
    workspace_id: Any = None,
    data: dict[str, Any] | None = None,
) -> bytes:
    """Return one event as a line of JSON.

    Args:
        kind: past tense, as `analytics.Event.Kind`; unknown kinds are kept as `unknown`.
        message_id: the ledger row; None when the event is about a contact only.
        source: tracking, page, sendgrid, bounce, api.
        occurred_at: when it happened; now when omitted.
        link_id: the link that was followed.
        ip: of whoever did it, as text.
        user_agent: of whoever did it; cut to 300 characters.
        dedupe_key: two events with the same key are one event. Omitted: a new key, so that only a repeated delivery
            of this very line is recognised.
        workspace_id: whom the reporter may speak for; the event is refused when the message is another workspace's.
        data: small JSON facts, such as `{"bounce_type": "hard"}`.
    """
    event: dict[str, Any] = {
        "kind": kind,
        "at": int((occurred_at or datetime.now(UTC)).timestamp() * 1000),
        "key": dedupe_key[:MAX_KEY] or uuid7().hex,
        "source": source,
    }
    if message_id is not None:
        event["message"] = message_id
    if link_id is not None:
        event["link"] = link_id
    if ip:
        event["ip"] = ip
    if user_agent:
        event["agent"] = user_agent[:MAX_USER_AGENT]
    if workspace_id is not None:
        event["workspace"] = str(workspace_id)
    if data:
        event["data"] = data
    line = json.dumps(event, separators=(",", ":"))
    if may_be_unstorable(line):
        line = json.dumps(storable(event), separators=(",", ":"))
    return line.encode()


def may_be_unstorable(line: str) -> bool:
    """Return whether a line of JSON may hold what PostgreSQL's jsonb refuses: NUL or a lone surrogate."""
    return "\\u0000" in line or "\\ud" in line or "\\uD" in line


def storable(value: Any) -> Any:
    """Return a JSON value without NUL, and with lone surrogates replaced."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def append(
    *,
    kind: str,
    message_id: int | None,
    source: str,
    occurred_at: datetime | None = None,
    link_id: int | None = None,
    ip: str = "",
    user_agent: str = "",
    dedupe_key: str = "",
    workspace_id: Any = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event to the log; the arguments are those of `encode`.

    Inside `transaction.atomic()` the event belongs to the transaction. Outside it goes to the stream, or to PostgreSQL
    when Valkey does not take it.
    """
    line = encode(
        kind=kind,
        message_id=message_id,
        source=source,
        occurred_at=occurred_at,
        link_id=link_id,
        ip=ip,
        user_agent=user_agent,
        dedupe_key=dedupe_key,
        workspace_id=workspace_id,
        data=data,
    )
    append_lines([line])


def append_lines(lines: Sequence[bytes]) -> None:
    """Append encoded events (`encode`) to the log, on the way that `append` takes."""
    if lines and (connection.in_atomic_block or not _append_to_stream(lines)):
        append_durably(lines)


def append_durably(lines: Iterable[bytes], *, problem: str = "") -> None:
    """Insert encoded events into PostgreSQL, in the caller's transaction if there is one.

    Args:
        lines: what `encode` returned.
        problem: why they can not be counted; empty when they wait for the consumer.
    """
    rows = [(line.decode(), json.loads(line)["key"], problem) for line in lines]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_STRAYS, [list(column) for column in zip(*rows, strict=True)])


def _append_to_stream(lines: Sequence[bytes]) -> bool:
    try:
        client = streams_client()
        if client.xlen(STREAM) >= MAX_ENTRIES:
            return False
        client.xadd(STREAM, {FIELD: b"\n".join(lines)})
    except AWAY as error:
        logger.warning("event_log_stream_away", error=str(error))
        return False
    return True

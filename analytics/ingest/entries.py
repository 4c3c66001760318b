"""From lines of the event log to events that can be stored: read, matched with their messages, classified."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from analytics.ingest.agents import read_agent
from analytics.ingest.bots import classify
from analytics.ingest.countries import country_of
from analytics.models import Event
from analytics.selectors.mailboxes import provider_of
from pulsequill.core.event_log import MAX_KEY, may_be_unstorable, storable

KINDS = frozenset(Event.Kind.values)
#: What a reader, or a machine in between, does by itself.
HITS = frozenset({"opened", "clicked"})
MAX_SOURCE = 20
#: What an event's data may say about a person: a server's answer quotes the address, a link may carry personal values.
PERSONAL_DATA = ("detail", "url", "contact")


class Incoming(NamedTuple):
    """One event as it will be stored, and the line that it came from; ids of rows are texts, as COPY wants them.

    A tuple, because one is made for each event, and a frozen dataclass of so many fields costs three times as much.
    """

    line: bytes
    key: str
    workspace_id: str | None
    campaign_id: str | None
    variant_id: str | None
    message_id: int | None
    link_id: int | None
    kind: str
    actor: str
    reason: str
    occurred_at: datetime
    source: str
    agent: str
    ip: str
    data: dict[str, Any]
    device: str
    client: str
    country: str
    mailbox: str
    sent_at: datetime | None
    is_in_doubt: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """A line that names nothing we know, and why."""

    line: bytes
    key: str
    problem: str


class _MessageRow(NamedTuple):
    workspace_id: str | None
    campaign_id: str | None
    variant_id: str | None
    provider: str
    is_test: bool
    status: str
    claimed_at: datetime | None
    sent_at: datetime | None
    domain: str

    @property
    def is_erased(self) -> bool:
        """Whether its recipient asked to be forgotten: nothing is left of the address."""
        return not self.domain


def read_line(line: bytes) -> dict[str, Any]:
    """Return the event of one line.

    Raises:
        ValueError: not an event; the text says why.
    """
    try:
        text = line.decode()
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("not readable as JSON") from error
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")
    event: dict[str, Any] = parsed
    if may_be_unstorable(text):
        event = storable(event)
    if not isinstance(event.get("key"), str) or not event["key"]:
        raise ValueError("has no key")
    if len(event["key"]) > MAX_KEY:
        raise ValueError("has too long a key")
    if not isinstance(event.get("at"), int | float) or not isinstance(event.get("data", {}), dict):
        raise ValueError("has no time")
    for name in ("message", "link"):
        number = event.get(name)
        if number is not None and (not isinstance(number, int) or not 0 <= number < 2**63):
            raise ValueError(f"{name} is not a number")
    return event


def _messages(ids: list[int]) -> dict[int, _MessageRow]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, workspace_id::text, campaign_id::text, variant_id::text, provider, is_test, status, "
            "extract(epoch FROM claimed_at)::float8, extract(epoch FROM sent_at)::float8, "
            "split_part(email_normalized, '@', 2) FROM campaigns_message WHERE id = ANY(%s)",
            [ids],
        )
        return {
            message_id: _MessageRow._make((*names, _moment(claimed_at), _moment(sent_at), domain))
            for message_id, *names, claimed_at, sent_at, domain in cursor.fetchall()
        }


def _links(ids: list[int]) -> dict[int, bool]:
    """Return the links that exist, and whether each is hidden from people."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, is_honeypot FROM campaigns_link WHERE id = ANY(%s)", [ids])
        return dict(cursor.fetchall())


def _moment(seconds: float | None) -> datetime | None:
    """Return the time of a row. Django's own reading of a time costs ten times as much, for two of each event."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=16_384)
def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _ip(text: Any) -> str:
    return _address(text) if isinstance(text, str) and text else ""


def match(lines: Iterable[bytes]) -> tuple[list[Incoming], list[Stray]]:
    """Read lines and find the messages that they are about.

    Returns:
        The events in the order of the lines, one for each key, and the lines that can not be counted.
    """
    strays: list[Stray] = []
    events: dict[str, tuple[bytes, dict[str, Any], datetime]] = {}
    for line in lines:
        try:
            event = read_line(line)
            occurred_at = datetime.fromtimestamp(event["at"] / 1000, UTC)
        except (ValueError, OverflowError, OSError) as error:
            strays.append(Stray(line, "", str(error)))
            continue
        events.setdefault(event["key"], (line, event, occurred_at))
    messages = _messages(list({event["message"] for _, event, _ in events.values() if event.get("message")}))
    links = _links(list({event["link"] for _, event, _ in events.values() if event.get("link")}))
    found: list[Incoming] = []
    for key, (line, event, occurred_at) in events.items():
        message_id = event.get("message") or None
        message = messages.get(message_id) if message_id else None
        workspace = event.get("workspace")
        if message is None:
            if message_id or not workspace:
                strays.append(Stray(line, key, "its message is not known" if message_id else "names no message"))
                continue
            message = _MessageRow(workspace, None, None, "", False, "", None, None, "-")
        elif workspace and message.workspace_id != workspace:
            strays.append(Stray(line, key, "its message belongs to another workspace"))
            continue
        found.append(_incoming(line, key, event, occurred_at, message_id, message, links))
    return found, strays


def _incoming(
    line: bytes,
    key: str,
    event: dict[str, Any],
    occurred_at: datetime,
    message_id: int | None,
    message: _MessageRow,
    links: dict[int, bool],
) -> Incoming:
    kind, data = str(event.get("kind", "")), event.get("data", {})
    if kind not in KINDS:
        kind, data = Event.Kind.UNKNOWN.value, {**data, "reported_kind": kind}
    agent = str(event.get("agent", ""))
    actor, reason = classify(
        kind=kind,
        agent=agent,
        data=data,
        occurred_at=occurred_at,
        claimed_at=message.claimed_at,
        sent_at=message.sent_at,
        provider=message.provider,
        is_honeypot=links.get(event.get("link") or 0, False),
    )
    ip = _ip(event.get("ip"))
    if message.is_erased:  # an old mail of somebody who asked to be forgotten
        agent, ip = "", ""
        data = {name: value for name, value in data.items() if name not in PERSONAL_DATA}
    is_hit = kind in HITS
    device, client = read_agent(agent) if is_hit else ("", "")
    return Incoming(
        line=line,
        key=key,
        workspace_id=message.workspace_id,
        # A test send is never counted: its events belong to the message, not to the campaign.
        campaign_id=None if message.is_test else message.campaign_id,
        variant_id=None if message.is_test else message.variant_id,
        message_id=message_id,
        link_id=event["link"] if event.get("link") in links else None,
        kind=kind,
        actor=actor,
        reason=reason,
        occurred_at=occurred_at,
        source=str(event.get("source", ""))[:MAX_SOURCE],
        agent=agent,
        ip=ip,
        data=data,
        device=device,
        client=client,
        country=country_of(ip) if is_hit else "",
        mailbox=provider_of(message.domain) if message_id and message.domain else "",
        sent_at=message.sent_at,
        is_in_doubt=message.status == "in_doubt",
    )

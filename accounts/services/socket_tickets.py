"""Tickets that open one WebSocket: one use, 30 seconds, for clients that can send neither cookie nor header."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from redis.exceptions import RedisError

from accounts import tokens
from accounts.models import ApiKey, User, Workspace
from pulsequill.core.errors import Unavailable
from pulsequill.core.signing import sha256
from pulsequill.core.valkey import counters_client

LIFETIME_S = 30


@dataclass(frozen=True)
class Ticket:
    """Whom a ticket lets in, and where."""

    workspace_id: str
    user_id: str | None
    token_version: int
    api_key_id: str | None


def _place(text: str) -> str:
    return f"socket-ticket:{sha256(text)}"


def make_ticket(*, workspace: Workspace, user: User | None, api_key: ApiKey | None) -> str:
    """Return a new ticket's text; only its hash is kept.

    Raises:
        Unavailable: Valkey is away, so sockets are too.
    """
    text = tokens.make_ticket_secret()
    ticket = Ticket(
        workspace_id=str(workspace.pk),
        user_id=str(user.pk) if user else None,
        token_version=user.token_version if user else 0,
        api_key_id=str(api_key.pk) if api_key else None,
    )
    try:
        counters_client().set(_place(text), json.dumps(asdict(ticket)), ex=LIFETIME_S)
    except (RedisError, OSError) as error:
        raise Unavailable("Live updates are away for the moment; the same figures are in the API.") from error
    return text


def redeem_ticket(text: str) -> Ticket | None:
    """Take a ticket: None when it is unknown, used or too old."""
    try:
        kept = counters_client().getdel(_place(text))
    except (RedisError, OSError):
        return None
    return Ticket(**json.loads(kept)) if kept else None

"""Telling open pages that something changed: after the commit, as a hint; PostgreSQL stays the truth."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction

from pulsequill.core.fan_out import publish
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)


def workspace_group(workspace_id: Any) -> str:
    """Return the channel group of everybody who has a page of this workspace open."""
    return f"workspace.{workspace_id}"


def campaign_group(campaign_id: Any) -> str:
    """Return the channel group of everybody who watches this campaign's live page."""
    return f"campaign.{campaign_id}"


def person_group(workspace_id: Any, user_id: Any) -> str:
    """Return the channel group of one person's open pages in one workspace."""
    return f"person.{workspace_id}.{user_id}"


def recheck(group: str) -> None:
    """Make the sockets of a group ask again, once the transaction has committed, whether they are still allowed."""
    transaction.on_commit(lambda: _send(group, {"type": "recheck"}))


def push_now(group: str, frame: dict[str, Any]) -> None:
    """Send a JSON frame to a group at once. When Valkey is away the frame is lost and pages catch up by polling."""
    _send(group, {"type": "frame", "frame": frame})


def push_encoded(group: str, seq: int, text: str) -> None:
    """Send a frame that is JSON already, encoded once however many watch; `seq` is its number, which is in it too.

    Raises:
        one of `pulsequill.core.valkey.AWAY`: nobody got it.
    """
    publish(group, {"type": "encoded", "seq": seq, "text": text})


def _send(group: str, message: dict[str, Any]) -> None:
    try:
        publish(group, message)
    except AWAY:
        logger.warning("live_push_failed", group=group)


def push(group: str, frame: dict[str, Any]) -> None:
    """Send a JSON frame to a group once the current transaction has committed."""
    transaction.on_commit(lambda: push_now(group, frame))


#: The campaigns whose figures changed since the publisher last looked (a Valkey set).
DIRTY = "live:dirty"


def mark_dirty(*campaign_ids: Any) -> None:
    """Say that the figures of these campaigns changed: the publisher in `consume_events` turns that into frames.

    Best effort, and cheap enough for every batch. Call it after the commit; a lost mark costs watchers at most the
    half minute until their page asks again.
    """
    if not campaign_ids:
        return
    try:
        streams_client().sadd(DIRTY, *map(str, campaign_ids))
    except AWAY:
        logger.warning("live_mark_failed", campaigns=len(campaign_ids))

"""What goes over a live page's socket: numbered, encoded once, and kept for a moment for whoever opens a socket now."""

from __future__ import annotations

import json
from typing import Any

import redis
import structlog

from analytics.selectors.live import get_live_frame, get_live_parts, get_live_snapshot, sequence_key
from campaigns.models import Campaign
from pulsequill.core.live import campaign_group, push_encoded
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)

#: Numbers of campaigns that nobody changes any more are forgotten.
SEQUENCE_EXPIRY_S = 7 * 24 * 60 * 60
#: Whoever opens a socket gets a snapshot that is at most this old; what happened since comes as a frame.
KEPT_MS = 2000


def turn_key(campaign_id: Any) -> str:
    """Return the Valkey key that says that a campaign's frame has just gone out."""
    return f"live:turn:{campaign_id}"


def _snapshot_key(campaign_id: Any) -> str:
    return f"live:snapshot:{campaign_id}"


def figures(campaign: Campaign) -> dict[str, Any]:
    """Return a frame of everything that moves all the time; it never waits for a count of a large ledger."""
    return {"type": "totals", **get_live_frame(campaign, may_count=False)}


def parts(campaign: Campaign) -> dict[str, Any]:
    """Return a frame of what moves slowly."""
    return {"type": "parts", **get_live_parts(campaign)}


def send(client: redis.Redis[bytes], campaign: Campaign, frame: dict[str, Any]) -> None:
    """Number a frame and send it to everybody who watches the campaign.

    A snapshot that was kept from before is thrown away first: nobody may get an older state than the last frame.
    """
    pipeline = client.pipeline()
    pipeline.incr(sequence_key(campaign.pk))
    pipeline.expire(sequence_key(campaign.pk), SEQUENCE_EXPIRY_S)
    pipeline.delete(_snapshot_key(campaign.pk))
    seq = int(pipeline.execute()[0])
    push_encoded(campaign_group(campaign.pk), seq, json.dumps({"seq": seq, **frame}, separators=(",", ":")))


def opening_frame(campaign: Campaign) -> tuple[int, str]:
    """Return number and text of what a socket gets when it opens: five hundred that come at once read it once.

    The caller has joined the campaign's group already, so that no frame falls in between.
    """
    client: redis.Redis[bytes] | None = streams_client()
    try:
        if kept := client and client.get(_snapshot_key(campaign.pk)):
            seq, _, text = kept.decode().partition(" ")
            return int(seq), text
    except AWAY:
        client = None
    snapshot = get_live_snapshot(campaign)
    text = json.dumps(snapshot, separators=(",", ":"))
    if client is not None:
        try:
            if int(client.get(sequence_key(campaign.pk)) or 0) == snapshot["seq"]:  # no frame went out meanwhile
                client.set(_snapshot_key(campaign.pk), f"{snapshot['seq']} {text}", px=KEPT_MS, nx=True)
        except AWAY:
            logger.warning("live_snapshot_not_kept", campaign=str(campaign.pk))
    return snapshot["seq"], text

"""Turns "the figures of this campaign changed" into frames for whoever watches it.

Marks are folded: however many batches a campaign had, its watchers get one frame of absolute figures, at most every
`SHORTEST_S` seconds, and less often when reading the figures takes long: a very large ledger must not keep a core
busy.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import redis
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from prometheus_client import Counter

from analytics.selectors.live import get_live_frame, sequence_key
from campaigns.models import Campaign
from pulsequill.core.live import DIRTY, campaign_group, push_now
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)

#: Two frames a second.
SHORTEST_S = 0.5
#: A frame may cost this part of the time between two frames.
COST_SHARE = 0.1
TICK_S = 0.1
AWAY_S = 1.0
#: Frame counters of campaigns that nobody changes any more are forgotten.
SEQUENCE_EXPIRY_S = 7 * 24 * 60 * 60

FRAMES = Counter("pulsequill_live_frames_total", "Frames that the live publisher has sent")


class Publisher:
    """The one publisher of an installation's live pages; runs beside the event consumer."""

    def __init__(self, client: redis.Redis[bytes] | None = None) -> None:
        self._client = client or streams_client()
        self._waiting: set[str] = set()
        self._not_before: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, through restarts of Valkey and PostgreSQL."""
        while not stop.wait(TICK_S):
            close_old_connections()
            try:
                self.publish_due()
            except AWAY as error:
                logger.warning("publisher_valkey_away", error=str(error))
                stop.wait(AWAY_S)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("publisher_database_away", error=str(error))
                connection.close()
                stop.wait(AWAY_S)

    def publish_due(self) -> int:
        """Collect the marks and send the frames whose time has come.

        Returns:
            How many frames were sent.
        """
        marks: Any = self._client.spop(DIRTY, 1000)
        self._waiting |= {mark.decode() for mark in marks or ()}
        now = time.monotonic()
        due = [campaign_id for campaign_id in self._waiting if self._not_before.get(campaign_id, 0.0) <= now]
        for campaign_id in due:
            started = time.monotonic()
            self._publish(campaign_id)
            self._waiting.discard(campaign_id)
            cost = time.monotonic() - started
            self._not_before[campaign_id] = started + max(SHORTEST_S, cost / COST_SHARE)
        if len(self._not_before) > 10_000:
            self._not_before = {key: at for key, at in self._not_before.items() if at > now}
        return len(due)

    def _publish(self, campaign_id: str) -> None:
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            return
        frame = get_live_frame(campaign)
        pipeline = self._client.pipeline()
        pipeline.incr(sequence_key(campaign_id))
        pipeline.expire(sequence_key(campaign_id), SEQUENCE_EXPIRY_S)
        seq = pipeline.execute()[0]
        push_now(campaign_group(campaign.pk), {"seq": seq, **frame})
        FRAMES.inc()

"""Turns "the figures of this campaign changed" into frames for whoever watches it.

Marks are folded: however many batches a campaign had, its watchers get one frame of absolute figures, at most every
`SHORTEST_S` seconds, and less often when reading the figures takes long: reading must not keep a core busy. What moves
slowly goes in frames of its own, every `PARTS_S` seconds. When nothing more happens, a last frame of each kind follows,
because rates fall and counts of large ledgers settle without another event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import redis
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection
from prometheus_client import Counter
from redis.exceptions import RedisError

from analytics.live import frames
from analytics.selectors.live_parts import get_mailboxes
from campaigns.models import Campaign
from campaigns.selectors.tally import COUNTED_ANEW, Tally, get_tally
from pulsequill.core import heartbeats
from pulsequill.core.failures import reason_of
from pulsequill.core.live import DIRTY, mark_dirty
from pulsequill.core.valkey import AWAY, streams_client

logger = structlog.get_logger(__name__)

#: Two frames a second, from all publishers together.
SHORTEST_S = 0.5
#: A frame may cost this part of the time between two frames.
COST_SHARE = 0.25
TICK_S = 0.05
AWAY_S = 1.0
#: A campaign whose figures cannot be read or sent is left alone for so long; the others go on.
FAILED_S = 5.0
HEARTBEAT_EVERY_S = 5.0
#: What moves slowly is sent so often, and once more so long after the last change.
PARTS_S = 5.0
#: A last frame of the figures follows so long after the last change.
SETTLE_S = 3.0

#: Errors that say that a store is away, for all campaigns alike.
STORE_AWAY = (RedisError, OperationalError, InterfaceError)

FRAMES = Counter("pulsequill_live_frames_total", "Frames that the live publisher has sent")


class Publisher:
    """A publisher of an installation's live pages; runs beside the event consumer. Several share the work."""

    def __init__(self, client: redis.Redis[bytes] | None = None) -> None:
        self._client = client or streams_client()
        self._waiting: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._settles_at: dict[str, float] = {}
        self._parts_at: dict[str, float] = {}
        self._reading: threading.Thread | None = None
        self._heartbeat_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, through restarts of Valkey and PostgreSQL."""
        while not stop.wait(TICK_S):
            try:
                close_old_connections()
                self._sign_of_life()
                self.publish_due()
            except AWAY as error:
                logger.warning("publisher_valkey_away", error=str(error))
                stop.wait(AWAY_S)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("publisher_database_away", **reason_of(error))
                connection.close()
                stop.wait(AWAY_S)
            except Exception as error:  # noqa: BLE001 the thread must not end while the consumer beside it goes on
                logger.error("publisher_failed", **reason_of(error))
                connection.close()
                stop.wait(AWAY_S)

    def _sign_of_life(self) -> None:
        if time.monotonic() >= self._heartbeat_at:
            heartbeats.sign(heartbeats.PUBLISHER)
            self._heartbeat_at = time.monotonic() + HEARTBEAT_EVERY_S

    def publish_due(self) -> int:
        """Collect the marks and send the frames whose time has come.

        Returns:
            How many frames of figures were sent.
        """
        marks: Any = self._client.spop(DIRTY, 1000)
        self._waiting |= {mark.decode() for mark in marks or ()}
        now = time.monotonic()
        for campaign_id in self._waiting:
            self._parts_at.setdefault(campaign_id, now)
        due = {key for key in self._waiting if self._not_before.get(key, 0.0) <= now}
        due |= {key for key, at in self._settles_at.items() if at <= now and key not in self._waiting}
        sent = sum(self._attempt(self._publish, campaign_id) for campaign_id in due)
        for campaign_id in [key for key, at in self._parts_at.items() if at <= now]:
            self._attempt(self._publish_parts, campaign_id)
        if len(self._not_before) > 10_000:
            self._not_before = {key: at for key, at in self._not_before.items() if at > now}
        return sent

    def _attempt(self, publish: Callable[[str], bool], campaign_id: str) -> bool:
        """Publish, and leave a campaign alone for a while when that fails: no campaign costs others their frames."""
        try:
            return publish(campaign_id)
        except Exception as error:
            is_away = isinstance(error, STORE_AWAY)
            later = time.monotonic() + (AWAY_S if is_away else FAILED_S)
            self._not_before[campaign_id] = later
            for times in (self._settles_at, self._parts_at):
                if campaign_id in times:
                    times[campaign_id] = max(times[campaign_id], later)
            if is_away:
                raise
            logger.error("campaign_not_published", campaign_id=campaign_id, **reason_of(error))
            return False

    def _publish(self, campaign_id: str) -> bool:
        started = time.monotonic()
        if not self._client.set(frames.turn_key(campaign_id), 1, nx=True, px=int(SHORTEST_S * 1000) - 50):
            return False  # another publisher has just sent one; ours waits for the next turn
        is_last = campaign_id not in self._waiting
        campaign = self._find(campaign_id)
        if campaign is not None:
            frames.send(self._client, campaign, frames.figures(campaign))
            self._read_in_time(campaign)
            FRAMES.inc()
        self._waiting.discard(campaign_id)
        if is_last or campaign is None:
            self._settles_at.pop(campaign_id, None)
        else:
            self._settles_at[campaign_id] = started + SETTLE_S
        cost = time.monotonic() - started
        self._not_before[campaign_id] = started + max(SHORTEST_S, cost / COST_SHARE)
        return True

    def _publish_parts(self, campaign_id: str) -> bool:
        """Send what moves slowly, and once more later unless nothing has changed in between."""
        started = time.monotonic()
        is_last = campaign_id not in self._waiting and campaign_id not in self._settles_at
        campaign = self._find(campaign_id)
        if campaign is not None:
            frames.send(self._client, campaign, frames.parts(campaign))
        if is_last or campaign is None:
            self._parts_at.pop(campaign_id, None)
        else:
            cost = time.monotonic() - started
            self._parts_at[campaign_id] = started + max(PARTS_S, cost / COST_SHARE)
        return True

    def _find(self, campaign_id: str) -> Campaign | None:
        return Campaign.objects.filter(pk=campaign_id).select_related("workspace").first()

    def _read_in_time(self, campaign: Campaign) -> None:
        """Read a large ledger anew when that is due, beside the frames, which do not wait for it."""
        if campaign.recipients <= COUNTED_ANEW or (self._reading is not None and self._reading.is_alive()):
            return
        known = get_tally(campaign, may_count=False)
        if not known.is_fresh(campaign):
            self._reading = threading.Thread(target=_read, args=[campaign, known], name="ledger", daemon=True)
            self._reading.start()


def _read(campaign: Campaign, known: Tally) -> None:
    """Count the ledger and its mailboxes, and ask for another frame if rows have moved."""
    try:
        get_mailboxes(campaign)
        if get_tally(campaign).counts != known.counts:
            mark_dirty(campaign.pk)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("ledger_not_read", error=str(error))
    finally:
        connection.close()

"""What moves slowly on the live page: who runs the mailboxes, what people read with and where, and at which hours."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from django.core.cache import cache
from django.db import connection

from analytics.selectors.breakdowns import get_providers, get_readers
from analytics.selectors.live_reasons import get_machine_reasons
from campaigns.models import Campaign
from campaigns.selectors.tally import COUNTED_ANEW
from pulsequill.core.valkey import AWAY

#: Figures by mailbox provider read the whole ledger. Reading may cost this part of the time that they are kept.
COST_SHARE = 0.02
KEPT_S = (2.0, 120.0)

_HOURS = """
SELECT extract(isodow FROM minute AT TIME ZONE %(zone)s)::int - 1, extract(hour FROM minute AT TIME ZONE %(zone)s)::int,
       sum(human_opens + human_clicks), sum(machine_opens + machine_clicks)
  FROM analytics_eventminute WHERE campaign_id = %(campaign)s GROUP BY 1, 2
"""


def get_parts(campaign: Campaign) -> dict[str, Any]:
    """Return the slow parts of a campaign's live page.

    Returns:
        `mailboxes`: rows of `get_providers`, or None while those of a large ledger have not been read yet. `devices`,
        `clients`, `countries`: `{label, count, share}`, largest first. `hours`: for `human`, `machine` and `both` seven
        rows (Monday first) of 24 counts of opens and clicks, in the workspace's time zone. `machines`: what gave
        machines away among the latest events.
    """
    return {
        "mailboxes": get_mailboxes(campaign, may_read=False),
        **get_readers(campaign),
        "hours": get_hours(campaign),
        "machines": get_machine_reasons(campaign),
    }


def get_hours(campaign: Campaign) -> dict[str, list[list[int]]]:
    """Return opens and clicks by weekday and hour, whoever did it."""
    grids = {who: [[0] * 24 for _ in range(7)] for who in ("human", "machine", "both")}
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, {"zone": campaign.workspace.time_zone, "campaign": campaign.pk})
        for day, hour, human, machine in cursor.fetchall():
            for who, count in (("human", human), ("machine", machine), ("both", human + machine)):
                grids[who][day][hour] = int(count)
    return grids


def get_mailboxes(campaign: Campaign, *, may_read: bool = True) -> list[dict[str, Any]] | None:
    """Return `get_providers`; of a large ledger as it was a moment ago, because that reads all of its rows.

    Args:
        campaign: whose.
        may_read: False when whoever asks must not wait for a large ledger: gets what is kept, however old, or None.
    """
    if campaign.recipients <= COUNTED_ANEW:
        return get_providers(campaign)
    key, now = f"mailboxes:{campaign.pk}", time.time()
    kept: tuple[float, list[dict[str, Any]]] | None = None
    with contextlib.suppress(*AWAY):
        kept = cache.get(key)
    if kept is not None and (now < kept[0] or not may_read):
        return kept[1]
    if not may_read:
        return None
    started = time.perf_counter()
    rows = get_providers(campaign)
    shortest, longest = KEPT_S
    kept_s = min(max((time.perf_counter() - started) / COST_SHARE, shortest), longest)
    with contextlib.suppress(*AWAY):
        cache.set(key, (time.time() + kept_s, rows), 60 * 60)
    return rows

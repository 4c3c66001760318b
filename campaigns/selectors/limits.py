"""The limits of the account that a campaign leaves by: messages a second, and a warm-up's messages a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from campaigns.models import ProviderSettings
from campaigns.windows import instant

#: What has left, by the minute; and what is under way, which counts as if it had.
_USED = """
SELECT (SELECT COALESCE(sum(d.sent + d.failed), 0)
          FROM campaigns_campaign c JOIN campaigns_deliveryminute d ON d.campaign_id = c.id AND d.minute >= %(since)s
         WHERE c.workspace_id = %(workspace)s AND c.provider = %(provider)s
           AND (c.finished_at IS NULL OR c.finished_at >= %(since)s))
     + (SELECT count(*) FROM campaigns_message m
         WHERE m.workspace_id = %(workspace)s AND m.provider = %(provider)s AND m.status = 'sending' AND NOT m.is_test)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account takes.

    `key` names the account: whatever has the same key shares the limits. `rate_per_second` is None when there is no
    limit; `warm_up` holds the most messages for each day from `warm_up_from` on, none after its end.
    """

    key: str
    rate_per_second: int | None = None
    warm_up_from: date | None = None
    warm_up: tuple[int, ...] = ()

    def of_day(self, day: date) -> int | None:
        """Return how many messages may leave on a day of the workspace; None when the warm-up is over or there is none.

        Days before the warm-up are like its first: an account that must start slowly must not start fast before.
        """
        if self.warm_up_from is None or not self.warm_up:
            return None
        number = max(0, (day - self.warm_up_from).days)
        return self.warm_up[number] if number < len(self.warm_up) else None


def get_limits(workspace_id: UUID, provider: str) -> Limits:
    """Return the limits that a workspace's mail through a provider is under: its own account's, else everybody's."""
    own = (
        ProviderSettings.objects.for_workspace(workspace_id)
        .filter(provider=provider)
        .only("rate_per_second", "warm_up_start_date", "warm_up_plan")
        .first()
    )
    if own is None:
        return Limits(f"installation:{provider}", settings.SEND_RATE_LIMIT or None)
    plan = tuple(most for most in own.warm_up_plan if isinstance(most, int) and most >= 0)
    return Limits(f"account:{own.pk}", own.rate_per_second or None, own.warm_up_start_date, plan)


def count_used_today(workspace_id: UUID, provider: str, *, now: datetime, zone: ZoneInfo) -> int:
    """Return how many messages of campaigns have left through a provider since midnight in `zone`, or are leaving."""
    since = instant(now.astimezone(zone).date(), 0, zone)
    with connection.cursor() as cursor:
        cursor.execute(_USED, {"since": since, "workspace": workspace_id, "provider": provider})
        return int(cursor.fetchone()[0])

"""The limits of the account that a campaign leaves by: messages a second, and a warm-up's messages a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q

from campaigns.models import Campaign, ProviderSettings
from campaigns.selectors.tally import TOTAL, get_tally
from campaigns.windows import instant

#: How the keys of accounts begin that a workspace has of its own; the others are everybody's.
_OWN = "account:"

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
    return Limits(f"{_OWN}{own.pk}", own.rate_per_second or None, own.warm_up_start_date, plan)


def share_of_account(campaign: Campaign, provider: str, limits: Limits, *, number: float, now: datetime) -> float:
    """Return which part of its account's limits a campaign gets until `number` of its messages have left.

    Turns are given to whoever asks, so campaigns that leave at the same time get alike much of the account until they
    are done: of each other one as many messages go first or in between as it has left, and no more than `number`.

    Args:
        campaign: whose share.
        provider: what it leaves by.
        limits: of its account; without any nothing is shared.
        number: how many messages it has left.
        now: others that wait for something until later are left out.
    """
    if limits.rate_per_second is None and not limits.warm_up:
        return 1.0
    sending = Campaign.objects.across_workspaces().filter(status=Campaign.Status.SENDING, provider=provider)
    owners = ProviderSettings.objects.across_workspaces().filter(provider=provider).values("workspace_id")
    is_own = limits.key.startswith(_OWN)
    same = Q(workspace_id=campaign.workspace_id) if is_own else ~Q(workspace_id__in=owners)
    others = 0.0
    for other in sending.filter(same).exclude(pk=campaign.pk).exclude(continues_at__gt=now):
        counts = get_tally(other).counts[TOTAL]
        most = number
        if other.throttle_per_hour and limits.rate_per_second:
            most *= other.throttle_per_hour / 3600 / limits.rate_per_second
        others += min(counts["queued"] + counts["retrying"] + counts["sending"], most)
    return number / (number + others) if number else 1.0


def count_used_today(workspace_id: UUID, provider: str, *, now: datetime, zone: ZoneInfo) -> int:
    """Return how many messages of campaigns have left through a provider since midnight in `zone`, or are leaving."""
    since = instant(now.astimezone(zone).date(), 0, zone)
    with connection.cursor() as cursor:
        cursor.execute(_USED, {"since": since, "workspace": workspace_id, "provider": provider})
        return int(cursor.fetchone()[0])

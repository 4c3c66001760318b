"""From figures to commands: the emergency brake, and the end of the wait behind the first readers.

Asked each minute for every campaign that is being sent. A rate stops a campaign

- when it has reached its limit after `ENOUGH` messages, or
- before that, when so much of it is hardly possible were the true rate at the limit: the chance is below `CHANCE`
  (exact binomial tail; the same as a one-sided 99.9 % Clopper-Pearson bound above the limit, C. J. Clopper and E. S.
  Pearson, Biometrika 26, 1934). That holds for any number of messages, so a handful is no exception; only fewer than
  `FEWEST_TROUBLES` events stop nothing, because two may be the same person trying it out.

What counts are the messages that left since the launch, or since a person went on in spite of the brake: the same
evidence does not stop a campaign twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max, QuerySet, Sum

from analytics import dead_links
from campaigns.braking import DEAD_LINKS, RATES, limits_of
from campaigns.models import Campaign, DeliveryMinute, Message
from campaigns.selectors.waves import get_waves
from campaigns.services import brakes, waves

#: Messages after which a rate speaks for itself (RULES.md section 3), and events before which it says nothing earlier.
ENOUGH, FEWEST_TROUBLES = 500, 3
CHANCE = 0.001

#: Rows that trouble stands on have an index of their own, so a million good ones cost nothing. A recipient that our own
#: mail server refuses at once is as gone as one that bounces later.
_TROUBLES = """
SELECT count(*) FILTER (WHERE bounce_type = 'hard'), count(bounced_at), count(complained_at), count(unsubscribed_at)
  FROM campaigns_message
 WHERE campaign_id = %s AND NOT is_test AND sent_at >= %s
   AND (bounced_at IS NOT NULL OR complained_at IS NOT NULL OR unsubscribed_at IS NOT NULL)
"""
_REFUSED = """
SELECT count(*) FROM campaigns_message
 WHERE campaign_id = %s AND NOT is_test AND status = 'failed' AND last_error_code = 'smtp_rcpt_5xx' AND claimed_at >= %s
"""
#: One of the first mails is still to leave. A second try at a single mailbox holds nobody up.
_ON_THE_WAY = (Message.Status.QUEUED, Message.Status.SENDING)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of the messages of a campaign since a moment."""

    sent: int
    refused: int
    hard_bounces: int
    bounces: int
    complaints: int
    unsubscribes: int

    def of(self, name: str) -> tuple[int, int]:
        """Return how often a limit's trouble happened, and among how many messages it could have."""
        arrived = self.sent - self.bounces
        happened, messages = {
            "bounce_rate": (self.hard_bounces + self.refused, self.sent + self.refused),
            "complaint_rate": (self.complaints, arrived),
            "unsubscribe_rate": (self.unsubscribes, arrived),
        }[name]
        return happened, max(happened, messages)  # who complains about a mail has it, even when it bounced later


def watched_campaigns() -> QuerySet[Campaign]:
    """Return the campaigns that are being sent."""
    return Campaign.objects.across_workspaces().filter(status=Campaign.Status.SENDING)


def watch_rates(campaign_id: UUID, *, now: datetime) -> UUID | None:
    """Ask the brake about the rates of one campaign; costs a few queries and never waits for anybody.

    Returns:
        The workspace, when the campaign wants a closer look (`watch`): its links are to be asked, or the time of its
        first readers is up. None when not, or when it is stopped.
    """
    campaign = _find(campaign_id)
    if campaign is None or _stop_by_rates(campaign):
        return None
    return campaign.workspace_id if is_watch_over(campaign, now) or dead_links.is_due(campaign, now) else None


def watch(campaign_id: UUID, *, now: datetime) -> str:
    """Ask the brake about one campaign, its links included when it is time for that.

    Nobody is released while a link fails that may come back.

    Returns:
        `braked`, `released` (those who waited behind the first readers), or empty.
    """
    campaign = _find(campaign_id)
    if campaign is None:
        return ""
    if _stop_by_rates(campaign):
        return "braked"
    is_over = is_watch_over(campaign, now)
    if not is_over and not dead_links.is_due(campaign, now):
        return ""
    links = dead_links.look(campaign, now)
    if links.dead:
        many = "One link leads" if len(links.dead) == 1 else f"{len(links.dead)} links lead"
        return _stop(campaign, [f"{many} nowhere: {_first(links.dead)}."], get_brake(campaign), links.dead)
    return "released" if is_over and not links.is_doubtful and waves.release_canary(campaign=campaign) else ""


def _find(campaign_id: UUID) -> Campaign | None:
    campaigns = watched_campaigns().select_related("workspace").filter(launched_at__isnull=False)
    return campaigns.filter(pk=campaign_id).first()


def _stop_by_rates(campaign: Campaign) -> str:
    rows = get_brake(campaign)
    reasons = [sentence_of(row) for row in rows if row["is_reached"]]
    return _stop(campaign, reasons, rows) if reasons else ""


def _stop(campaign: Campaign, reasons: list[str], rows: list[dict[str, Any]], dead_urls: Sequence[str] = ()) -> str:
    figures = {row["name"]: [row["happened"], row["messages"], row["limit"]] for row in rows}
    is_first = brakes.pull_brake(campaign=campaign, reasons=reasons, figures=figures, dead_urls=dead_urls)
    return "braked" if is_first else ""


def get_brake(campaign: Campaign) -> list[dict[str, Any]]:
    """Return each rate of the brake: what happened, among how many, its rate, its limit, and whether it is reached.

    Once the brake stands, it shows what it was pulled for: what happened since the last time that a person went on.
    """
    evidence = read_evidence(campaign)
    limits = limits_of(campaign.brake)
    rows = []
    for name, limit in RATES.items():
        happened, messages = evidence.of(name)
        rows.append(
            {
                "name": name,
                "label": limit.label,
                "of": limit.of,
                "advice": limit.advice,
                "happened": happened,
                "messages": messages,
                "rate": round(happened / messages, 6) if messages else 0.0,
                "limit": limits[name],
                "is_reached": is_reached(happened, messages, limits[name]),
            }
        )
    return rows


def read_evidence(campaign: Campaign) -> Evidence:
    """Count what became of the messages that left since the launch, or since a person went on."""
    since = campaign.brake_released_at or campaign.launched_at
    if since is None:
        return Evidence(0, 0, 0, 0, 0, 0)
    minute = since.replace(second=0, microsecond=0)
    sent = DeliveryMinute.objects.filter(campaign=campaign, minute__gte=minute).aggregate(total=Sum("sent"))["total"]
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLES, [campaign.pk, since])
        hard, bounces, complaints, unsubscribes = cursor.fetchone()
        cursor.execute(_REFUSED, [campaign.pk, since])
        refused = cursor.fetchone()[0]
    return Evidence(sent or 0, refused, hard, bounces, complaints, unsubscribes)


def is_reached(happened: int, messages: int, limit: float | bool | None) -> bool:
    """Return whether a rate stops a campaign; never when its limit is switched off (None)."""
    if limit is None or isinstance(limit, bool) or not happened:
        return False
    if messages >= ENOUGH:
        return happened / messages >= limit
    return happened >= FEWEST_TROUBLES and happened / messages > limit and tail(happened, messages, limit) <= CHANCE


def tail(happened: int, messages: int, rate: float) -> float:
    """Return the chance of at least so many among so many messages, at a true rate: the exact binomial tail."""
    below = sum(math.comb(messages, k) * rate**k * (1 - rate) ** (messages - k) for k in range(happened))
    return max(0.0, 1.0 - below)


def sentence_of(row: dict[str, Any]) -> str:
    """Return what happened, for people: "Marked as spam: 4 of 812 that arrived (0.49 %; the limit is 0.3 %)."."""
    figures = f"{row['happened']:,} of {row['messages']:,} {row['of']}"
    return f"{row['label']}: {figures} ({percent(row['rate'])}; the limit is {percent(row['limit'])})."


def percent(share: float) -> str:
    """Return a share in percent with two decimals at most."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + " %"


def get_state(campaign: Campaign) -> dict[str, Any]:
    """Return how the brake stands, as the live page and `/v1/campaigns/{id}/brake` show it.

    Returns:
        `state` (`braked`; `watching` while people wait behind the first readers; `on`; `off` when nothing of it is
        being sent), `reason` when braked, `waiting` people, `releases_at` (None: once the first mails have left), the
        `dead_links` switch, `links_asked_at` (None: not today), `dead_urls` (led nowhere when it was stopped; accepted
        once somebody went on), and the rates of `get_brake`.
    """
    is_running = campaign.status in (Campaign.Status.SENDING, Campaign.Status.PAUSED)
    is_watched = is_running and bool(campaign.canary_share) and campaign.canary_released_at is None
    waiting = get_waves(campaign)["held_for_canary"] if is_watched else 0
    is_braked = campaign.status == Campaign.Status.PAUSED and campaign.braked_at is not None
    return {
        "state": "braked" if is_braked else "watching" if waiting else "on" if is_running else "off",
        "reason": campaign.status_reason if is_braked else "",
        "waiting": waiting,
        "releases_at": watched_until(campaign) if waiting else None,
        "dead_links": limits_of(campaign.brake)[DEAD_LINKS],
        "links_asked_at": dead_links.asked_at(campaign),
        "dead_urls": campaign.dead_urls,
        "rates": get_brake(campaign),
    }


def is_watch_over(campaign: Campaign, now: datetime) -> bool:
    """Return whether the first readers have been watched for as long as was asked for."""
    if not campaign.canary_share or campaign.canary_released_at is not None:
        return False
    until = watched_until(campaign)
    return until is not None and now >= until


def watched_until(campaign: Campaign) -> datetime | None:
    """Return until when the first readers are watched: from the last of their mails on; None while one is to leave."""
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    if rows.filter(status__in=_ON_THE_WAY).exists():
        return None
    last = DeliveryMinute.objects.filter(campaign=campaign, sent__gt=0).aggregate(last=Max("minute"))["last"]
    if last is None and rows.filter(status=Message.Status.RETRYING).exists():
        return None
    since: datetime | None = last + timedelta(minutes=1) if last else campaign.launched_at
    return since + timedelta(minutes=campaign.canary_minutes) if since else None


def _first(urls: list[str]) -> str:
    shown = [url if len(url) <= 80 else f"{url[:79]}…" for url in urls[:2]]
    return ", ".join(shown)

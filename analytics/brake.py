"""From figures to commands: the emergency brake, and the end of the wait behind the first readers.

Asked each minute for every campaign that is being sent. A rate stops a campaign

- when it has reached its limit after `ENOUGH` messages, or
- before that, when so much of it is hardly possible were the true rate at the limit: the chance is below `CHANCE`
  (exact binomial tail; the same as a one-sided 99.9 % Clopper-Pearson bound above the limit, C. J. Clopper and E. S.
  Pearson, Biometrika 26, 1934).

What counts are the messages that left since the launch, or since a person went on in spite of the brake: the same
evidence does not stop a campaign twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max, Sum

from campaigns.braking import DEAD_LINKS, RATES, limits_of
from campaigns.models import Campaign, DeliveryMinute, Link, Message
from campaigns.preflight import link_answers
from campaigns.preflight.link_answers import State
from campaigns.selectors.waves import get_waves
from campaigns.services import brakes, waves

#: Messages after which a rate speaks for itself (RULES.md section 3), and below which nothing does.
ENOUGH, FEWEST = 500, 20
CHANCE = 0.001
MOST_AT_ONCE = 500

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
        arrived = max(0, self.sent - self.bounces)
        return {
            "bounce_rate": (self.hard_bounces + self.refused, self.sent + self.refused),
            "complaint_rate": (self.complaints, arrived),
            "unsubscribe_rate": (self.unsubscribes, arrived),
        }[name]


def list_watched() -> list[UUID]:
    """Return the campaigns that are being sent."""
    running = Campaign.objects.across_workspaces().filter(status=Campaign.Status.SENDING)
    return list(running.order_by("launched_at").values_list("pk", flat=True)[:MOST_AT_ONCE])


def watch(campaign_id: UUID, *, now: datetime) -> str:
    """Ask the brake about one campaign.

    Returns:
        `braked`, `released` (those who waited behind the first readers), or empty.
    """
    campaign = (
        Campaign.objects.across_workspaces()
        .select_related("workspace")
        .filter(pk=campaign_id, status=Campaign.Status.SENDING)
        .first()
    )
    if campaign is None or campaign.launched_at is None:
        return ""
    rows = get_brake(campaign)
    reasons = [sentence_of(row) for row in rows if row["is_reached"]]
    is_due = not reasons and is_watch_over(campaign, now)
    dead = dead_links(campaign) if is_due else []
    if dead:
        reasons = [f"{'One link leads' if len(dead) == 1 else f'{len(dead)} links lead'} nowhere: {_first(dead)}."]
    if reasons:
        figures = {row["name"]: [row["happened"], row["messages"], row["limit"]] for row in rows}
        return "braked" if brakes.pull_brake(campaign=campaign, reasons=reasons, figures=figures) else ""
    return "released" if is_due and waves.release_canary(campaign=campaign) else ""


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
    if limit is None or isinstance(limit, bool) or messages < FEWEST or not happened:
        return False
    if messages >= ENOUGH:
        return happened / messages >= limit
    return happened / messages > limit and tail(happened, messages, limit) <= CHANCE


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
        `dead_links` switch, and the rates of `get_brake`.
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


def dead_links(campaign: Campaign) -> list[str]:
    """Ask the campaign's links again; return those that are gone, or fail twice in a row.

    Not when a person has gone on in spite of the brake: they know.
    """
    if not limits_of(campaign.brake)[DEAD_LINKS] or campaign.brake_released_at is not None:
        return []
    links = Link.objects.filter(variant__campaign=campaign, workspace_id=campaign.workspace_id, is_honeypot=False)
    urls = list(dict.fromkeys(links.order_by("position").values_list("url", flat=True)))
    answers = link_answers.ask_now(campaign.workspace_id, urls)
    failing = [url for url, answer in answers.items() if answer.state is State.FAILING]
    again = link_answers.ask_now(campaign.workspace_id, failing)
    return [url for url in urls if (again.get(url) or answers.get(url, _WELL)).state in (State.GONE, State.FAILING)]


_WELL = link_answers.LinkAnswer(State.WELL)


def _first(urls: list[str]) -> str:
    shown = [url if len(url) <= 80 else f"{url[:79]}…" for url in urls[:2]]
    return ", ".join(shown)

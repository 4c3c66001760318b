"""A campaign that was sent a moment ago, and what its readers did: the ground of the measuring benchmarks."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign, Link, Message
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.core.event_log import encode

AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0",
    "Mozilla/5.0",
)
#: Of a hundred events: opens, clicks; the others are delivery reports.
OPENS, CLICKS = 60, 15


def make_sent_campaign(name: str, size: int) -> Campaign:
    """Make a campaign of which `size` messages left an hour ago through a provider that reports deliveries."""
    workspace = make_workspace(name)
    campaign = mail.make_campaign(workspace, make_audience(workspace, size), mail.make_sender(workspace))
    mail.launch(campaign, "sendgrid")
    sent_at = timezone.now() - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET status = 'sent', attempt_no = 1, claimed_at = %s, sent_at = %s "
            "WHERE campaign_id = %s",
            [sent_at, sent_at, campaign.pk],
        )
        cursor.execute("VACUUM ANALYZE campaigns_message")
    return campaign


def message_ids(campaign: Campaign) -> list[int]:
    """Return the ledger rows of a campaign."""
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign)
    return list(rows.order_by("id").values_list("id", flat=True))


def make_lines(campaign: Campaign, count: int) -> list[bytes]:
    """Return lines of the event log about a campaign's messages: reports, opens and clicks, within the hour."""
    dice = random.Random(7)  # noqa: S311 the same events in every run
    ids = message_ids(campaign)
    links = list(Link.objects.filter(variant__campaign=campaign, is_honeypot=False).values_list("id", flat=True))
    begin: datetime = timezone.now() - timedelta(minutes=58)
    lines = []
    for number in range(count):
        kind = "opened" if number % 100 < OPENS else "clicked" if number % 100 < OPENS + CLICKS else "delivered"
        is_hit = kind != "delivered"
        lines.append(
            encode(
                kind=kind,
                message_id=dice.choice(ids),
                link_id=dice.choice(links) if kind == "clicked" else None,
                source="tracking" if is_hit else "sendgrid",
                occurred_at=begin + timedelta(milliseconds=dice.randrange(3_400_000)),
                user_agent=dice.choice(AGENTS) if is_hit else "",
                ip=f"192.0.2.{dice.randrange(1, 255)}" if is_hit else "",
            )
        )
    return lines

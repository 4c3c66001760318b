"""How many of a campaign wait for a wave, and how many are held out."""

from __future__ import annotations

from django.db import connection
from django.db.models import Count, Q

from audiences.selectors import audience_sql
from campaigns.models import Campaign, Message
from campaigns.selectors.campaigns import audience_of
from campaigns.tickets import HELD_OUT, Draw, part_of, ticket_sql


def get_waves(campaign: Campaign) -> dict[str, int]:
    """Return how many rows wait for the test's end or next wave, wait behind the first readers, and are held out.

    A campaign that holds nobody back costs two looks into an index.

    Returns:
        `{held_for_test, held_for_canary, held_out}`.
    """
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    waiting = rows.filter(status=Message.Status.HELD).aggregate(
        held_for_test=Count("pk", filter=Q(variant__isnull=True)),
        held_for_canary=Count("pk", filter=Q(variant__isnull=False)),
    )
    held_out = rows.filter(status=Message.Status.SKIPPED, reason=HELD_OUT).count() if campaign.holdout_share else 0
    return {**waiting, "held_out": held_out}


def count_held_out(campaign: Campaign) -> int:
    """Return how many of those who may be mailed a launch at this moment would hold out: the draw is known before."""
    if not campaign.holdout_share:
        return 0
    audience, params = audience_sql(**audience_of(campaign))
    ticket = ticket_sql(campaign.pk, Draw.PART, "contact_id::text")
    drawn = f"SELECT count(*) FROM ({audience}) a WHERE skip_reason = '' AND {ticket} < %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(drawn, [*params, part_of(campaign.holdout_share)])
        return int(cursor.fetchone()[0])

"""How many rows of a campaign wait for a wave."""

from __future__ import annotations

from django.db.models import Count, Q

from campaigns.models import Campaign, Message
from campaigns.tickets import HELD_OUT


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

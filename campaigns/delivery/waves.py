"""Letting go of rows that the plan held back: the rest of a canary, the rest of a test, the next wave of a bandit.

A release is one statement in one transaction that holds the campaign's row, so of two at once the second finds nothing,
and one that meets a cancellation comes before it (its rows are skipped then) or finds the campaign over. Whoever calls
wakes the workers after the commit; when nobody does, the sweep finds what is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from campaigns.delivery.local_time import due_at_sql
from campaigns.models import Campaign, Message, Variant
from campaigns.tickets import (
    FEWEST,
    FOR_CANARY,
    TICKETS,
    Draw,
    Range,
    share_out,
    test_range,
    ticket_sql,
)
from pulsequill.core.errors import Invalid

#: Those of a paused one wait in the queue until somebody resumes it.
RELEASABLE = (Campaign.Status.SENDING, Campaign.Status.PAUSED)

#: Whose contact is gone has nothing to draw for but its row; the claim tells why it is not mailed.
_WHO = "COALESCE(m.contact_id, lpad(to_hex(m.id), 32, '0')::uuid)::text"

_RELEASE = """
WITH a AS MATERIALIZED (
  SELECT m.id, m.contact_id, m.variant_id, {turn} AS turn FROM campaigns_message m
   WHERE m.campaign_id = %s AND m.status = 'held' AND m.variant_id IS {known} NULL {choice}
     FOR UPDATE OF m
)
UPDATE campaigns_message m SET variant_id = v.id, status = %s, reason = %s, due_at = {due_at}
  FROM a JOIN unnest(%s::uuid[], %s::int[], %s::int[], %s::int[]) AS v(id, first_ticket, end_ticket, delay)
         ON {own}
 WHERE m.id = a.id
"""

_FILL_FIRST = """
UPDATE campaigns_message SET status = 'queued', reason = ''
 WHERE id IN (SELECT m.id FROM campaigns_message m
               WHERE m.campaign_id = %s AND m.status = 'held' AND m.reason = %s
               ORDER BY {turn}, m.id LIMIT %s)
"""


def fill_small_parts(campaign: Campaign, variants: Iterable[Variant], *, now: datetime) -> None:
    """Let a test and its first readers be somebody, where shares of a small list came to nobody or to very few.

    Runs at the end of the plan, in the launch's transaction. Whoever has the next ticket is taken.

    Args:
        campaign: with its workspace.
        variants: its variants.
        now: the time of the launch.
    """
    variants = [variant for variant in variants if variant.share]
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    if test_range(campaign, variants)[1] < TICKETS:
        tested = rows.filter(variant__isnull=False).exclude(status=Message.Status.SKIPPED)
        lacking = _lacking(tested, FEWEST * len(variants))
        if lacking:
            shares = share_out({variant.pk: variant.share for variant in variants})
            _release(campaign, shares, now=now, of_test=True, count=lacking)
    if campaign.canary_share:
        lacking = _lacking(rows.filter(status=Message.Status.QUEUED), FEWEST)
        if lacking:
            statement = _FILL_FIRST.format(turn=ticket_sql(campaign.pk, Draw.CANARY, _WHO))
            with connection.cursor() as cursor:
                cursor.execute(statement, [campaign.pk, FOR_CANARY, lacking])


def _lacking(rows: QuerySet[Message], fewest: int) -> int:
    """Return how many rows there are too few; reads no more than it takes to tell."""
    return fewest - rows.order_by()[:fewest].count()


@transaction.atomic
def release_canary(*, campaign: Campaign, now: datetime) -> int:
    """Queue everybody who waits behind the first readers, once: `canary_released_at` says that it was done.

    Args:
        campaign: with its workspace; its `canary_released_at` is brought up to date.
        now: the time of the release.

    Returns:
        How many rows were queued; 0 when somebody was first, or the campaign is over or has no first readers.
    """
    if not _lock(campaign) or not campaign.canary_share or campaign.canary_released_at is not None:
        return 0
    Campaign.objects.for_workspace(campaign.workspace_id).filter(pk=campaign.pk).update(canary_released_at=now)
    campaign.canary_released_at = now
    everybody = [Range(variant_id, 0, TICKETS) for variant_id in _delays(campaign)]
    return _release(campaign, everybody, now=now, of_test=False)


@transaction.atomic
def release_rest(*, campaign: Campaign, shares: Mapping[UUID, float], count: int | None = None, now: datetime) -> int:
    """Give the rest of a test its variants, and let it leave.

    Who is in a part of `count` and who gets which variant is drawn (`campaigns.tickets`), so a repeat would give the
    same answer. While the first readers of the campaign are still being watched, the released wait with the others.

    Args:
        campaign: with its workspace.
        shares: variant -> its share of those who are released; they count relative to their sum.
        count: how many at most; None for everybody who waits.
        now: the time of the release.

    Returns:
        How many rows have a variant now; 0 when nobody waits, or the campaign is over.

    Raises:
        Invalid: the shares are not positive, or name a variant that is not the campaign's.
    """
    delays = _delays(campaign)
    if not set(shares) <= set(delays) or any(not 0 <= share < float("inf") for share in shares.values()):
        raise Invalid("Shares are given for variants of this campaign, and none is below 0.", code="wrong_shares")
    if not sum(shares.values()):
        raise Invalid("No variant has a share above 0.", code="wrong_shares")
    if not _lock(campaign) or (count is not None and count < 1):
        return 0
    return _release(campaign, share_out(shares), now=now, of_test=True, count=count)


def _lock(campaign: Campaign) -> bool:
    """Hold the campaign's row until the end of the transaction; return whether anything of it may be released.

    Whoever refers to the row goes on (`NO KEY`): results are recorded while a release is under way.
    """
    rows = Campaign.objects.for_workspace(campaign.workspace_id).select_for_update(of=("self",), no_key=True)
    row = rows.only("status", "canary_share", "canary_released_at").get(pk=campaign.pk)
    campaign.canary_released_at = row.canary_released_at
    return row.status in RELEASABLE


def _delays(campaign: Campaign) -> dict[UUID, int]:
    variants = Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).order_by("label")
    return dict(variants.values_list("pk", "send_delay_minutes"))


def _release(campaign: Campaign, ranges: list[Range], *, now: datetime, of_test: bool, count: int | None = None) -> int:
    delays = _delays(campaign)
    due_at, due_params = due_at_sql(campaign, delays=delays.values(), released_at=now)
    is_watched = of_test and bool(campaign.canary_share) and campaign.canary_released_at is None
    draw = ticket_sql(campaign.pk, Draw.PART, _WHO)
    choice = "" if count is None else f"ORDER BY {draw}, m.id LIMIT {int(count)}"
    statement = _RELEASE.format(
        turn=ticket_sql(campaign.pk, Draw.VARIANT, _WHO),
        known="" if of_test else "NOT",
        choice=choice,
        due_at=due_at,
        own="a.turn >= v.first_ticket AND a.turn < v.end_ticket" if of_test else "v.id = a.variant_id",
    )
    status, reason = (Message.Status.HELD, FOR_CANARY) if is_watched else (Message.Status.QUEUED, "")
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                campaign.pk,
                status,
                reason,
                *due_params,
                [one.variant_id for one in ranges],
                [one.first for one in ranges],
                [one.end for one in ranges],
                [delays[one.variant_id] for one in ranges],
            ],
        )
        return int(cursor.rowcount)

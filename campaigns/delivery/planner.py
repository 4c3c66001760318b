"""The launch: one transaction that freezes what is sent and writes a ledger row for everybody it concerns.

Set-based: a million recipients never pass through Python.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from audiences.selectors import audience_sql
from campaigns.content.compile import compile_variant
from campaigns.delivery.pacing import due_at_sql
from campaigns.delivery.providers import active_provider
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Link, Variant
from pulsequill.core.errors import Invalid, WrongState

#: A variant is chosen by a hash of contact and campaign, so a repeat of the split gives the same answer, and being in
#: variant B of one campaign says nothing about the next.
_PLAN = """
INSERT INTO campaigns_message (workspace_id, campaign_id, variant_id, contact_id, email, email_normalized, is_test,
                               status, reason, attempt_no, claimed_by, provider, provider_message_id,
                               last_error_code, bounce_type, created_at, due_at)
SELECT %s, %s, v.id, a.contact_id, a.email, a.email_normalized, false,
       CASE WHEN a.skip_reason = '' THEN 'queued' ELSE 'skipped' END, a.skip_reason, 0, '', %s, '', '', '', %s, {due_at}
  FROM (SELECT *, abs(hashtextextended(contact_id::text, %s) %% %s) AS ticket FROM ({audience}) reached) a
  JOIN unnest(%s::uuid[], %s::int[], %s::int[]) AS v(id, first_ticket, end_ticket)
    ON a.ticket >= v.first_ticket AND a.ticket < v.end_ticket
"""


#: From here on the statistics of the ledger are taken anew, or every plan after the launch is made for an empty table.
ROWS_THAT_SKEW = 5000
#: Resuming and resending also lead to `sending`, but nothing is planned twice.
LAUNCHABLE = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)


def launch(campaign: Campaign, *, now: datetime) -> int:
    """Move a campaign to `sending`: freeze its variants, plan its recipients; all of it or nothing.

    Args:
        campaign: as the caller read it, with its workspace.
        now: the time of the launch.

    Returns:
        How many ledger rows were planned, skipped ones included.

    Raises:
        WrongState: it has been launched already, or may not be from its status.
        Invalid: a variant cannot be compiled, or there is nothing to share recipients out among.
    """
    with transaction.atomic():
        if campaign.status not in LAUNCHABLE or not change_status(
            campaign,
            Campaign.Status.SENDING,
            launched_at=now,
            finished_at=None,
            provider=active_provider(campaign.workspace),
        ):
            raise WrongState("Another request has launched this campaign, or it is not a draft any more.")
        variants = _freeze(campaign)
        planned = _plan(campaign, variants, now)
        Campaign.objects.for_workspace(campaign.workspace_id).filter(pk=campaign.pk).update(recipients=planned)
        campaign.recipients = planned
    return planned


def _freeze(campaign: Campaign) -> list[Variant]:
    variants = list(Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).order_by("label"))
    for variant in variants:
        compiled = compile_variant(variant=variant, campaign=campaign, workspace=campaign.workspace)
        variant.compiled_html = compiled.html
        variant.compiled_text = compiled.text
        variant.content_hash = compiled.content_hash
        variant.save(update_fields=["compiled_html", "compiled_text", "content_hash", "updated_at"])
        Link.objects.bulk_create(
            [
                Link(workspace_id=campaign.workspace_id, variant=variant, url=url, position=position)
                for position, url in enumerate(compiled.links)
            ]
        )
    return variants


def _plan(campaign: Campaign, variants: list[Variant], now: datetime) -> int:
    tickets = _tickets(variants)
    audience, params = audience_sql(
        workspace_id=campaign.workspace_id,
        lists=campaign.lists.for_workspace(campaign.workspace_id),
        segments=campaign.segments.for_workspace(campaign.workspace_id),
        exclude_lists=campaign.exclude_lists.for_workspace(campaign.workspace_id),
        exclude_segments=campaign.exclude_segments.for_workspace(campaign.workspace_id),
    )
    due_at, due_params = due_at_sql(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN.format(audience=audience, due_at=due_at),
            [
                campaign.workspace_id,
                campaign.pk,
                campaign.provider,
                now,
                *due_params,
                campaign.pk.int & (2**62 - 1),
                tickets[-1][2],
                *params,
                [variant_id for variant_id, _, _ in tickets],
                [first for _, first, _ in tickets],
                [end for _, _, end in tickets],
            ],
        )
        planned = int(cursor.rowcount)
        if planned >= ROWS_THAT_SKEW:
            cursor.execute("ANALYZE campaigns_message")
        return planned


def _tickets(variants: list[Variant]) -> list[tuple[UUID, int, int]]:
    """Return each variant's half-open range of tickets; shares count relative to their sum."""
    ranges, position = [], 0
    for variant in variants:
        ranges.append((variant.pk, position, position + variant.share))
        position += variant.share
    if not position:
        raise Invalid("The campaign has no content to send.", code="no_variants")
    return ranges

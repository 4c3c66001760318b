"""The launch: one transaction that freezes what is sent and writes a ledger row for everybody it concerns.

Set-based: a million recipients never pass through Python.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from audiences.selectors import audience_sql
from campaigns.content.compile import compile_variant
from campaigns.delivery.pacing import due_at_sql
from campaigns.delivery.providers import active_provider
from campaigns.delivery.waves import fill_small_parts
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Link, Variant
from campaigns.tickets import FOR_CANARY, FOR_TEST, HELD_OUT, TICKETS, Draw, part_of, share_out, test_range, ticket_sql
from pulsequill.core.errors import Invalid, WrongState

#: The draws (`tickets`) say who is held out, who is in the test and gets which variant, and who is among the first
#: readers. Whoever may not be mailed is skipped for that reason and for no other, so a comparison with those who were
#: held out compares people who could all have got it.
_PLAN = """
INSERT INTO campaigns_message (workspace_id, campaign_id, variant_id, contact_id, email, email_normalized, is_test,
                               status, reason, attempt_no, claimed_by, provider, provider_message_id,
                               last_error_code, bounce_type, created_at, due_at)
SELECT %s, %s, variant_id, contact_id, email, email_normalized, false,
       CASE reason WHEN '' THEN 'queued' WHEN '{for_test}' THEN 'held' WHEN '{for_canary}' THEN 'held'
                   ELSE 'skipped' END,
       reason, 0, '', %s, '', '', '', %s, due_at
  FROM (SELECT v.id AS variant_id, a.*, CASE WHEN v.id IS NOT NULL THEN {due_at} END AS due_at,
               CASE WHEN a.skip_reason <> '' THEN a.skip_reason
                    WHEN a.part < {test_begins} THEN '{held_out}'
                    WHEN v.id IS NULL THEN '{for_test}'
                    WHEN a.canary >= {canary_ends} THEN '{for_canary}'
                    ELSE '' END AS reason
          FROM (SELECT *, {part} AS part, {turn} AS turn, {canary} AS canary FROM ({audience}) reached) a
          LEFT JOIN unnest(%s::uuid[], %s::int[], %s::int[], %s::int[]) AS v(id, first_ticket, end_ticket, delay)
                 ON a.part >= {test_begins} AND a.part < {test_ends}
                AND a.turn >= v.first_ticket AND a.turn < v.end_ticket) planned
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
                Link(
                    workspace_id=campaign.workspace_id,
                    variant=variant,
                    url=url,
                    position=position,
                    is_honeypot=position == len(compiled.links),
                )
                for position, url in enumerate([*compiled.links, *([compiled.honeypot] if compiled.honeypot else [])])
            ]
        )
    return variants


def _plan(campaign: Campaign, variants: list[Variant], now: datetime) -> int:
    if not any(variant.share for variant in variants):
        raise Invalid("The campaign has no content to send.", code="no_variants")
    ranges = share_out({variant.pk: variant.share for variant in variants})
    delays = {variant.pk: variant.send_delay_minutes for variant in variants}
    audience, params = audience_sql(
        workspace_id=campaign.workspace_id,
        lists=campaign.lists.for_workspace(campaign.workspace_id),
        segments=campaign.segments.for_workspace(campaign.workspace_id),
        exclude_lists=campaign.exclude_lists.for_workspace(campaign.workspace_id),
        exclude_segments=campaign.exclude_segments.for_workspace(campaign.workspace_id),
    )
    due_at, due_params = due_at_sql(campaign, delays=delays.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN.format(audience=audience, due_at=due_at, **_draws(campaign, variants)),
            [
                campaign.workspace_id,
                campaign.pk,
                campaign.provider,
                now,
                *due_params,
                *params,
                [one.variant_id for one in ranges],
                [one.first for one in ranges],
                [one.end for one in ranges],
                [delays[one.variant_id] for one in ranges],
            ],
        )
        planned = int(cursor.rowcount)
        fill_small_parts(campaign, variants, now=now)
        if planned >= ROWS_THAT_SKEW:
            cursor.execute("ANALYZE campaigns_message")
        return planned


def _draws(campaign: Campaign, variants: list[Variant]) -> dict[str, str | int]:
    """Return the parts of `_PLAN` that say who is drawn for what; what is not drawn for costs nothing."""
    test_begins, test_ends = test_range(campaign, variants)
    canary_ends = part_of(campaign.canary_share) if campaign.canary_share else TICKETS

    def draw(what: Draw, is_needed: bool) -> str:
        return ticket_sql(campaign.pk, what, "contact_id::text") if is_needed else "0"

    return {
        "test_begins": test_begins,
        "test_ends": test_ends,
        "canary_ends": canary_ends,
        "part": draw(Draw.PART, (test_begins, test_ends) != (0, TICKETS)),
        "turn": draw(Draw.VARIANT, len(variants) > 1),
        "canary": draw(Draw.CANARY, canary_ends < TICKETS),
        "held_out": HELD_OUT,
        "for_test": FOR_TEST,
        "for_canary": FOR_CANARY,
    }

"""The desk for messages in doubt: what a person decides about one, some or all of them, and taking it back.

Marking says "it arrived", can be undone, and changes figures only. Sending again cannot be undone, and the reader of a
message that was in doubt may get it twice. Either is kept as `Settlement` rows, one for each message.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.activity import acting_as
from accounts.activity import record as record_activity
from accounts.models import User, Workspace
from campaigns import tasks
from campaigns.delivery import ledger
from campaigns.delivery.providers import PROVIDERS, Outcome, active_provider
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, DeliveryMinute, Message, Settlement
from pulsequill.core.errors import WrongState
from pulsequill.core.ids import uuid7
from pulsequill.core.live import mark_dirty

Verb = Settlement.Verb
#: What a person may send again. Failed rows were definitely not accepted; rows in doubt may reach the reader twice.
RESENDABLE = (Message.Status.IN_DOUBT, Message.Status.FAILED)
#: Rows that one decision may be about; the desk says when there are more.
MOST_AT_ONCE = 10_000
ROWS_A_STATEMENT = 1_000
#: So many are woken one by one; the sweep finds the rest.
WOKEN_AT_ONCE = 50

#: A fact that only a message which arrived can have.
_PROOF = Q(bounced_at__isnull=False)
for _fact in ("first_opened_at", "first_machine_opened_at", "first_clicked_at", "first_machine_clicked_at",
              "complained_at", "unsubscribed_at"):  # fmt: skip
    _PROOF |= Q(**{f"{_fact}__isnull": False})


@dataclass(frozen=True, slots=True)
class Settled:
    """What a decision did: its batch (which undoes it), how many rows it changed, and how many it had to leave.

    The batch is also the id of the first of its settlements.
    """

    batch: UUID
    changed: int
    left: int


def reports_delivery(provider: str) -> bool:
    """Return whether a provider tells later what became of a message."""
    known = PROVIDERS.get(provider)
    return known is not None and known.reports_delivery


def mark_sent(*, rows: QuerySet[Message], workspace: Workspace, actor: User | None) -> Settled:
    """Settle rows in doubt as sent: somebody knows that they arrived.

    Args:
        rows: a choice within the workspace; what is not in doubt (any more) is left alone.
        workspace: whose rows they are.
        actor: who decided.
    """
    batch, now = uuid7(), timezone.now()
    with transaction.atomic():
        chosen = _lock(rows, (Message.Status.IN_DOUBT,))
        marked = [row for row in chosen if row.attempt_id is not None]
        for reports in (True, False):
            group = [row for row in marked if reports_delivery(row.provider) is reports]
            for start in range(0, len(group), ROWS_A_STATEMENT):
                _record_as_sent(group[start : start + ROWS_A_STATEMENT], reports, now)
        _keep(marked, Verb.MARKED_SENT, batch, actor)
        _say(workspace, marked, "message.marked_sent", "{} marked as sent.", batch, actor)
    return Settled(batch, len(marked), len(chosen) - len(marked))


def resend(*, rows: QuerySet[Message], workspace: Workspace, actor: User | None) -> Settled:
    """Send rows again that are in doubt or have failed; readers of those in doubt may get the mail twice.

    Args:
        rows: a choice within the workspace; rows of cancelled campaigns and of erased people are left alone.
        workspace: whose rows they are.
        actor: who decided.
    """
    batch = uuid7()
    with transaction.atomic():
        chosen = _lock(rows, RESENDABLE)
        going = [
            row
            for row in chosen
            if not row.is_erased and (row.campaign is None or row.campaign.status != Campaign.Status.CANCELLED)
        ]
        by_provider: dict[str, list[int]] = {}
        for row in going:
            campaign_provider = row.campaign.provider if row.campaign else active_provider(workspace)
            by_provider.setdefault(campaign_provider or row.provider, []).append(row.pk)
        for provider, keys in by_provider.items():
            # Without the old attempt's id a worker that comes back late cannot touch the row.
            Message.objects.for_workspace(workspace).filter(pk__in=keys).update(
                status=Message.Status.QUEUED,
                reason="",
                attempt_id=None,
                lease_until=None,
                due_at=None,
                attempt_no=0,
                provider=provider,
            )
        _keep(going, Verb.RESENT, batch, actor)
        _say(workspace, going, "message.resent", "{} on the way again.", batch, actor)
        _wake(going)
    return Settled(batch, len(going), len(chosen) - len(going))


def undo_marking(*, settlement: Settlement, actor: User | None) -> Settled:
    """Put back in doubt what one decision marked as sent, unless something proves meanwhile that it arrived.

    Args:
        settlement: any row of the decision.
        actor: who takes it back.

    Raises:
        WrongState: there is nothing (left) to undo.
    """
    workspace, batch, now = settlement.workspace, settlement.batch, timezone.now()
    with transaction.atomic():
        kept = {
            made.message_id: made
            for made in Settlement.objects.for_workspace(workspace)
            .filter(batch=batch, verb=Verb.MARKED_SENT, undone_at__isnull=True)
            .select_for_update()
        }
        if not kept:
            raise WrongState("There is nothing to undo: it was undone already, or these messages were sent again.")
        rows = list(
            Message.objects.for_workspace(workspace)
            .filter(pk__in=kept, status=Message.Status.SENT)
            .exclude(_PROOF)
            .filter(Q(delivered_at__isnull=True) | Q(delivered_at=F("sent_at")))
            .select_for_update(of=("self",))
            .order_by("pk")
        )
        _take_from_the_minutes(rows)
        for row in rows:
            was = kept[row.pk]
            row.status, row.reason, row.last_error_code = was.was_status, was.was_reason, was.was_code
            row.sent_at = row.delivered_at = None
        Message.objects.for_workspace(workspace).bulk_update(
            rows, ["status", "reason", "last_error_code", "sent_at", "delivered_at"], batch_size=ROWS_A_STATEMENT
        )
        Settlement.objects.for_workspace(workspace).filter(batch=batch, message__in=rows).update(undone_at=now)
        _say(workspace, rows, "message.marking_undone", "{} in doubt again.", batch, actor)
    return Settled(batch, len(rows), len(kept) - len(rows))


def _lock(rows: QuerySet[Message], statuses: tuple[str, ...]) -> list[Message]:
    """Take the rows, in the order in which everybody locks them."""
    return list(
        rows.filter(status__in=statuses)
        .select_related("campaign")
        .select_for_update(of=("self",))
        .order_by("pk")[:MOST_AT_ONCE]
    )


def _record_as_sent(rows: list[Message], reports: bool, now: datetime) -> None:
    ledger.record(
        [
            Claimed(row.pk, row.attempt_id, row.attempt_no, row.contact_id, row.variant_id, row.email)
            for row in rows
            if row.attempt_id is not None
        ],
        [Outcome("accepted", provider_message_id=row.provider_message_id) for row in rows],
        reports_delivery=reports,
        now=now,
    )


def _take_from_the_minutes(rows: list[Message]) -> None:
    """Take marked rows out of the minute that they were counted in."""
    sent: Counter[tuple[UUID, UUID, datetime]] = Counter()
    delivered: Counter[tuple[UUID, UUID, datetime]] = Counter()
    for row in rows:
        if row.campaign_id and row.variant_id and row.sent_at and not row.is_test:
            minute = (row.campaign_id, row.variant_id, row.sent_at.replace(second=0, microsecond=0))
            sent[minute] += 1
            delivered[minute] += not reports_delivery(row.provider)
    for minute in sorted(sent, key=str):
        campaign_id, variant_id, at = minute
        DeliveryMinute.objects.filter(campaign_id=campaign_id, variant_id=variant_id, minute=at).update(
            sent=F("sent") - sent[minute], delivered=F("delivered") - delivered[minute]
        )


def _keep(rows: list[Message], verb: str, batch: UUID, actor: User | None) -> None:
    label = str(actor) if actor else acting_as.get()
    Settlement.objects.bulk_create(
        [
            Settlement(
                id=uuid7() if place else batch,
                workspace_id=row.workspace_id,
                message=row,
                batch=batch,
                verb=verb,
                actor=actor,
                actor_label=label[:160],
                was_status=row.status,
                was_reason=row.reason,
                was_code=row.last_error_code,
            )
            for place, row in enumerate(rows)
        ],
        batch_size=ROWS_A_STATEMENT,
    )


def _say(workspace: Workspace, rows: list[Message], kind: str, sentence: str, batch: UUID, actor: User | None) -> None:
    """Write one line to the audit log for the whole decision, and move the pages that show these campaigns."""
    if not rows:
        return
    what = f"The message to {rows[0].email} is" if len(rows) == 1 else f"{len(rows):,} messages are"
    campaigns = {row.campaign_id for row in rows if row.campaign_id}
    record_activity(
        workspace=workspace,
        kind=kind,
        summary=sentence.format(what),
        actor=actor,
        subject=rows[0] if len(rows) == 1 else None,
        count=len(rows),
        batch=str(batch),
        campaigns=sorted(map(str, campaigns))[:20],
    )
    for campaign_id in campaigns:
        transaction.on_commit(lambda key=campaign_id: mark_dirty(key))  # type: ignore[misc]


def _wake(rows: list[Message]) -> None:
    """Wake the workers: running campaigns by slices, rows on their own one by one or by the sweep."""
    running = {row.campaign_id for row in rows if row.campaign and row.campaign.status == Campaign.Status.SENDING}
    for campaign_id in running:
        tasks.deliver_slice.delay_on_commit(campaign_id=str(campaign_id))
    single = [
        row.pk
        for row in rows
        if row.campaign_id not in running and not (row.campaign and row.campaign.status == Campaign.Status.PAUSED)
    ]
    for key in single[:WOKEN_AT_ONCE]:
        tasks.deliver_message.delay_on_commit(message_id=key)
    if len(single) > WOKEN_AT_ONCE:
        tasks.sweep.delay_on_commit()

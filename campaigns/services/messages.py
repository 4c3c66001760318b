"""Settling what is in doubt: by a person, audited, or by what the provider tells later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.activity import record as record_activity
from accounts.models import User
from campaigns import tasks
from campaigns.delivery import ledger
from campaigns.delivery.providers import PROVIDERS, Outcome
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, Message
from pulsequill.core.errors import WrongState
from pulsequill.core.live import mark_dirty

#: What a person may send again. Failed rows were definitely not accepted; rows in doubt may reach the reader twice.
RESENDABLE = (Message.Status.IN_DOUBT, Message.Status.FAILED)

_SETTLE = """
SELECT m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email, r.provider_message_id, m.provider
  FROM campaigns_message m
  JOIN unnest(%s::bigint[], %s::uuid[], %s::text[]) AS r(id, attempt_id, provider_message_id)
    ON r.id = m.id AND r.attempt_id = m.attempt_id
 WHERE m.workspace_id = %s AND m.status = 'in_doubt'
   FOR UPDATE OF m
"""


def _reports_delivery(provider: str) -> bool:
    known = PROVIDERS.get(provider)
    return known is not None and known.reports_delivery


def _say(message: Message, kind: str, summary: str, actor: User | None) -> None:
    record_activity(
        workspace=message.workspace,
        kind=kind,
        summary=summary,
        actor=actor,
        subject=message,
        campaign=str(message.campaign_id or ""),
    )
    if message.campaign_id:
        transaction.on_commit(lambda: mark_dirty(message.campaign_id))


def mark_sent(*, message: Message, actor: User | None) -> Message:
    """Settle a row in doubt: the person knows that it arrived.

    Raises:
        WrongState: it is not in doubt (any more).
    """
    with transaction.atomic():
        row = Message.objects.for_workspace(message.workspace_id).select_for_update().get(pk=message.pk)
        if row.status != Message.Status.IN_DOUBT or row.attempt_id is None:
            raise WrongState(f"The message to {row.email} is not in doubt.")
        claimed = Claimed(row.pk, row.attempt_id, row.attempt_no, row.contact_id, row.variant_id, row.email)
        ledger.record(
            [claimed],
            [Outcome("accepted", provider_message_id=row.provider_message_id)],
            reports_delivery=_reports_delivery(row.provider),
            now=timezone.now(),
        )
        _say(message, "message.marked_sent", f"The message to {row.email} was marked as sent.", actor)
    message.refresh_from_db()
    return message


def resend(*, message: Message, actor: User | None) -> Message:
    """Send a row again that is in doubt or has failed; the reader of one in doubt may get it twice.

    Raises:
        WrongState: it is neither, its campaign was cancelled, or the person was erased.
    """
    campaign = message.campaign
    if message.is_erased:
        raise WrongState("This person was erased on request; nothing is sent to them any more.")
    if campaign is not None and campaign.status == Campaign.Status.CANCELLED:
        raise WrongState("The campaign was cancelled; nothing of it is sent any more.")
    with transaction.atomic():
        # Without the old attempt's id a worker that comes back late cannot touch the row.
        taken = (
            Message.objects.for_workspace(message.workspace_id)
            .filter(pk=message.pk, status__in=RESENDABLE)
            .update(
                status=Message.Status.QUEUED,
                reason="",
                attempt_id=None,
                lease_until=None,
                due_at=None,
                attempt_no=0,
                provider=settings.EMAIL_PROVIDER if campaign is None else campaign.provider or message.provider,
            )
        )
        if not taken:
            raise WrongState(f"The message to {message.email} is neither in doubt nor failed.")
        was = "in doubt and may arrive twice" if message.status == Message.Status.IN_DOUBT else "failed"
        _say(message, "message.resent", f"The message to {message.email} is sent again; it was {was}.", actor)
        if campaign is not None and campaign.status == Campaign.Status.SENDING:
            tasks.deliver_slice.delay_on_commit(campaign_id=str(campaign.pk))
        elif campaign is None or campaign.status != Campaign.Status.PAUSED:
            tasks.deliver_message.delay_on_commit(message_id=message.pk)
    message.refresh_from_db()
    return message


def settle_in_doubt(*, workspace_id: UUID, reports: Sequence[tuple[int, UUID, str]]) -> int:
    """Settle rows in doubt that a provider's event proves to have been accepted.

    Args:
        workspace_id: whom the reporting endpoint speaks for; other workspaces' rows are left alone.
        reports: message id, attempt id and the provider's id of each.

    Returns:
        How many rows became `sent`.
    """
    if not reports:
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [*map(list, zip(*reports, strict=True)), workspace_id])
            found = cursor.fetchall()
        settled = 0
        for reports_delivery in (True, False):
            group = [row for row in found if _reports_delivery(row[7]) is reports_delivery]
            if group:
                settled += ledger.record(
                    [Claimed(*row[:6]) for row in group],
                    [Outcome("accepted", provider_message_id=row[6]) for row in group],
                    reports_delivery=reports_delivery,
                    now=timezone.now(),
                )
    return settled

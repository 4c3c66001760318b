"""Settling what is in doubt: by a person, audited, or by what the provider tells later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from campaigns.delivery import ledger
from campaigns.delivery.providers import Outcome
from campaigns.delivery.rendering import Claimed
from campaigns.models import Message
from campaigns.services import doubts
from pulsequill.core.errors import WrongState

_SETTLE = """
SELECT m.id, m.attempt_id, m.attempt_no, m.contact_id, m.variant_id, m.email, r.provider_message_id, m.provider
  FROM campaigns_message m
  JOIN unnest(%s::bigint[], %s::uuid[], %s::text[]) AS r(id, attempt_id, provider_message_id)
    ON r.id = m.id AND r.attempt_id = m.attempt_id
 WHERE m.workspace_id = %s AND m.status = 'in_doubt'
   FOR UPDATE OF m
"""


def mark_sent(*, message: Message, actor: User | None) -> Message:
    """Settle a row in doubt: the person knows that it arrived.

    Raises:
        WrongState: it is not in doubt (any more).
    """
    if not doubts.mark_sent(rows=_only(message), workspace=message.workspace, actor=actor).changed:
        raise WrongState(f"The message to {message.email} is not in doubt.")
    message.refresh_from_db()
    return message


def resend(*, message: Message, actor: User | None) -> Message:
    """Send a row again that is in doubt or has failed; the reader of one in doubt may get it twice.

    Raises:
        WrongState: it is neither, its campaign was cancelled, or the person was erased.
    """
    if message.is_erased:
        raise WrongState("This person was erased on request; nothing is sent to them any more.")
    settled = doubts.resend(rows=_only(message), workspace=message.workspace, actor=actor)
    if settled.left:
        raise WrongState("The campaign was cancelled; nothing of it is sent any more.")
    if not settled.changed:
        raise WrongState(f"The message to {message.email} is neither in doubt nor failed.")
    message.refresh_from_db()
    return message


def _only(message: Message) -> QuerySet[Message]:
    return Message.objects.for_workspace(message.workspace_id).filter(pk=message.pk)


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
            group = [row for row in found if doubts.reports_delivery(row[7]) is reports_delivery]
            if group:
                settled += ledger.record(
                    [Claimed(*row[:6]) for row in group],
                    [Outcome("accepted", provider_message_id=row[6]) for row in group],
                    reports_delivery=reports_delivery,
                    now=timezone.now(),
                )
    return settled

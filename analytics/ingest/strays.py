"""What could not be counted: kept for people to look at, for a while, and not about people who were erased."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from pulsequill.models import StrayEvent

logger = structlog.get_logger(__name__)

#: Without a workspace it came through our own mail server, or names nothing. A return path writes the address with `=`.
#: An address that only ends like this one goes with it: what nobody could make sense of is no loss.
_FORGET = """
DELETE FROM pulsequill_strayevent
 WHERE problem <> '' AND coalesce(entry ->> 'workspace', %s) = %s
   AND (entry ->> 'message' = ANY(%s) OR position(%s IN lower(entry::text)) > 0
        OR position(%s IN lower(entry::text)) > 0)
"""


def forget_old_strays(*, now: datetime | None = None) -> int:
    """Delete what has been looked at for `STRAY_EVENT_DAYS`; what waits for the consumer stays. Returns how many."""
    limit = (now or timezone.now()) - timedelta(days=settings.STRAY_EVENT_DAYS)
    deleted, _ = StrayEvent.objects.exclude(problem="").filter(received_at__lt=limit).delete()
    if deleted:
        logger.info("strays_forgotten", strays=deleted, received_before=limit.isoformat())
    return deleted


def forget_strays_about(*, workspace_id: UUID, email: str, message_ids: Iterable[int]) -> None:
    """Delete a workspace's strays that mention an address or one of its messages.

    Args:
        workspace_id: whose strays.
        email: in lower case.
        message_ids: of the ledger.
    """
    address = json.dumps(email, ensure_ascii=False)[1:-1]
    workspace = str(workspace_id)
    with connection.cursor() as cursor:
        cursor.execute(
            _FORGET, [workspace, workspace, [str(one) for one in message_ids], address, address.replace("@", "=")]
        )

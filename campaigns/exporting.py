"""A campaign's ledger as CSV: streamed, in bounded memory, and harmless to open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from campaigns.models import Message
from campaigns.selectors.reasons import in_words
from pulsequill.core.csv_file import csv_lines

ROWS_PER_READ = 1000
HEADER = (
    "email", "status", "reason", "variant", "attempts", "provider", "provider_message_id", "error_code", "claimed_at",
    "sent_at", "delivered_at", "opened_at", "clicked_at", "bounced_at", "complained_at", "unsubscribed_at",
)  # fmt: skip


def ledger_csv(rows: QuerySet[Message]) -> Iterator[str]:
    """Yield ledger rows as lines of CSV in the order of planning; memory does not grow with their number."""
    return csv_lines(HEADER, _cells(rows))


def _cells(rows: QuerySet[Message]) -> Iterator[list[object]]:
    ordered = rows.order_by("pk")
    batch = list(ordered[:ROWS_PER_READ])
    while batch:
        for row in batch:
            yield [
                row.email,
                row.get_status_display(),
                in_words(row.reason),
                row.variant.label if row.variant else "",
                row.attempt_no,
                row.provider,
                row.provider_message_id,
                row.last_error_code,
                *map(
                    _stamp,
                    (row.claimed_at, row.sent_at, row.delivered_at, row.first_opened_at, row.first_clicked_at,
                     row.bounced_at, row.complained_at, row.unsubscribed_at),
                ),
            ]  # fmt: skip
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:ROWS_PER_READ])


def _stamp(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""

"""Imports: how far one is, and what it could not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from audiences.models import ContactImport, ContactImportReject


def progress_of(contact_import: ContactImport) -> dict[str, Any]:
    """Return an import's figures as `/v1`, the socket frame and the page show them.

    `rate` is rows a second since the run began; `seconds_left` is None until it can be known.
    """
    seconds = 0.0
    if contact_import.started_at:
        seconds = ((contact_import.finished_at or timezone.now()) - contact_import.started_at).total_seconds()
    rate = round(contact_import.processed / seconds) if seconds > 0 else 0
    left = max(contact_import.total_rows - contact_import.processed, 0)
    is_running = contact_import.status == ContactImport.Status.RUNNING
    total = contact_import.total_rows
    return {
        "id": str(contact_import.pk),
        "status": contact_import.status,
        "file_name": contact_import.file_name,
        "total_rows": total,
        "processed": contact_import.processed,
        "created": contact_import.created,
        "updated": contact_import.updated,
        "unchanged": contact_import.unchanged,
        "rejected": contact_import.rejected,
        "suppressed": contact_import.suppressed,
        "rate": rate,
        "seconds_left": round(left / rate) if is_running and rate else None,
        "progress": round(min(contact_import.processed / total, 1), 4) if total else 0.0,
        "failure": contact_import.failure,
    }


def list_rejects(contact_import: ContactImport) -> Iterator[ContactImportReject]:
    """Yield the rows that an import could not take, in file order, without holding them all."""
    rejects = ContactImportReject.objects.filter(contact_import=contact_import).order_by("row_number")
    return rejects.iterator(chunk_size=2000)

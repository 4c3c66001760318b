"""`ETag` and `If-Match`: an edit that was made on an old version is refused instead of overwriting."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.http import parse_etags

from pulsequill.core.errors import DomainError


class Stale(DomainError):
    """Somebody else changed it since (412)."""

    status = 412
    code = "stale"
    title = "Precondition failed"


def etag_of(row: Any) -> str:
    """Return the strong ETag of a row with `updated_at`."""
    updated_at: datetime = row.updated_at
    return f'"{row.pk}-{int(updated_at.timestamp() * 1_000_000)}"'


def require_match(request: Any, row: Any) -> None:
    """Check `If-Match`, when the client sent one.

    Raises:
        Stale: none of the named versions is the stored one.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return
    wanted = parse_etags(header)
    if "*" not in wanted and etag_of(row) not in wanted:
        raise Stale("Somebody changed this since you read it. Read it again and apply your change to that.")

"""What a log may say of an error: never its text. A database quotes the row that it refused, with address and all."""

from __future__ import annotations

import traceback
from typing import Any

import psycopg


def reason_of(error: BaseException) -> dict[str, Any]:
    """Return the error's kind, where it was raised, and PostgreSQL's code and constraint if it is a database's."""
    reason: dict[str, Any] = {"error": type(error).__name__}
    if frames := traceback.extract_tb(error.__traceback__):
        reason["raised_in"] = f"{frames[-1].name}:{frames[-1].lineno}"
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.Error):
        reason |= {"sqlstate": cause.sqlstate, "constraint": cause.diag.constraint_name}
    return reason

"""Writing many rows that carry their own past: `COPY`, because `auto_now` and `bulk_create` know only today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def copy_in(rows: Sequence[models.Model]) -> None:
    """Insert unsaved instances of one model exactly as they stand, dates of creation included.

    Every column is written, so fields without a value must have their default already (instances have).
    """
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not _is_generated(field, rows[0])]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields])


def _is_generated(field: models.Field[Any, Any], row: models.Model) -> bool:
    return isinstance(field, models.AutoField) and getattr(row, field.attname) is None

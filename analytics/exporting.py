"""Tables of reports as files: CSV and JSON, sent while they are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse

from analytics.reports.table import Answer, Table
from pulsequill.core.csv_file import csv_lines, csv_response
from pulsequill.core.errors import FieldError, Invalid

FORMATS = ("csv", "json")


def choose_table(answer: Answer, key: str) -> Table:
    """Return the table of a report that is asked for; the first when none is named.

    Raises:
        Invalid: the report has no such table.
    """
    table = answer.table(key) if key else answer.tables[0]
    if table is None:
        detail = f"One of {', '.join(each.key for each in answer.tables)}."
        raise Invalid(detail, errors=[FieldError("table", "invalid", detail)])
    return table


def table_file(table: Table, kind: str) -> StreamingHttpResponse:
    """Return a table as a download.

    Raises:
        Invalid: neither `csv` nor `json`.
    """
    if kind not in FORMATS:
        detail = "csv or json."
        raise Invalid(detail, errors=[FieldError("as", "invalid", detail)])
    name = f"{table.key.replace('_', '-')}.{kind}"
    if kind == "csv":
        return csv_response(csv_lines([column.label for column in table.columns], table.lines()), name)
    response = StreamingHttpResponse(_json_pieces(table), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _json_pieces(table: Table) -> Iterator[str]:
    head: dict[str, Any] = {"title": table.title, "note": table.note}
    yield f'{json.dumps(head)[:-1]}, "rows": ['
    for number, row in enumerate(table.rows):
        cells = {column.key: column.as_json(row) for column in table.columns}
        yield f"{',' if number else ''}\n{json.dumps(cells, cls=DjangoJSONEncoder)}"
    yield "\n]}\n"

"""CSV for people and spreadsheets: streamed, RFC 4180, and harmless to open (no cell can be a formula)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from audiences.models import Contact, ContactField, ContactImport
from audiences.selectors import ContactFilter, find_contacts, list_rejects, with_status

#: OWASP "CSV Injection": a cell that starts with one of these is run by spreadsheets.
FORMULA_STARTS = frozenset("=+-@\t\r\0")
ROWS_PER_READ = 1000


class _Line:
    """A file object that hands each written line back."""

    def write(self, line: str) -> str:
        return line


def guard(cell: object) -> str:
    """Return a cell as text that no spreadsheet takes for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = str(cell).replace("\0", "␀")
    return f"'{text}" if text[:1] in FORMULA_STARTS else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file with CRLF ends, the header first."""
    writer = csv.writer(_Line())
    yield writer.writerow([guard(cell) for cell in header])
    for row in rows:
        yield writer.writerow([guard(cell) for cell in row])


def contacts_csv(workspace: Any, wanted: ContactFilter) -> Iterator[str]:
    """Yield the contacts of a filter as CSV, oldest first, in bounded memory."""
    fields = list(ContactField.objects.for_workspace(workspace).order_by("label"))
    header = ["email", "first_name", "last_name", "status", "lists", "time_zone", "created_at"]
    return csv_lines([*header, *(field.key for field in fields)], _contact_rows(workspace, wanted, fields))


def _contact_rows(workspace: Any, wanted: ContactFilter, fields: list[ContactField]) -> Iterator[list[object]]:
    contacts = find_contacts(workspace, wanted).order_by("pk")
    batch: list[Contact] = list(contacts[:ROWS_PER_READ])
    while batch:
        for contact in with_status(batch):
            lists = "; ".join(place.list.name for place in contact.places if place.status == "active")
            yield [
                contact.email,
                contact.first_name,
                contact.last_name,
                contact.status,
                lists,
                contact.time_zone,
                contact.created_at.isoformat(timespec="seconds"),
                *(contact.attributes.get(field.key) for field in fields),
            ]
        batch = list(contacts.filter(pk__gt=batch[-1].pk)[:ROWS_PER_READ])


def rejects_csv(contact_import: ContactImport) -> Iterator[str]:
    """Yield the rows that an import could not take: row number and reason, then the cells as they stood."""
    names = [column["name"] for column in contact_import.columns]
    rows = ([reject.row_number, reject.detail, *reject.cells] for reject in list_rejects(contact_import))
    return csv_lines(["row", "reason", *names], rows)


def csv_response(lines: Iterator[str], file_name: str) -> StreamingHttpResponse:
    """Return a download that is sent while it is made."""
    response = StreamingHttpResponse(_in_pieces(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    """Join lines to pieces that are worth a write."""
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) >= ROWS_PER_READ:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)

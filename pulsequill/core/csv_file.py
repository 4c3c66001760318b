"""CSV for people and spreadsheets: streamed, RFC 4180, and harmless to open (no cell can be a formula)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

#: OWASP "CSV Injection": a cell that starts with one of these is run by spreadsheets.
FORMULA_STARTS = frozenset("=+-@\t\r\0")
#: A negative number begins like a formula and is none: guarded, it could not be added up.
NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)
LINES_PER_PIECE = 1000


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
    return f"'{text}" if text[:1] in FORMULA_STARTS and not NUMBER.fullmatch(text) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file with CRLF ends, the header first."""
    writer = csv.writer(_Line())
    yield writer.writerow([guard(cell) for cell in header])
    for row in rows:
        yield writer.writerow([guard(cell) for cell in row])


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
        if len(piece) >= LINES_PER_PIECE:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)

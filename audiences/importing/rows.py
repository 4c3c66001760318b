"""Checked rows: one pass over the file, good rows as COPY text, bad ones with a number and a reason.

This is the hot loop of an import (some 5 µs a row), so the usual row takes a short way: one regular expression for
the address, one join, one look for characters that COPY's text format must escape.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from zoneinfo import available_timezones

from uuid_utils import uuid7

from audiences.addresses import PLAIN, BadAddress, erased_mark, parse_address
from audiences.importing.mapping import Plan
from audiences.importing.sniff import MAX_ROWS, open_rows
from audiences.importing.values import PARSERS, BadValue

#: The first chunk is small, so that a page sees figures at once.
FIRST_CHUNK = 2_000
CHUNK = 20_000
MAX_NAME = 120
MAX_SHOWN_CELL = 500
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\n\r\0]")
#: Tabs in a line of the staging table: seven columns less one.
_TABS = 6


class Rejected(ValueError):
    """One row is not taken."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass
class Chunk:
    """Some rows of the file: COPY text of the good, `(row number, code, detail, cells)` of the bad."""

    lines: list[str] = field(default_factory=list)
    rejects: list[tuple[int, str, str, list[str]]] = field(default_factory=list)
    #: Rows of the file up to and with this chunk; where a resumed run goes on.
    processed: int = 0

    @property
    def size(self) -> int:
        """Rows in this chunk, good and bad."""
        return len(self.lines) + len(self.rejects)


class RowChecker:
    """Turns rows into lines of the staging table. Remembers every address of the file as a 64-bit number."""

    def __init__(self, plan: Plan, *, erased: frozenset[str] = frozenset()) -> None:
        self.plan = plan
        self._seen: set[int] = set()
        self._erased = erased
        self._parsers = [(index, f'"{key}":', PARSERS[kind]) for index, key, kind in plan.attributes]
        self._zones = available_timezones() if plan.time_zone >= 0 else frozenset()

    def check(self, row: list[str]) -> str:
        """Return the COPY line of a row.

        Raises:
            Rejected: why the row is not taken.
        """
        plan = self.plan
        if len(row) != plan.width:
            row = self._padded(row)
        email = row[plan.email].strip()
        if len(email) <= 254 and PLAIN.fullmatch(email):
            normalized = email.lower()
        else:
            try:
                email, normalized = parse_address(email)
            except BadAddress as error:
                raise Rejected(error.code, error.detail) from None
        mark = hash(normalized)
        if mark in self._seen:
            raise Rejected("duplicate", "This address stands in an earlier row.")
        if self._erased and erased_mark(normalized) in self._erased:
            raise Rejected("erased", "This person asked to be erased and cannot be imported.")
        first = row[plan.first_name].strip() if plan.first_name >= 0 else ""
        last = row[plan.last_name].strip() if plan.last_name >= 0 else ""
        if len(first) > MAX_NAME or len(last) > MAX_NAME:
            raise Rejected("too_long", f"A name has at most {MAX_NAME} characters.")
        zone = ""
        if plan.time_zone >= 0 and (zone := row[plan.time_zone].strip()) and zone not in self._zones:
            raise Rejected("bad_time_zone", f"“{zone[:60]}” is not a time zone such as Europe/Oslo.")
        attributes = "{}"
        if self._parsers:
            try:
                attributes = (
                    "{"
                    + ",".join(
                        [name + parse(cell) for index, name, parse in self._parsers if (cell := row[index].strip())]
                    )
                    + "}"
                )
            except BadValue as error:
                raise Rejected(error.code, error.detail) from None
        line = f"{uuid7()}\t{email}\t{normalized}\t{first}\t{last}\t{zone}\t{attributes}\n"
        if _SPECIAL.search(line, 0, len(line) - 1) or line.count("\t") != _TABS:
            if any("\0" in cell for cell in row):
                raise Rejected("nul", "The row holds a NUL character, which cannot be stored.")
            cells = (str(uuid7()), email, normalized, " ".join(first.split()), " ".join(last.split()), zone, attributes)
            line = "\t".join([cell.translate(_ESCAPED) for cell in cells]) + "\n"
        self._seen.add(mark)
        return line

    def _padded(self, row: list[str]) -> list[str]:
        missing = self.plan.width - len(row)
        if missing > 0:
            return row + [""] * missing
        if any(row[self.plan.width :]):
            raise Rejected("too_many_cells", f"The row has {len(row)} cells; the header has {self.plan.width}.")
        return row


def check_rows(
    file: IO[bytes],
    *,
    encoding: str,
    delimiter: str,
    has_header: bool,
    checker: RowChecker,
    resume_after: int = 0,
) -> Iterator[Chunk]:
    """Yield the file's rows in chunks.

    Args:
        file: the upload, from its start.
        encoding: as `sniff` found.
        delimiter: as `sniff` found.
        has_header: whether the first record names the columns.
        checker: judges each row.
        resume_after: rows that an earlier run has stored: they are read again (duplicates count from the start of
            the file) but not yielded.
    """
    reader = open_rows(file, encoding, delimiter)
    if has_header:
        next(reader, None)
    chunk, processed, number, check = Chunk(), 0, int(has_header), checker.check
    limit = FIRST_CHUNK
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            row = []
            problem: Rejected | None = Rejected(
                "cell_too_long", "A cell has more than 131,072 characters; a quote may not be closed."
            )
        else:
            problem = None
            if not any(row):
                continue
        processed += 1
        if processed > MAX_ROWS:
            break
        line = ""
        if problem is None:
            try:
                line = check(row)
            except Rejected as error:
                problem = error
        if processed <= resume_after:
            continue
        if problem is None:
            chunk.lines.append(line)
        else:
            chunk.rejects.append((number, problem.code, problem.detail, row))
        chunk.processed = processed
        if chunk.size >= limit:
            yield chunk
            chunk, limit = Chunk(), CHUNK
    if chunk.size:
        yield chunk


def reject_line(import_id: object, reject: tuple[int, str, str, list[str]]) -> str:
    """Return one rejected row as COPY text: import, row number, reason, detail, cells."""
    number, code, detail, cells = reject
    shown = json.dumps([cell[:MAX_SHOWN_CELL].replace("\0", "␀") for cell in cells[:200]], ensure_ascii=False)
    detail = detail.replace("\0", "␀")[:300].translate(_ESCAPED)
    return f"{import_id}\t{number}\t{code}\t{detail}\t{shown.translate(_ESCAPED)}\n"

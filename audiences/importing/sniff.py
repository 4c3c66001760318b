"""Looking at an uploaded file: encoding, delimiter, header, and what each column seems to hold."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any

from audiences.addresses import PLAIN
from audiences.importing.values import PARSERS, BadValue

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_COLUMNS = 200
DELIMITERS = (",", ";", "\t", "|")
#: Rows that guesses are made from.
SAMPLE_ROWS = 500
SHOWN_SAMPLES = 3
READ_BYTES = 1024 * 1024

#: Column names that people and other systems use, without spaces and marks -> the property they mean.
_HEADER_WORDS_BY_PROPERTY = {
    "email": "email emailaddress mail mailaddress emailadresse correo correoelectronico courriel adressemail"
    " adresseemail emailid subscriberemail contactemail",
    "first_name": "firstname first givenname forename fname vorname prenom nombre voornaam",
    "last_name": "lastname last surname familyname lname nachname nomdefamille apellido apellidos achternaam",
    "time_zone": "timezone tz zeitzone fuseauhoraire",
}
HEADER_WORDS = {word: key for key, words in _HEADER_WORDS_BY_PROPERTY.items() for word in words.split()}
_ACCENTS = str.maketrans("áàâäãåéèêëíìîïóòôöõúùûüñç", "aaaaaaeeeeiiiiooooouuuunc")


class UnreadableFile(ValueError):
    """The file cannot be imported at all; `code` is for machines, the message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Column:
    """One column: its name, three values, and a guess how sure we are of (0 to 1); `guess` is empty when none fits."""

    name: str
    samples: list[str]
    guess: str
    confidence: float
    type: str
    new_key: str


@dataclass(frozen=True)
class Sniffed:
    """What a file turned out to be. `total_rows` is an estimate when cells hold line breaks."""

    encoding: str
    delimiter: str
    has_header: bool
    columns: list[Column]
    total_rows: int

    def columns_as_json(self) -> list[dict[str, Any]]:
        """Return the columns as they are kept on the import."""
        return [asdict(column) for column in self.columns]


def sniff(file: IO[bytes], *, known_fields: Iterable[str] = ()) -> Sniffed:
    """Look at a file.

    Args:
        file: the upload, seekable; it is read from its start.
        known_fields: keys of the workspace's custom fields, which a column of the same name is guessed to be.

    Raises:
        UnreadableFile: empty, binary, over a limit, or without a line that could be a row.
    """
    encoding, newlines = _read_through(file)
    head = list(itertools.islice(_head_rows(file, encoding), 1))
    delimiter = _guess_delimiter(file, encoding)
    rows = list(itertools.islice(_rows(file, encoding, delimiter), SAMPLE_ROWS + 1))
    if not head or not rows:
        raise UnreadableFile("empty", "The file has no rows.")
    width = len(rows[0])
    if width > MAX_COLUMNS:
        raise UnreadableFile("too_many_columns", f"The file has {width} columns; {MAX_COLUMNS} is the most.")
    has_header = not any(PLAIN.fullmatch(cell.strip()) for cell in rows[0])
    names = _names(rows[0]) if has_header else [f"Column {number}" for number in range(1, width + 1)]
    body = rows[1:] if has_header else rows
    if not body:
        raise UnreadableFile("empty", "The file has a header but no rows.")
    total = max(newlines - has_header, len(body)) if len(rows) > SAMPLE_ROWS else len(body)
    if total > MAX_ROWS:
        total = sum(1 for _row in _rows(file, encoding, delimiter)) - has_header
        if total > MAX_ROWS:
            raise UnreadableFile("too_many_rows", f"The file has {total:,} rows; {MAX_ROWS:,} is the most.")
    columns = _columns(names, body, frozenset(known_fields), has_header=has_header)
    return Sniffed(encoding, delimiter, has_header, columns, total)


def open_rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Yield every record of a file, blank lines as empty lists. `csv.Error` of one record does not end the reading."""
    file.seek(0)
    # `sniff` has proved the encoding; only a UTF-16 file cut in half can still hold a bad byte.
    text = io.TextIOWrapper(file, encoding=encoding, newline="", errors="replace")
    return csv.reader(text, delimiter=delimiter)


def _read_through(file: IO[bytes]) -> tuple[str, int]:
    """Return the encoding and the number of lines, in one pass; refuse what is no text."""
    file.seek(0)
    first = file.read(READ_BYTES)
    if not first.strip():
        raise UnreadableFile("empty", "The file is empty.")
    if first.startswith((b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise UnreadableFile("not_csv", "This is not a CSV file. Save the sheet as CSV and try again.")
    encoding = _byte_order_mark(first) or _utf16_without_mark(first)
    newlines = size = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    last, is_utf8, file_piece = b"", True, first
    while file_piece:
        size += len(file_piece)
        if size > MAX_BYTES:
            raise UnreadableFile("too_large", f"The file is larger than {MAX_BYTES // 1024**2} MB.")
        newlines += file_piece.count(b"\n")
        last = file_piece[-2:]
        if encoding is None and is_utf8:
            try:
                decoder.decode(file_piece)
            except UnicodeDecodeError:
                is_utf8 = False
        file_piece = file.read(READ_BYTES)
    if encoding is None:
        encoding = "utf-8" if is_utf8 else "cp1252"
        if is_utf8:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                encoding = "cp1252"
    if encoding == "cp1252" and not _is_cp1252(file):
        encoding = "latin-1"
    return encoding, newlines + (b"\n" not in last)


def _byte_order_mark(first: bytes) -> str | None:
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    return next((name for mark, name in marks if first.startswith(mark)), None)


def _utf16_without_mark(first: bytes) -> str | None:
    """Latin text in UTF-16 has a NUL in every other byte; which one tells the byte order."""
    sample = first[:4096]
    half = len(sample) // 2 or 1
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.7 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.1 else None


def _is_cp1252(file: IO[bytes]) -> bool:
    file.seek(0)
    while piece := file.read(READ_BYTES):
        try:
            piece.decode("cp1252")
        except UnicodeDecodeError:
            return False
    return True


def _head_rows(file: IO[bytes], encoding: str) -> Iterator[str]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="", errors="replace")
    try:
        for line in text:
            if line.strip():
                yield line[:100_000]
    finally:
        text.detach()


def _guess_delimiter(file: IO[bytes], encoding: str) -> str:
    """The delimiter that gives the first lines the most cells, all of the same number; a comma when none does."""
    lines = list(itertools.islice(_head_rows(file, encoding), 20))

    def score(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0.0, 0)
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    best = max(DELIMITERS, key=score)
    return best if score(best)[1] else ","


def _rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the records that hold anything."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="", errors="replace")
    reader = csv.reader(text, delimiter=delimiter)
    try:
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                row = ["\0"]  # counts as a row, is no sample of anything
            if any(row):
                yield row
    finally:
        text.detach()


def _names(header: list[str]) -> list[str]:
    """Column names, made unique: mappings go by name."""
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        base = cell.replace("\0", "").strip()[:80] or f"Column {number}"
        name, copy = base, 2
        while name in names:
            name, copy = f"{base} ({copy})", copy + 1
        names.append(name)
    return names


def field_key(name: str) -> str:
    """Return the merge-tag key that a column name would make: "Favourite roast!" -> favourite_roast."""
    key = re.sub(r"[^a-z0-9]+", "_", name.lower().translate(_ACCENTS)).strip("_")
    if not key:
        return "field"
    return key[:40] if key[0].isalpha() else f"f_{key}"[:40]


def _columns(names: list[str], body: list[list[str]], known: frozenset[str], *, has_header: bool) -> list[Column]:
    columns: list[Column] = []
    taken: set[str] = set()
    for index, name in enumerate(names):
        values = [value for row in body if index < len(row) and (value := row[index].strip())]
        guess, confidence = _guess(name, values, known, has_header=has_header)
        if guess in taken:
            guess, confidence = "", 0.0
        taken.add(guess)
        samples = [value.replace("\0", "")[:80] for value in values[:SHOWN_SAMPLES]]
        columns.append(Column(name, samples, guess, confidence, _type(values), field_key(name)))
    return columns


def _guess(name: str, values: list[str], known: frozenset[str], *, has_header: bool) -> tuple[str, float]:
    key = field_key(name)
    word = HEADER_WORDS.get(key.replace("_", "")) if has_header else None
    share = sum(1 for value in values if PLAIN.fullmatch(value)) / len(values) if values else 0.0
    if word == "email":
        return "email", round(0.5 + share / 2, 2)
    if word:
        return word, 0.95
    if has_header and key in known:
        return key, 0.9
    return ("email", round(share * 0.9, 2)) if share > 0.6 else ("", 0.0)


def _type(values: list[str]) -> str:
    """The narrowest type that every sample value has."""
    for name in ("number", "boolean", "date"):
        if values and all(_parses(name, value) for value in values):
            # 01234 is a postcode or a customer number: reading it as a number would lose the zero.
            if name == "number" and any(len(value) > 1 and value[0] == "0" and value.isdigit() for value in values):
                continue
            return name
    return "text"


def _parses(type_name: str, value: str) -> bool:
    try:
        PARSERS[type_name](value)
    except BadValue:
        return False
    return True

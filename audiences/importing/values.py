"""Reading cells as the type of their field: each parser returns JSON text, ready for the `attributes` column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from json.encoder import encode_basestring

MAX_VALUE = 1000
TRUE_WORDS = frozenset({"true", "yes", "y", "1", "on", "ja", "oui", "si", "sí", "x"})
FALSE_WORDS = frozenset({"false", "no", "n", "0", "off", "nein", "non"})
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}|\d{1,3}(?:[ ,']\d{3}){1,4})(?:\.\d{1,10})?")
_DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y")


class BadValue(ValueError):
    """A cell does not hold what its field's type asks for; `code` is for machines, the message for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def text(value: str) -> str:
    """Any text of at most 1,000 characters."""
    if len(value) > MAX_VALUE:
        raise BadValue("too_long", f"A value has at most {MAX_VALUE:,} characters.")
    return encode_basestring(value)


def number(value: str) -> str:
    """`12`, `-3.5`, `1,200.50`; kept as a JSON number."""
    if not _NUMBER.fullmatch(value):
        raise BadValue("bad_number", f"“{value[:60]}” is not a number.")
    plain = value.lstrip("+").replace(",", "").replace(" ", "").replace("'", "")
    whole, _point, fraction = plain.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    digits = digits.lstrip("0") or "0"
    return f"{sign}{digits}.{fraction}" if fraction else f"{sign}{digits}"


def boolean(value: str) -> str:
    """yes and no, in a few spellings and languages."""
    word = value.lower()
    if word in TRUE_WORDS:
        return "true"
    if word in FALSE_WORDS:
        return "false"
    raise BadValue("bad_boolean", f"“{value[:60]}” is neither yes nor no.")


def iso_date(value: str) -> str:
    """A date, day first when it has to be guessed; kept as `"2026-11-23"`."""
    try:
        return f'"{date.fromisoformat(value[:10]).isoformat()}"' if value[4:5] == "-" else _other_date(value)
    except ValueError as error:
        raise BadValue("bad_date", f"“{value[:60]}” is not a date.") from error


def _other_date(value: str) -> str:
    for pattern in _DATE_FORMATS:
        try:
            return f'"{datetime.strptime(value, pattern).date().isoformat()}"'  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    raise ValueError(value)


#: Field type -> parser of one non-empty cell.
PARSERS: dict[str, Callable[[str], str]] = {"text": text, "number": number, "boolean": boolean, "date": iso_date}


def parse(type_name: str, value: str) -> object:
    """Return a cell as the JSON value that is stored.

    Raises:
        BadValue: it is not of the type.
    """
    return json.loads(PARSERS[type_name](value))

"""JSON that can be stored: strict, small and shallow.

PostgreSQL refuses U+0000 and lone surrogates inside text and JSON, and Python's parser accepts both (and NaN, and
thousands of levels); refusing them here turns what would be a 500 into a 400 that says why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 20


class TooLarge(APIException):
    """The body is larger than this address takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body is too large; the limit is {MAX_BODY_BYTES // 1024} KB."
    default_code = "too_large"


class UnstorableJSON(ValueError):
    """The value cannot be kept in the database; the message says why."""


def refuse_unstorable(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Check a parsed JSON value, without recursion.

    Raises:
        UnstorableJSON: it holds NUL, a lone surrogate, a number that is not finite, or nests deeper than `max_depth`.
    """
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            if "\x00" in item:
                raise UnstorableJSON("Text may not contain the character U+0000.")
            if not item.isascii() and any("\ud800" <= character <= "\udfff" for character in item):
                raise UnstorableJSON("Text may not contain half of a surrogate pair.")
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise UnstorableJSON("Numbers must be finite.")
        elif isinstance(item, Mapping | list):
            if depth >= max_depth:
                raise UnstorableJSON(f"Nested deeper than {max_depth} levels.")
            children = [*item.keys(), *item.values()] if isinstance(item, Mapping) else item
            waiting.extend((child, depth + 1) for child in children)


def _refuse_constant(name: str) -> NoReturn:
    raise UnstorableJSON(f"{name} is not a JSON number.")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnstorableJSON("An object names the same key twice.")
    return found


def parse_strictly(raw: bytes) -> Any:
    """Parse UTF-8 JSON that PostgreSQL can keep.

    Raises:
        UnstorableJSON: see `refuse_unstorable`; also repeated keys and NaN or Infinity.
        ValueError: not UTF-8, or not JSON.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys
        )
    except RecursionError as error:
        raise UnstorableJSON(f"Nested deeper than {MAX_DEPTH} levels.") from error
    refuse_unstorable(value)
    return value


class StrictJSONParser(JSONParser):
    """The only parser of `/v1` bodies that are not uploads."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Return the parsed body.

        Raises:
            TooLarge: more than `MAX_BODY_BYTES`.
            ParseError: not JSON, or JSON that cannot be stored.
        """
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise TooLarge
        try:
            return parse_strictly(raw)
        except UnstorableJSON as error:
            raise ParseError(str(error)) from error
        except ValueError as error:
            raise ParseError("The body is not valid JSON.") from error

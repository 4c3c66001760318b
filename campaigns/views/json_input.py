"""JSON that the pages' scripts send, read as strictly as `/v1` reads its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pulsequill.core.errors import Invalid
from pulsequill.core.rest.parsers import parse_strictly, refuse_unstorable

#: A body of 256 KB, which grows when JSON quotes it.
MAX_BYTES = 512 * 1024


def read_json(request: HttpRequest) -> dict[str, Any]:
    """Return the object in a request's body.

    Raises:
        Invalid: it is too large, no JSON object, or holds what PostgreSQL cannot keep.
    """
    return parse_object(request.body)


def parse_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        Invalid: as `read_json`.
    """
    if len(text) > MAX_BYTES:
        raise Invalid("The request is larger than 512 KB.", code="too_large")
    try:
        data = parse_strictly(text or b"{}")
        refuse_unstorable(data)
    except ValueError as error:
        raise Invalid("The request is not valid JSON.") from error
    if not isinstance(data, dict):
        raise Invalid("The request must be a JSON object.")
    return data

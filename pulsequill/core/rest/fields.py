"""Serializer fields that every app needs."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pulsequill.core.rest.parsers import MAX_DEPTH, UnstorableJSON, parse_strictly, refuse_unstorable

MAX_JSON_BYTES = 64 * 1024


@extend_schema_field(OpenApiTypes.OBJECT)
class SafeJSONField(serializers.JSONField):
    """Free-form JSON that PostgreSQL can keep: no NUL, no lone surrogate, at most 20 levels and 64 KB.

    A multipart form may send it as text, which is parsed.
    """

    default_error_messages = {"unstorable": "{reason}", "too_large": "This is larger than 64 KB."}

    def __init__(self, *, max_bytes: int = MAX_JSON_BYTES, max_depth: int = MAX_DEPTH, **kwargs: Any) -> None:
        self.max_bytes = max_bytes
        self.max_depth = max_depth
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Return the value, or refuse it with `invalid`, `unstorable` or `too_large`."""
        if isinstance(data, str) and getattr(data, "is_json_string", False):  # set by DRF for form input
            try:
                data = parse_strictly(data.encode("utf-8", "surrogatepass"))
            except UnstorableJSON as error:
                self.fail("unstorable", reason=str(error))
            except ValueError:
                self.fail("invalid")
        try:
            refuse_unstorable(data, max_depth=self.max_depth)
        except UnstorableJSON as error:
            self.fail("unstorable", reason=str(error))
        if len(json.dumps(data, ensure_ascii=False).encode()) > self.max_bytes:
            self.fail("too_large")
        return data

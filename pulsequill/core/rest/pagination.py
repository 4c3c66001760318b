"""Cursor pagination of `/v1` lists, with `?limit=`, `?sort=` and `?include=count`."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from pulsequill.core.errors import FieldError, Invalid
from pulsequill.core.keyset import MAX_LIMIT, Page, paginate

_M = TypeVar("_M", bound=Model)

DEFAULT_LIMIT = 50


def _refuse(parameter: str, code: str, detail: str) -> Invalid:
    return Invalid(f"{parameter}: {detail}", errors=[FieldError(parameter, code, detail)])


class CursorPagination(BasePagination):
    """`{"results": [...], "next": url|null, "previous": url|null}`.

    A view may set `sort_fields` (a collection of field names, or a dict from public name to field), `default_sort`
    (default `-created_at`) and `default_limit`.
    """

    page: Page[Any]

    def paginate_queryset(  # type: ignore[override]  # a keyset needs a queryset, not any sequence
        self, queryset: QuerySet[_M], request: Request, view: Any = None
    ) -> list[_M]:
        """Return the rows of the asked page.

        Raises:
            Invalid: a bad `limit`, `sort` or `cursor`.
        """
        self.page = paginate(
            queryset,
            query=request.query_params,
            address=request.build_absolute_uri(request.path),
            sort=self._sort(request, view),
            limit=self._limit(request, view),
            with_count="count" in request.query_params.get("include", "").split(","),
        )
        return self.page.items

    @staticmethod
    def _limit(request: Request, view: Any) -> int:
        raw = request.query_params.get("limit")
        if raw is None:
            return getattr(view, "default_limit", DEFAULT_LIMIT)
        if not (raw.isascii() and raw.isdigit()) or len(raw) > 6 or not 1 <= int(raw) <= MAX_LIMIT:
            raise _refuse("limit", "out_of_range", f"must be a whole number from 1 to {MAX_LIMIT}.")
        return int(raw)

    @staticmethod
    def _sort(request: Request, view: Any) -> str:
        default = getattr(view, "default_sort", "-created_at")
        raw = request.query_params.get("sort")
        if not raw:
            return default
        sign, name = ("-", raw[1:]) if raw.startswith("-") else ("", raw)
        fields = getattr(view, "sort_fields", None) or {default.lstrip("-")}
        if name not in fields:
            raise _refuse("sort", "unknown_field", f"must be one of {', '.join(sorted(fields))}.")
        return sign + (fields[name] if isinstance(fields, dict) else name)

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap the serialized rows."""
        body = {"results": data, "next": self.page.next_url, "previous": self.page.previous_url}
        if self.page.count is not None:
            body["count"] = self.page.count
        return Response(body)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The shape of a page, for OpenAPI."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": address,
                "previous": address,
                "count": {"type": "integer", "description": "Only with `?include=count`."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query parameters of a list, for OpenAPI."""
        names = sorted(getattr(view, "sort_fields", None) or {getattr(view, "default_sort", "-created_at").lstrip("-")})
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "From `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {
                "name": "sort",
                "in": "query",
                "required": False,
                "description": "A leading `-` sorts downwards.",
                "schema": {"type": "string", "enum": [sign + name for name in names for sign in ("", "-")]},
            },
            {
                "name": "include",
                "in": "query",
                "required": False,
                "description": "`count` adds how many rows there are.",
                "schema": {"type": "string", "enum": ["count"]},
            },
        ]

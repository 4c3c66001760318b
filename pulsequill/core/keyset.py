"""Keyset pagination: page 2,000 costs what page 1 costs, and nothing is shown twice when rows are added meanwhile.

A cursor is the sort values of the row at the edge of a page, as URL-safe text. It grants nothing: the queryset that
it is applied to is scoped already, so it need not be signed, only well formed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

from pulsequill.core.errors import FieldError, Invalid

_M = TypeVar("_M", bound=Model)

MAX_LIMIT = 200


class BadCursor(Invalid):
    """The cursor was not made by this list, or for another sort order."""

    def __init__(self) -> None:
        detail = "This cursor does not belong to this list."
        super().__init__(detail, errors=[FieldError("cursor", "bad_cursor", detail)])


@dataclass(frozen=True)
class Page(Generic[_M]):
    """One page of rows and the addresses of its neighbours (None at the ends)."""

    items: list[_M]
    next_url: str | None
    previous_url: str | None
    count: int | None = None

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class _Order:
    """A sort by one field with the primary key as the tie-breaker, both in the same direction."""

    field: str
    descending: bool
    is_nullable: bool

    def expressions(self, *, backwards: bool) -> list[Any]:
        down = self.descending != backwards
        # Unknown values come last, whichever way the list is sorted.
        nulls: Any = {"nulls_first" if backwards else "nulls_last": True} if self.is_nullable else {}
        key = F(self.field).desc(**nulls) if down else F(self.field).asc(**nulls)
        return [key] if self.field == "pk" else [key, "-pk" if down else "pk"]

    def beyond(self, value: Any, pk: Any, *, backwards: bool) -> Q:
        """Rows after (or, backwards, before) the row with this value and key."""
        comparison = "lt" if self.descending != backwards else "gt"
        if self.field == "pk":
            return Q(**{f"pk__{comparison}": pk})
        further_pk = Q(**{f"pk__{comparison}": pk})
        if value is None:
            tie = Q(**{f"{self.field}__isnull": True}) & further_pk
            return tie | Q(**{f"{self.field}__isnull": False}) if backwards else tie
        beyond = Q(**{f"{self.field}__{comparison}": value}) | (Q(**{self.field: value}) & further_pk)
        if self.is_nullable and not backwards:
            return beyond | Q(**{f"{self.field}__isnull": True})
        # The first condition is implied by the rest; it is what lets PostgreSQL walk the index.
        return Q(**{f"{self.field}__{comparison}e": value}) & beyond


def _encode(*, backwards: bool, sort: str, value: Any, pk: Any) -> str:
    # Not Django's encoder: it cuts microseconds off, and a cut cursor repeats rows.
    text = json.dumps([int(backwards), sort, value, pk], default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _decode(cursor: str, *, sort: str, field: Field[Any, Any], key: Field[Any, Any]) -> tuple[bool, Any, Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        backwards, made_for, value, pk = json.loads(raw)
        if made_for != sort or backwards not in (0, 1) or isinstance(value, list | dict) or pk is None:
            raise BadCursor
        clean = None if value is None else field.to_python(value)
        if isinstance(clean, str) and "\x00" in clean:
            raise BadCursor
        return bool(backwards), clean, key.to_python(pk)
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError, ValidationError) as error:
        raise BadCursor from error


def _order(model: type[Model], sort: str) -> tuple[_Order, Field[Any, Any]]:
    name = sort.lstrip("-")
    key = model._meta.pk
    assert key is not None
    try:
        field: Any = key if name in ("pk", key.name) else model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ValueError(f"{model.__name__} cannot be sorted by {name}.") from None
    return _Order("pk" if field is key else name, sort.startswith("-"), bool(field.null)), field


def paginate(
    queryset: QuerySet[_M],
    *,
    query: Mapping[str, str],
    address: str,
    sort: str = "-created_at",
    limit: int = 50,
    with_count: bool = False,
) -> Page[_M]:
    """Return one page of `queryset`.

    Args:
        queryset: filtered and scoped rows; its own ordering is replaced.
        query: the request's query parameters; `cursor` is read, all others are kept in the neighbours' addresses.
        address: path (or full address) of the list, without query.
        sort: a field of the model, with `-` for descending; the primary key breaks ties.
        limit: rows a page.
        with_count: count the whole queryset too.

    Raises:
        BadCursor: `cursor` was not made by this list with this sort.
    """
    model = queryset.model
    order, field = _order(model, sort)
    key = model._meta.pk
    assert key is not None
    backwards, rows = False, queryset
    cursor = query.get("cursor") or ""
    if cursor:
        backwards, value, pk = _decode(cursor, sort=sort, field=field, key=key)
        rows = rows.filter(order.beyond(value, pk, backwards=backwards))
    found = list(rows.order_by(*order.expressions(backwards=backwards))[: limit + 1])
    is_more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()

    def neighbour(row: _M, *, backwards: bool) -> str:
        value = row.pk if order.field == "pk" else getattr(row, order.field)
        kept = [(name, text) for name, text in _items(query) if name != "cursor"]
        made = _encode(backwards=backwards, sort=sort, value=value, pk=row.pk)
        return f"{address}?{urlencode([*kept, ('cursor', made)])}"

    has_next = bool(found) and (is_more or backwards)
    has_previous = bool(found) and (is_more if backwards else bool(cursor))
    return Page(
        items=found,
        next_url=neighbour(found[-1], backwards=False) if has_next else None,
        previous_url=neighbour(found[0], backwards=True) if has_previous else None,
        count=queryset.order_by().count() if with_count else None,
    )


def _items(query: Mapping[str, str]) -> list[tuple[str, str]]:
    if hasattr(query, "lists"):
        return [(name, text) for name, texts in query.lists() for text in texts]
    return list(query.items())

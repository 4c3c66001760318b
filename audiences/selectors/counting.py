"""Counting without reading a million rows: exact where it is cheap, the planner's estimate beyond."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

#: Up to here a count is exact; PostgreSQL counts this many index entries in some 10 ms.
EXACT_UP_TO = 50_000


class Count(NamedTuple):
    """A number of rows, and whether it is the planner's guess."""

    value: int
    is_estimate: bool


def count_queryset(queryset: QuerySet[Any]) -> Count:
    """Return how many rows a queryset has."""
    plain = queryset.order_by().values("pk")
    try:
        sql, params = plain.query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can match, such as an id that is none of ours
        return Count(0, is_estimate=False)
    return count_sql(sql, list(params))


def count_sql(sql: str, params: list[Any]) -> Count:
    """Return how many rows a SELECT has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql} LIMIT {EXACT_UP_TO + 1}) counted", params)  # noqa: S608
        exact = int(cursor.fetchone()[0])
        if exact <= EXACT_UP_TO:
            return Count(exact, is_estimate=False)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    if isinstance(plan, str):
        plan = json.loads(plan)
    return Count(max(exact, int(plan[0]["Plan"]["Plan Rows"])), is_estimate=True)

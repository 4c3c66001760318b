"""Lists and suppressions: names and counts, without a query for each list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from redis.exceptions import RedisError

from audiences.models import ContactList, Subscription, Suppression
from audiences.selectors.counting import EXACT_UP_TO

CACHE_SECONDS = 30


def list_names(workspace: Any) -> dict[UUID, str]:
    """Return the names of a workspace's lists by id, in order of name."""
    return dict(ContactList.objects.for_workspace(workspace).order_by("name").values_list("pk", "name"))


def count_by_list(workspace: Any) -> dict[UUID, dict[str, int]]:
    """Return `{list id: {status: contacts}}`, zeros left out.

    Counting is one pass over an index. When there are more than 50,000 places the answer is kept for 30 seconds.
    """
    workspace_id = getattr(workspace, "pk", workspace)
    key = f"audiences:{workspace_id}:count_by_list"
    if (kept := _cached(key)) is not None:
        return kept  # type: ignore[no-any-return]
    lists = list(ContactList.objects.for_workspace(workspace).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT list_id, status, count(*) FROM audiences_subscription WHERE list_id = ANY(%s) GROUP BY 1, 2",
            [lists],
        )
        rows = cursor.fetchall()
    counts: dict[UUID, dict[str, int]] = {}
    for list_id, status, number in rows:
        counts.setdefault(list_id, {})[status] = number
    if sum(number for _list, _status, number in rows) > EXACT_UP_TO:
        _keep(key, counts)
    return counts


def _cached(key: str) -> Any:
    try:
        return cache.get(key)
    except (RedisError, OSError):  # counting again is slower, not wrong
        return None


def _keep(key: str, value: Any) -> None:
    try:
        cache.set(key, value, CACHE_SECONDS)
    except (RedisError, OSError):
        return


def count_suppressions(workspace: Any) -> dict[str, int]:
    """Return how many addresses are suppressed, by reason."""
    rows = Suppression.objects.for_workspace(workspace).values("reason").annotate(number=Count("pk")).order_by()
    return {row["reason"]: row["number"] for row in rows}


def count_places(list_: ContactList) -> int:
    """Return how many active subscribers a list has."""
    places = Subscription.objects.for_workspace(list_.workspace_id)
    return places.filter(list=list_, status=Subscription.Status.ACTIVE).count()

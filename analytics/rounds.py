"""Walking through everything that is due, a slice of time each, so that many of one keep nobody else waiting."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet

#: Rounds that come each minute end before the next one.
SLICE_S = 45.0
_KEPT_S = 24 * 3600


def in_turn(name: str, rows: QuerySet[Any], *, seconds: float = SLICE_S) -> Iterator[UUID]:
    """Yield the keys of all rows, beginning after the one that the last round came to, until the time is up.

    A round that has time reaches everybody; one that has not is continued by the next. Where it stands is noted before
    a row is worked on, so one that takes the worker down with it does not come first again.

    Args:
        name: of the round; where it stands is kept under it. When that is lost it begins with the first.
        rows: whatever is due; the order is that of their keys.
        seconds: after which nothing more is begun. One row is always yielded.
    """
    until, place = time.monotonic() + seconds, f"round:{name}"
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    last = cache.get(place)
    first = bisect_right(keys, last) if last is not None else 0
    for number, key in enumerate([*keys[first:], *keys[:first]]):
        if number and time.monotonic() >= until:
            return
        cache.set(place, key, _KEPT_S)
        yield key

"""Counts over all contacts, which a page does not make anew each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

KEPT_S = 300

_T = TypeVar("_T")


def kept_for_a_while(key: str, count: Callable[[], _T]) -> _T:
    """Return what `count` returned at most five minutes ago; counted anew when the cache is away."""
    try:
        kept: _T | None = cache.get(key)
        if kept is None:
            kept = count()
            cache.set(key, kept, KEPT_S)
    except (RedisError, OSError):
        return count()
    return kept

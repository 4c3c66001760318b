"""Counts that cost what a workspace is large, kept so that they take little time however often they are asked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from pulsequill.core.valkey import AWAY

#: What is counted within this time in seconds is counted anew each time.
CHEAP_S = 0.02
#: A count may cost this share of the time for which it is kept, and is kept for so many seconds at most.
COST_SHARE, LONGEST_S = 0.02, 300.0

_T = TypeVar("_T")


def kept_by_cost(key: str, count: Callable[[], _T]) -> _T:
    """Return what `count` returns, or returned a while ago when counting took long (0.3 s: at most 15 s ago)."""
    with contextlib.suppress(*AWAY):
        kept: tuple[_T] | None = cache.get(key)
        if kept is not None:
            return kept[0]
    started = time.perf_counter()
    counted = count()
    took = time.perf_counter() - started
    if took > CHEAP_S:
        with contextlib.suppress(*AWAY):
            cache.set(key, (counted,), min(took / COST_SHARE, LONGEST_S))
    return counted

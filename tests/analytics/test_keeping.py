"""Counts that are kept for as long as they were costly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from analytics.selectors import keeping
from analytics.selectors.keeping import CHEAP_S, kept_by_cost


@pytest.fixture
def numbers() -> Iterator[int]:
    return itertools.count(1)


def _takes(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    clock = itertools.count(0.0, seconds)
    monkeypatch.setattr(keeping.time, "perf_counter", lambda: next(clock))


class TestKeptByCost:
    def test_what_is_cheap_is_counted_anew_each_time(
        self, monkeypatch: pytest.MonkeyPatch, numbers: Iterator[int]
    ) -> None:
        _takes(monkeypatch, CHEAP_S / 2)

        assert [kept_by_cost("a cheap count", lambda: next(numbers)) for _ in range(3)] == [1, 2, 3]

    def test_what_was_costly_is_kept(self, monkeypatch: pytest.MonkeyPatch, numbers: Iterator[int]) -> None:
        _takes(monkeypatch, 3.0)

        assert [kept_by_cost("a costly count", lambda: next(numbers)) for _ in range(3)] == [1, 1, 1]

    def test_nothing_is_kept_when_the_cache_is_away(
        self, monkeypatch: pytest.MonkeyPatch, numbers: Iterator[int]
    ) -> None:
        _takes(monkeypatch, 3.0)

        def away(*_: object) -> None:
            raise ConnectionError

        monkeypatch.setattr(keeping.cache, "get", away)
        monkeypatch.setattr(keeping.cache, "set", away)

        assert [kept_by_cost("an orphan", lambda: next(numbers)) for _ in range(2)] == [1, 2]

"""What the benchmark of the live page makes of what its sockets saw."""

from __future__ import annotations

import pytest

from pulsequill.benchmarks.live import delays_of


def test_an_event_waits_for_the_first_frame_that_counts_it_at_nearly_all_watchers() -> None:
    counts = [(10.5, 2), (10.6, 2), (11.0, 3), (11.2, 3)]
    assert delays_of([10.0, 10.1, 10.4], counts, sockets=2) == pytest.approx([0.6, 0.5, 0.8])


def test_a_frame_that_tells_a_count_again_is_no_delay() -> None:
    counts = [(10.5, 1), (10.6, 1), (13.5, 1), (13.6, 1)]
    assert delays_of([10.0], counts, sockets=2) == pytest.approx([0.6])

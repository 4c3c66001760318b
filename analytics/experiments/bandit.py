"""Shifting traffic to what works: Thompson sampling, in shares for the next wave.

Each variant gets the share of people that corresponds to its probability to be best (Thompson, Biometrika 25, 1933;
Scott, "A modern Bayesian look at the multi-armed bandit", 2010). Nobody falls below a floor: a variant that nobody
sees can never recover, and the figures of the others would mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from analytics.experiments.beliefs import Belief
from analytics.experiments.standing import compare

FLOOR = 0.05


def next_shares(beliefs: Sequence[Belief], *, floor: float = FLOOR) -> list[float]:
    """Return each variant's share of the next wave; they add up to 1 and none is below the floor.

    Raises:
        ValueError: the floors alone are more than everything.
    """
    spare = 1 - floor * len(beliefs)
    if spare < 0:
        raise ValueError("the floors leave nothing to share")
    return [floor + spare * standing.is_best for standing in compare(beliefs)]

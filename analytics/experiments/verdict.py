"""The rule that ends a test. It is fixed before launch and may be asked after every event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analytics.experiments.beliefs import Belief, MeanBelief, RateBelief
from analytics.experiments.evidence import (
    Count,
    always_valid_p,
    has_broken_split,
    log_mean_evidence,
    log_pair_evidence,
    log_threshold,
)
from analytics.experiments.standing import Standing, compare


class State(StrEnum):
    """What the rule says."""

    RUNNING = "running"
    WINNER = "winner"
    NO_DIFFERENCE = "no_difference"
    BROKEN_SPLIT = "broken_split"


@dataclass(frozen=True)
class Rule:
    """What was agreed before launch.

    Attributes:
        minimum_lift: the smallest difference that matters, a share of the rate.
        alpha: how often, at most, a winner may be named though all variants are alike.
    """

    minimum_lift: float = 0.1
    alpha: float = 0.05


@dataclass(frozen=True)
class Verdict:
    """The state of a test after some data.

    Attributes:
        leader: index of the variant that is worth most so far.
        standings: one for each variant, in order.
        p_value: of the leader against its nearest rival, valid however often it was looked at, and counting all pairs.
        is_equivalent: no other variant can be expected to beat the leader by as much as matters.
    """

    state: State
    leader: int
    standings: tuple[Standing, ...]
    p_value: float
    is_equivalent: bool


def judge(
    beliefs: Sequence[RateBelief] | Sequence[MeanBelief],
    *,
    rule: Rule,
    shares: Sequence[float],
    is_over: bool = False,
) -> Verdict:
    """Return the verdict on what is known so far.

    A winner is named when the evidence against being equal to the leader reaches its threshold for every other
    variant. When time is up, or when nobody can beat the leader by as much as matters, there is no difference worth
    choosing by. If people were not split as planned, nothing is concluded.

    Args:
        shares: how people should have been split, adding up to 1.
        is_over: whether the time of the test is up.
    """
    standings = tuple(compare(beliefs))
    leader = max(range(len(beliefs)), key=lambda index: (beliefs[index].mean, -index))
    threshold = log_threshold(rule.alpha, len(beliefs))
    weakest = min(
        _log_evidence(beliefs[other], beliefs[leader], rule.minimum_lift)
        for other in range(len(beliefs))
        if other != leader
    )
    is_equivalent = all(
        standing.high <= beliefs[leader].mean * (1 + rule.minimum_lift)
        and standing.low >= beliefs[leader].mean * (1 - rule.minimum_lift)
        for standing in standings
    )
    if has_broken_split([belief.exposed for belief in beliefs], shares):
        state = State.BROKEN_SPLIT
    elif weakest >= threshold:
        state = State.WINNER
    elif is_over or is_equivalent:
        state = State.NO_DIFFERENCE
    else:
        state = State.RUNNING
    pairs = len(beliefs) * (len(beliefs) - 1) // 2
    return Verdict(state, leader, standings, min(1.0, pairs * always_valid_p(weakest)), is_equivalent)


def _log_evidence(other: Belief, leader: Belief, lift: float) -> float:
    if isinstance(other, RateBelief) and isinstance(leader, RateBelief):
        return log_pair_evidence(Count(other.exposed, other.converted), Count(leader.exposed, leader.converted), lift)
    if isinstance(other, MeanBelief) and isinstance(leader, MeanBelief):
        return log_mean_evidence(other, leader, lift)
    raise TypeError("rates are compared with rates, and means with means")

"""The rule that ends a test. It is fixed before launch and may be asked after every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from analytics.experiments.waves import even_out, even_out_means, has_broken_waves, log_wave_evidence


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
        beliefs: what is believed of each variant, in order; waves are evened out.
        standings: one for each variant, in order.
        p_value: of the leader against its nearest rival, valid however often it was looked at, and counting all pairs.
        is_equivalent: no other variant can be expected to beat the leader by as much as matters.
    """

    state: State
    leader: int
    beliefs: tuple[RateBelief | MeanBelief, ...]
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
    return _conclude(
        beliefs,
        lambda other, leader: _log_evidence(beliefs[other], beliefs[leader], rule.minimum_lift),
        rule=rule,
        is_broken=has_broken_split([belief.exposed for belief in beliefs], shares),
        is_over=is_over,
    )


def judge_waves(
    waves: Sequence[Sequence[RateBelief]] | Sequence[Sequence[MeanBelief]],
    *,
    rule: Rule,
    shares: Sequence[Sequence[float]],
    is_over: bool = False,
) -> Verdict:
    """Return the verdict on waves whose shares followed from what the earlier ones had shown.

    Rates are compared wave by wave, which keeps the promise about wrong winners (see `waves`). Amounts name no winner:
    their evidence rests on large samples, and a bandit gives the weaker variants small ones.

    Args:
        waves: a belief for each variant, wave by wave; at least one wave.
        shares: how the people of each wave should have been split.
        is_over: whether nothing is left to be sent.
    """
    counts = [[Count(b.exposed, b.converted) for b in wave if isinstance(b, RateBelief)] for wave in waves]
    amounts = [[b for b in wave if isinstance(b, MeanBelief)] for wave in waves]
    beliefs: Sequence[RateBelief | MeanBelief]
    if all(counts):
        beliefs = [RateBelief(count.exposed, count.converted) for count in even_out(counts)]
    else:
        beliefs = even_out_means(amounts)

    def evidence(other: int, leader: int) -> float:
        if not all(counts):
            return 0.0
        return log_wave_evidence([wave[other] for wave in counts], [wave[leader] for wave in counts], rule.minimum_lift)

    return _conclude(
        beliefs,
        evidence,
        rule=rule,
        is_broken=has_broken_waves([[belief.exposed for belief in wave] for wave in waves], shares),
        is_over=is_over,
    )


def _conclude(
    beliefs: Sequence[RateBelief | MeanBelief],
    evidence: Callable[[int, int], float],
    *,
    rule: Rule,
    is_broken: bool,
    is_over: bool,
) -> Verdict:
    standings = tuple(compare(beliefs))
    leader = max(range(len(beliefs)), key=lambda index: (beliefs[index].mean, -index))
    weakest = min(evidence(other, leader) for other in range(len(beliefs)) if other != leader)
    is_equivalent = all(
        standing.high <= beliefs[leader].mean * (1 + rule.minimum_lift)
        and standing.low >= beliefs[leader].mean * (1 - rule.minimum_lift)
        for standing in standings
    )
    if is_broken:
        state = State.BROKEN_SPLIT
    elif weakest >= log_threshold(rule.alpha, len(beliefs)):
        state = State.WINNER
    elif is_over or is_equivalent:
        state = State.NO_DIFFERENCE
    else:
        state = State.RUNNING
    pairs = len(beliefs) * (len(beliefs) - 1) // 2
    return Verdict(state, leader, tuple(beliefs), standings, min(1.0, pairs * always_valid_p(weakest)), is_equivalent)


def _log_evidence(other: Belief, leader: Belief, lift: float) -> float:
    if isinstance(other, RateBelief) and isinstance(leader, RateBelief):
        return log_pair_evidence(Count(other.exposed, other.converted), Count(leader.exposed, leader.converted), lift)
    if isinstance(other, MeanBelief) and isinstance(leader, MeanBelief):
        return log_mean_evidence(other, leader, lift)
    raise TypeError("rates are compared with rates, and means with means")

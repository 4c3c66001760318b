"""How many people a test needs, before it starts."""

from __future__ import annotations

from math import ceil, sqrt

from scipy.special import bdtrc

from analytics.experiments.evidence import concentration_for, log_multinomial_evidence, log_threshold

#: Beyond this many conversions a test is out of reach for everybody.
MOST_CONVERSIONS = 50_000_000
#: The normal quantile by which conversions are taken lower than expected, as they vary too: 9 of 10 tests have more.
CAUTION = 1.2816


def needed_people(
    *, rate: float, lift: float, variants: int = 2, alpha: float = 0.05, power: float = 0.8
) -> int | None:
    """Return how many people each variant needs, so that a lift is found with the promised probability.

    The rule stops when the evidence of the better variant against each other one reaches its threshold. Looking only
    once, at the end, is the worst way to use it, and its power is a binomial tail: so many people are needed that the
    tail, for each other variant, leaves no more than an even part of what may be missed.

    Args:
        rate: what the variants convert at without the lift, a share of 1.
        lift: the difference to be found, as a share of the rate; 0.2 is "a fifth better".
        alpha: how often, at most, a winner may be named though all are alike.
        power: how often, at least, the lift must be found.

    Returns:
        people in each variant, or None when no list is that long.

    Raises:
        ValueError: a figure that cannot be.
    """
    if not (0 < rate < 1 and 0 < rate * (1 + lift) < 1 and lift > 0 and variants >= 2):
        raise ValueError("a rate and a lifted rate between 0 and 1, a positive lift, and two variants or more")
    conversions = _needed_conversions(lift, log_threshold(alpha, variants), 1 - (1 - power) / (variants - 1))
    if conversions is None:
        return None
    per_person = rate * (2 + lift)
    spread = CAUTION * sqrt(rate * (1 - rate) + rate * (1 + lift) * (1 - rate * (1 + lift)))
    # n people of each bring n * per_person conversions on average and, cautiously, spread * sqrt(n) less.
    root = (spread + sqrt(spread**2 + 4 * per_person * conversions)) / (2 * per_person)
    return ceil(root**2)


def _needed_conversions(lift: float, threshold: float, power: float) -> int | None:
    """Return how many conversions of two variants show a lift with this power, looking once."""
    low, high = 1, 2
    while _power(high, lift, threshold) < power:
        low, high = high, high * 2
        if high > MOST_CONVERSIONS:
            return None
    while high - low > max(1, low // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, lift, threshold) >= power else (middle, high)
    return high


def _power(conversions: int, lift: float, threshold: float) -> float:
    """Return the probability that these conversions, seen at once, show the lift in the right direction."""
    needed = _decisive(conversions, lift, threshold)
    share = (1 + lift) / (2 + lift)
    return float(bdtrc(needed - 1, conversions, share)) if needed <= conversions else 0.0


def _decisive(conversions: int, lift: float, threshold: float) -> int:
    """Return how many of the conversions have to be the better variant's; one more than all when never."""
    concentration = concentration_for(lift)

    def evidence(better: int) -> float:
        return float(log_multinomial_evidence((conversions - better, better), (0.5, 0.5), concentration))

    low, high = conversions // 2, conversions + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if evidence(middle) >= threshold else (middle, high)
    return high

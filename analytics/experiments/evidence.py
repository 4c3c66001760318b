"""Evidence that may be looked at as often as one likes.

An e-value is what a bet against "no difference" would have won: under no difference it stays below 1/alpha for ever
with probability 1 - alpha (Ville's inequality), however often, and for whatever reason, somebody looks. A p-value of a
fixed sample has no such guarantee: peeking at it daily finds differences that are not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import exp, inf, log
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp

from analytics.experiments.beliefs import MeanBelief, Numbers

Counted = int | Numbers

#: How sure the check of the split has to be before it raises an alarm.
SPLIT_ALPHA = 0.001
#: Weights of the priors around the planned split: deviations of about five points, half a point and a twentieth of one
#: are looked for side by side, so that small lists and large ones are both watched.
SPLIT_CONCENTRATIONS = (1e2, 1e4, 1e6)


class Count(NamedTuple):
    """People of one variant, and those of them who did what is counted."""

    exposed: int
    converted: int


def log_multinomial_evidence(counts: Sequence[Counted], shares: Sequence[float], concentration: float) -> Numbers:
    """Return the logarithm of the e-value against "these counts are split by these shares".

    The Dirichlet-multinomial Bayes factor with its prior centred on the shares. Source: Lindon and Malek,
    "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022.

    Args:
        counts: how often each kind occurred; arrays stand for many tests at once.
        shares: the split under the hypothesis; positive, adding up to 1.
        concentration: the prior's weight; the more, the smaller the deviations that it expects.

    Raises:
        ValueError: the shares are no split.
    """
    if len(counts) != len(shares) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError("a positive share for each count, adding up to 1")
    log_evidence: Any = gammaln(concentration) - gammaln(concentration + sum(counts))
    for count, share in zip(counts, shares, strict=True):
        prior = concentration * share
        log_evidence += gammaln(prior + count) - gammaln(prior) - count * log(share)
    return np.asarray(log_evidence)


def concentration_for(lift: float, share: float = 0.5) -> float:
    """Return the prior's weight that expects deviations of the size that `lift` would cause.

    Among two variants' conversions a lift moves the second one's share from `share` by some distance; the prior gets
    that distance as its standard deviation.
    """
    lifted = share * (1 + lift) / (1 + share * lift)
    distance = max(abs(lifted - share), 1e-4)
    return max(1.0, share * (1 - share) / distance**2 - 1)


def log_pair_evidence(first: Count, second: Count, lift: float) -> float:
    """Return the logarithm of the e-value against "both rates are the same".

    If they are, each conversion is the second variant's with the probability of its share of the people, whatever the
    rate is and however it changes with the hour. That makes one count of two kinds.

    Args:
        lift: the smallest difference that matters, a share of the rate; fixed before launch.
    """
    exposed = first.exposed + second.exposed
    if not first.exposed or not second.exposed:
        return 0.0
    share = second.exposed / exposed
    counts = (first.converted, second.converted)
    return float(log_multinomial_evidence(counts, (1 - share, share), concentration_for(lift, share)))


def log_mean_evidence(first: MeanBelief, second: MeanBelief, lift: float) -> float:
    """Return the logarithm of the e-value against "both means are the same", for amounts such as revenue.

    The mixture sequential probability ratio test with a normal mixture (Johari, Koomen, Pekelis and Walsh, "Always
    Valid Inference", Operations Research 70, 2022). The variance is estimated, so it holds for large samples.
    """
    variance = first.variance_of_mean + second.variance_of_mean
    if variance == inf:
        return 0.0
    difference = second.mean - first.mean
    prior = (lift * max(abs(first.mean), abs(second.mean))) ** 2
    if not prior:
        return 0.0
    return 0.5 * log(variance / (variance + prior)) + prior * difference**2 / (2 * variance * (variance + prior))


def always_valid_p(log_evidence: float) -> float:
    """Return the p-value that an e-value is worth: at most 1, and valid at every look."""
    return min(1.0, exp(-log_evidence))


def log_threshold(alpha: float, variants: int) -> float:
    """Return what the logarithm of each pair's e-value has to reach, so that all pairs together err with `alpha`.

    Bonferroni over the pairs; each of them may be looked at for ever.
    """
    return log(sum(1 for _ in combinations(range(variants), 2))) - log(alpha)


def log_split_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the logarithm of the e-value against "people were split as planned"; the mean of e-values is one."""
    bets = [float(log_multinomial_evidence(counts, shares, weight)) for weight in SPLIT_CONCENTRATIONS]
    return float(logsumexp(bets)) - log(len(bets))


def has_broken_split(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Return whether people were not split as planned (sample ratio mismatch): no figure of the test can be used then.

    Source: Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019; the test is
    the sequential one of Lindon and Malek, so it may watch from the first message on.
    """
    if sum(counts) == 0:
        return False
    return log_split_evidence(counts, shares) >= -log(SPLIT_ALPHA)

"""Judging what left in waves whose shares differ, as a bandit's do.

Adding the waves up would be wrong twice. A variant that got most of a lively wave looks better than it is (Simpson's
paradox), and counts that depend on earlier counts are no sample of a fixed split. Within one wave neither happens: the
shares were fixed before it left, and everybody in it was mailed at the same time. So each wave is compared with its own
shares, and only then are the comparisons joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from scipy.special import logsumexp

from analytics.experiments.beliefs import MeanBelief
from analytics.experiments.evidence import SPLIT_ALPHA, Count, log_split_evidence

#: Ratios that are bet on, in standard deviations of their prior, and what is put on each of them.
_STEPS = np.linspace(-6, 6, 2401)
_STAKES = -0.5 * _STEPS**2 - logsumexp(-0.5 * _STEPS**2)
#: Steps of the fit below; counts of real campaigns settle within ten.
FITTING_STEPS = 100


def log_wave_evidence(first: Sequence[Count], second: Sequence[Count], lift: float) -> float:
    """Return the logarithm of the e-value against "in every wave, both rates were the same".

    If they were, a conversion of a wave is the second variant's with the probability of its share of that wave's
    people, whatever the rate of the wave was and whatever earlier results had decided about the shares. A bet on a
    ratio of the rates that was named in advance is then fair at every conversion, of whichever wave it is; so is a
    portfolio of such bets. The result may be looked at all the time, also when conversions of an early wave arrive
    late.

    Sources: products and mixtures of conditional e-values, Grünwald, de Heide and Koolen, "Safe Testing", JRSS B 86,
    2024; strata, Turner and Grünwald, "Safe Sequential Testing and Effect Estimation in Stratified Count Data",
    AISTATS 2023.

    Args:
        first, second: the counts of both variants, wave by wave.
        lift: the smallest difference that matters; the prior of the logarithm of the ratio is normal around 0 with
            log(1 + lift) as its standard deviation.
    """
    logs = _STEPS * np.log1p(lift)
    ratios = np.exp(logs)
    won = _STAKES.copy()
    for one, other in zip(first, second, strict=True):
        if one.exposed and other.exposed:
            share = other.exposed / (one.exposed + other.exposed)
            won += other.converted * logs - (one.converted + other.converted) * np.log1p(share * (ratios - 1))
    return float(logsumexp(won))


def has_broken_waves(waves: Sequence[Sequence[int]], shares: Sequence[Sequence[float]]) -> bool:
    """Return whether people were not split as planned: each wave by its own shares, the evidence of all multiplied."""
    evidence = sum(
        log_split_evidence(counts, planned) for counts, planned in zip(waves, shares, strict=True) if sum(counts)
    )
    return evidence >= -log(SPLIT_ALPHA)


def even_out(waves: Sequence[Sequence[Count]]) -> list[Count]:
    """Return one count for each variant as if all had gone out together: the people are evened out.

    Somebody in a wave where everybody converted twice as often counts as two. The worth of a variant and the
    liveliness of a wave are the maximum likelihood fit of the multiplicative rate model (Breslow and Day, "Statistical
    Methods in Cancer Research" II, IARC 1987, chapter 4), by iterating its score equations.

    Args:
        waves: a count for each variant, wave by wave.
    """
    exposed = np.array([[count.exposed for count in wave] for wave in waves], float)
    converted = np.array([[count.converted for count in wave] for wave in waves], float)
    people = exposed.sum(axis=0)
    if converted.sum():
        worth = np.ones(exposed.shape[1])
        expected = people
        for _ in range(FITTING_STEPS):
            would = exposed @ worth
            liveliness = np.divide(converted.sum(axis=1), would, out=np.zeros_like(would), where=would > 0)
            expected = liveliness @ exposed
            worth = np.divide(converted.sum(axis=0), expected, out=np.zeros_like(expected), where=expected > 0)
        people = expected * exposed.sum() / expected.sum()
    return [
        Count(max(round(number), int(reached)), int(reached))
        for number, reached in zip(people, converted.sum(axis=0), strict=True)
    ]


def even_out_means(waves: Sequence[Sequence[MeanBelief]]) -> list[MeanBelief]:
    """Return one belief for each variant: its mean in every wave, weighted by the size of the wave.

    Waves of which some variant's spread is not known yet are left out, unless that is all of them.
    """
    known = [wave for wave in waves if all(belief.variance_of_mean != float("inf") for belief in wave)]
    if not known:
        return [_added(beliefs) for beliefs in zip(*waves, strict=True)]
    sizes = np.array([sum(belief.exposed for belief in wave) for wave in known], float)
    weights = sizes / sizes.sum()
    evened = []
    for beliefs in zip(*known, strict=True):
        people = sum(belief.exposed for belief in beliefs)
        mean = float(sum(weight * belief.mean for weight, belief in zip(weights, beliefs, strict=True)))
        variance = float(
            sum(weight**2 * belief.variance_of_mean for weight, belief in zip(weights, beliefs, strict=True))
        )
        evened.append(MeanBelief(people, mean * people, variance * people * (people - 1) + mean**2 * people))
    return evened


def _added(beliefs: Sequence[MeanBelief]) -> MeanBelief:
    return MeanBelief(
        sum(belief.exposed for belief in beliefs),
        sum(belief.total for belief in beliefs),
        sum(belief.squares for belief in beliefs),
    )

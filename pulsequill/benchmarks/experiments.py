"""The rule that ends an A/B test, in ten thousand tests with hundreds of looks each: how often it names a winner among
equals, and how often it finds the lift that was promised. Not a race: the references are the promises.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from analytics.experiments.evidence import concentration_for, log_multinomial_evidence, log_threshold
from analytics.experiments.planning import needed_people
from pulsequill.benchmarks.harness import Benchmark

ALPHA, POWER = 0.05, 0.8
TESTS = 10_000
LOOKS = 300
#: Equals are watched for this many times the planned sample: peeking does not end where the plan does.
PATIENCE = 3
#: The usual rates of clicks and opens, with lifts that people look for; and tests of three variants.
CASES = ((0.03, 0.2, 2), (0.005, 0.5, 2), (0.2, 0.1, 2), (0.03, 0.3, 3))


class _Outcome(NamedTuple):
    named: float
    found: float
    people: float


def _simulate(rates: Sequence[float], *, lift: float, people: int, tests: int, seed: int) -> _Outcome:
    """Run tests side by side; return shares of tests that named a winner, that named the last variant, and the average
    share of the people after which winners were named."""
    lots = np.random.default_rng(seed)
    step = max(1, people // LOOKS)
    concentration, threshold = concentration_for(lift), log_threshold(ALPHA, len(rates))
    converted = np.zeros((len(rates), tests))
    named, found, ended_at = np.zeros(tests, bool), np.zeros(tests, bool), np.zeros(tests)
    for look in range(1, people // step + 1):
        converted += lots.binomial(step, np.array(rates)[:, None], converted.shape)
        for leader in range(len(rates)):
            others = [other for other in range(len(rates)) if other != leader]
            wins = ~named
            for other in others:
                pair = (converted[other], converted[leader])
                is_ahead = converted[leader] > converted[other]
                wins &= is_ahead & (log_multinomial_evidence(pair, (0.5, 0.5), concentration) >= threshold)
            named |= wins
            found |= wins & (leader == len(rates) - 1)
            ended_at[wins] = look * step / people
    return _Outcome(float(named.mean()), float(found.mean()), float(ended_at[named].mean()) if named.any() else 1.0)


def _needed(rate: float, lift: float, variants: int) -> int:
    people = needed_people(rate=rate, lift=lift, variants=variants, alpha=ALPHA, power=POWER)
    assert people is not None
    return people


def _errors(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    worst = 0.0
    for seed, (rate, lift, variants) in enumerate(CASES if is_full else CASES[:2]):
        people = PATIENCE * _needed(rate, lift, variants)
        outcome = _simulate([rate] * variants, lift=lift, people=people, tests=TESTS, seed=seed)
        worst = max(worst, outcome.named)
        equals = f"{variants} equals at {rate:.1%}, {people:,} people each"
        sys.stdout.write(f"  {equals}: {outcome.named:.2%} had a winner\n")
    return lambda: 100 * worst, lambda: 100 * ALPHA


def _powers(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    worst = 1.0
    for seed, (rate, lift, variants) in enumerate(CASES if is_full else CASES[:2]):
        people = _needed(rate, lift, variants)
        rates = [*[rate] * (variants - 1), rate * (1 + lift)]
        outcome = _simulate(rates, lift=lift, people=people, tests=TESTS, seed=seed)
        worst = min(worst, outcome.found)
        sys.stdout.write(
            f"  {lift:+.0%} on {rate:.1%}, {variants} variants, {people:,} people each: found in {outcome.found:.1%}, "
            f"winners after {outcome.people:.0%} of the people\n"
        )
    return lambda: 100 * worst, lambda: 100 * POWER


ERRORS = Benchmark(
    name="A/B tests: winners among equals, looking all the time",
    unit="% of tests",
    reference_name="the promise",
    prepare=_errors,
    floor=1.0,
    aim=1.0,
    is_lower_better=True,
    is_timed=False,
)
POWERS = Benchmark(
    name="A/B tests: lifts found with the planned people",
    unit="% of tests",
    reference_name="the promise",
    prepare=_powers,
    floor=1.0,
    aim=1.0,
    is_timed=False,
)

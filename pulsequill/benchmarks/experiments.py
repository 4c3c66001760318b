"""The rule that ends an A/B test, in ten thousand tests with hundreds of looks each: how often it names a winner among
equals, and how often it finds the lift that was promised. Not a race: the references are the promises.

An even split and a test whose winner goes to the rest are judged alike (the rest is never counted), so they are one
simulation. A bandit is another: its shares follow from what it saw, its waves differ in how lively they are, and a
third of each wave's conversions comes when the next one has left.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.experiments.bandit import next_shares
from analytics.experiments.beliefs import RateBelief
from analytics.experiments.evidence import Count, concentration_for, log_multinomial_evidence, log_threshold
from analytics.experiments.planning import needed_people
from analytics.experiments.waves import even_out, has_broken_waves, log_wave_evidence
from pulsequill.benchmarks.harness import Benchmark

Whole = NDArray[np.int64]

ALPHA, POWER = 0.05, 0.8
TESTS = 10_000
LOOKS = 300
#: Equals are watched for this many times the planned sample: peeking does not end where the plan does.
PATIENCE = 3
#: The usual rates of clicks and opens, with lifts that people look for; and tests of three variants.
CASES = ((0.03, 0.2, 2), (0.005, 0.5, 2), (0.2, 0.1, 2), (0.03, 0.3, 3))

#: A bandit's waves, and how lively readers are in each.
WAVES = ((2_500, 1.0), (5_000, 0.4), (10_000, 2.0), (20_000, 0.8))
BANDITS = ((0.1, 2), (0.1, 3))
BANDIT_LIFT = 0.2
LATE = 1 / 3
SHORT_BANDITS = 400


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


class _Bandit(NamedTuple):
    named: float
    found: float
    alarms: float
    gained: float


def _bandits(rates: Sequence[float], *, tests: int, seed: int) -> _Bandit:
    """Run bandits one by one, judged at the half and at the end of each wave.

    Returns:
        shares of tests that named a winner, that named the last variant, and that raised an alarm about the split, and
        what the bandits gained over an even split.
    """
    lots = np.random.default_rng(seed)
    named, found, alarms, converted, even = 0, 0, 0, 0, 0.0
    for _ in range(tests):
        shares = [1 / len(rates)] * len(rates)
        planned: list[list[float]] = []
        people: list[Whole] = []
        seen, late = np.zeros((0, len(rates)), int), np.zeros(len(rates), int)
        winner: int | None = None
        for size, liveliness in WAVES:
            if people:
                counts = [_counts(*wave) for wave in zip(people, seen, strict=True)]
                shares = next_shares([RateBelief(*count) for count in even_out(counts)])
            exposed = lots.multinomial(size, shares)
            will = lots.binomial(exposed, np.array(rates) * liveliness)
            soon = will - lots.binomial(will, LATE)
            planned.append(shares)
            people.append(exposed)
            seen = np.vstack([seen, soon // 2])
            winner = _winner(people, seen) if winner is None else winner
            seen[-1] = soon
            if len(people) > 1:
                seen[-2] += late
            winner = _winner(people, seen) if winner is None else winner
            late = will - soon
            converted += int(will.sum())
            even += size * liveliness * float(np.mean(rates))
        named += winner is not None
        found += winner == len(rates) - 1
        alarms += has_broken_waves([[int(n) for n in wave] for wave in people], planned)
    return _Bandit(named / tests, found / tests, alarms / tests, converted / even - 1)


def _counts(exposed: Whole, converted: Whole) -> list[Count]:
    return [Count(int(n), int(c)) for n, c in zip(exposed, converted, strict=True)]


def _winner(people: Sequence[Whole], seen: Whole) -> int | None:
    """Return the variant that the rule would name: the evidence against being equal to it is enough for all others."""
    waves = [_counts(*wave) for wave in zip(people, seen, strict=True)]
    variants, threshold = range(len(waves[0])), log_threshold(ALPHA, len(waves[0]))
    evidence = {
        (one, other): log_wave_evidence([wave[one] for wave in waves], [wave[other] for wave in waves], BANDIT_LIFT)
        for one, other in combinations(variants, 2)
    }
    proved = [
        leader for leader in variants if all(found >= threshold for pair, found in evidence.items() if leader in pair)
    ]
    if not proved:
        return None
    evened = even_out(waves)
    return max(proved, key=lambda index: evened[index].converted / evened[index].exposed)


def _bandit_errors(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    tests, worst = TESTS if is_full else SHORT_BANDITS, 0.0
    for seed, (rate, variants) in enumerate(BANDITS):
        equals = _bandits([rate] * variants, tests=tests, seed=seed)
        worst = max(worst, equals.named)
        better = _bandits([*[rate] * (variants - 1), rate * (1 + BANDIT_LIFT)], tests=tests // 10, seed=seed)
        sys.stdout.write(
            f"  {tests:,} bandits of {variants} equals at {rate:.1%}: {equals.named:.2%} had a winner, "
            f"{equals.alarms:.2%} an alarm about the split; with one {BANDIT_LIFT:+.0%}: found in {better.found:.1%}, "
            f"{better.gained:+.1%} conversions against an even split\n"
        )
    return lambda: 100 * worst, lambda: 100 * ALPHA


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
BANDIT = Benchmark(
    name="Bandits: winners among equals, shares that follow the results",
    unit="% of tests",
    reference_name="the promise",
    prepare=_bandit_errors,
    floor=1.0,
    aim=1.0,
    is_lower_better=True,
    is_timed=False,
)

"""Where a test stands, as plain data: what is kept with a decision, and what pages and `/v1` show before one.

The statistics need scipy, which is loaded by whoever first judges a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from analytics.selectors.outcomes import Outcome, get_currency, get_outcomes
from campaigns.models import Campaign, Experiment, Variant

if TYPE_CHECKING:
    from analytics.experiments.beliefs import MeanBelief, RateBelief
    from analytics.experiments.verdict import Verdict

Waves = tuple[tuple[Outcome, ...], ...]
Shares = tuple[tuple[float, ...], ...]


def planned_shares(experiment: Experiment, variants: Sequence[Variant]) -> list[list[float]]:
    """Return how the people of each wave were to be split; adds up to 1 in each."""
    total = sum(variant.share for variant in variants)
    first = [variant.share / total for variant in variants]
    later = [[float(wave["shares"].get(variant.label, 0)) for variant in variants] for wave in experiment.waves[1:]]
    return [first, *later] if experiment.mode == Experiment.Mode.BANDIT else [first]


def measure(
    campaign: Campaign, experiment: Experiment, variants: Sequence[Variant], *, is_over: bool = False
) -> dict[str, Any]:
    """Return where the variants stand now.

    Args:
        variants: at least two, by label.
        is_over: whether the rule shall end a test that has shown nothing.

    Returns:
        `{state, leader, p_value, is_equivalent, currency, needed, missing, split, variants: [...]}`; amounts in minor
        units. JSON can hold it.
    """
    waves = tuple(tuple(wave) for wave in get_outcomes(campaign, experiment, variants))
    shares = tuple(tuple(planned) for planned in planned_shares(experiment, variants))
    verdict = _judged(
        experiment.metric == Experiment.Metric.REVENUE,
        experiment.mode == Experiment.Mode.BANDIT,
        waves,
        shares[: len(waves)],
        experiment.minimum_lift,
        experiment.alpha,
        is_over,
    )
    needed = people_needed(experiment, waves, len(variants))
    fewest = min(sum(wave[index].exposed for wave in waves) for index in range(len(variants)))
    return {
        "state": verdict.state.value,
        "leader": variants[verdict.leader].label,
        "p_value": None if _is_without_evidence(experiment) else round(verdict.p_value, 6),
        "is_equivalent": verdict.is_equivalent,
        "currency": get_currency(campaign, experiment) if experiment.metric == Experiment.Metric.REVENUE else "",
        "needed": needed,
        "missing": None if needed is None else max(0, needed - fewest),
        "split": _split(verdict, waves, shares, variants),
        "variants": [_lane(index, variant, waves, verdict) for index, variant in enumerate(variants)],
    }


def next_wave_shares(campaign: Campaign, experiment: Experiment, variants: Sequence[Variant]) -> list[float]:
    """Return the shares of a bandit's next wave."""
    from analytics.experiments.bandit import next_shares
    from analytics.experiments.evidence import Count
    from analytics.experiments.waves import even_out, even_out_means

    waves = get_outcomes(campaign, experiment, variants)
    if experiment.metric == Experiment.Metric.REVENUE:
        return next_shares(even_out_means([[_amounts(outcome) for outcome in wave] for wave in waves]))
    counts = even_out([[Count(outcome.exposed, outcome.converted) for outcome in wave] for wave in waves])
    return next_shares([_rate(Outcome(count.exposed, count.converted)) for count in counts])


def people_needed(experiment: Experiment, waves: Waves, variants: int) -> int | None:
    """Return how many people each variant needs to show the smallest lift that matters, at the rate seen so far.

    None while nobody converted, when no list is that long, and for amounts, whose spread nobody knows in advance.
    """
    exposed = sum(outcome.exposed for wave in waves for outcome in wave)
    converted = sum(outcome.converted for wave in waves for outcome in wave)
    if not exposed or not converted or experiment.metric == Experiment.Metric.REVENUE:
        return None
    return needed_at(float(f"{converted / exposed:.2g}"), experiment.minimum_lift, variants, experiment.alpha)


@lru_cache(maxsize=1024)
def needed_at(rate: float, lift: float, variants: int, alpha: float) -> int | None:
    """Return the people that each variant needs, or None when no list is that long or the lifted rate is above 1."""
    from analytics.experiments.planning import needed_people

    if not (0 < rate < 1 and rate * (1 + lift) < 1):
        return None
    return needed_people(rate=rate, lift=lift, variants=variants, alpha=alpha)


@lru_cache(maxsize=1024)
def _judged(
    is_revenue: bool, is_bandit: bool, waves: Waves, shares: Shares, minimum_lift: float, alpha: float, is_over: bool
) -> Verdict:
    """Return the verdict. The same figures give the same one, so it is remembered by them."""
    from analytics.experiments.verdict import Rule, judge, judge_waves

    rule = Rule(minimum_lift, alpha)
    beliefs: Any = [[_amounts(each) if is_revenue else _rate(each) for each in wave] for wave in waves]
    if is_bandit:
        return judge_waves(beliefs, rule=rule, shares=shares, is_over=is_over)
    return judge(beliefs[0], rule=rule, shares=shares[0], is_over=is_over)


def _rate(outcome: Outcome) -> RateBelief:
    from analytics.experiments.beliefs import RateBelief

    return RateBelief(outcome.exposed, outcome.converted)


def _amounts(outcome: Outcome) -> MeanBelief:
    from analytics.experiments.beliefs import MeanBelief

    return MeanBelief(outcome.exposed, float(outcome.value), float(outcome.squares))


def _is_without_evidence(experiment: Experiment) -> bool:
    return experiment.mode == Experiment.Mode.BANDIT and experiment.metric == Experiment.Metric.REVENUE


def _split(verdict: Verdict, waves: Waves, shares: Shares, variants: Sequence[Variant]) -> dict[str, Any]:
    """Return the check of the split: of those who were reached, how many should have got a variant and how many did."""
    people = [sum(outcome.exposed for outcome in wave) for wave in waves]
    return {
        "is_broken": verdict.state.value == Experiment.State.BROKEN_SPLIT,
        "variants": [
            {
                "label": variant.label,
                "planned": round(sum(size * planned[index] for size, planned in zip(people, shares, strict=False))),
                "seen": sum(wave[index].exposed for wave in waves),
            }
            for index, variant in enumerate(variants)
        ],
    }


def _lane(index: int, variant: Variant, waves: Waves, verdict: Verdict) -> dict[str, Any]:
    belief, standing = verdict.beliefs[index], verdict.standings[index]
    first = verdict.beliefs[0]
    return {
        "id": str(variant.pk),
        "label": variant.label,
        "exposed": sum(wave[index].exposed for wave in waves),
        "converted": sum(wave[index].converted for wave in waves),
        "value": sum(wave[index].value for wave in waves),
        "rate": round(_seen(belief), 6),
        "low": round(standing.low, 6),
        "high": round(standing.high, 6),
        "is_best": round(standing.is_best, 6),
        "loss": round(standing.loss, 8),
        "lift": round(_seen(belief) / _seen(first) - 1, 4) if index and _seen(first) else None,
    }


def _seen(belief: Any) -> float:
    """Return what was seen: the plain rate without the prior, or the mean."""
    if hasattr(belief, "converted"):
        return float(belief.converted / belief.exposed) if belief.exposed else 0.0
    return float(belief.mean)

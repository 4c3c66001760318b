"""What a test can be expected to show, before it is sent: from the workspace's own past, or from a stated default."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Count

from analytics.models import Conversion, Goal
from analytics.selectors.figures import list_campaign_figures
from analytics.selectors.judging import needed_at
from analytics.selectors.outcomes import FACTS
from campaigns.models import Campaign, Experiment
from campaigns.tickets import FEWEST

#: Taken where the workspace has no past of its own; lower than most senders see, so that plans err on the safe side.
USUAL = {"clicks": 0.02, "opens": 0.25, "goal": 0.005}
#: A rate of one's own rests on at least so many deliveries and so many who did it.
ENOUGH_DELIVERED, ENOUGH_CONVERTED = 500, 10
PAST_CAMPAIGNS = 20
#: No lift beyond these is searched for: a variant that is five times as good needs no statistics.
LEAST_LIFT, MOST_LIFT = 0.01, 5.0
#: Lifts are told to this precision, a share of themselves.
PRECISION = 0.01


@dataclass(frozen=True)
class BaseRate:
    """What readers have done so far: `rate` of `people` in `campaigns`; `is_own` is false for the default."""

    rate: float
    people: int
    campaigns: int
    is_own: bool


@dataclass(frozen=True)
class Prospect:
    """What a plan can be expected to show.

    Attributes:
        base: the rate that it starts from.
        per_variant: people that the smallest variant of the test gets.
        needed: people that each variant needs to show the smallest lift that matters in 8 of 10 tests; None: no list
            is that long.
        visible_lift: the smallest lift that so many people show; None when none below `MOST_LIFT` is.
    """

    base: BaseRate
    per_variant: int
    needed: int | None
    visible_lift: float | None

    @property
    def is_enough(self) -> bool:
        """Whether the smallest lift that matters can be seen."""
        return self.needed is not None and self.per_variant >= self.needed


def goal_names(workspace_id: UUID) -> dict[str, str]:
    """Return the names of a workspace's goals by key."""
    return dict(Goal.objects.for_workspace(workspace_id).order_by("name").values_list("key", "name"))


def get_base_rate(workspace_id: UUID, metric: str, goal_key: str = "") -> BaseRate:
    """Return how often readers of the last campaigns did what a test counts.

    Args:
        metric: `clicks`, `opens` or `goal`.
        goal_key: which goal; empty for any.
    """
    recent = (
        Campaign.objects.for_workspace(workspace_id)
        .filter(status=Campaign.Status.SENT, launched_at__isnull=False)
        .order_by("-launched_at")[:PAST_CAMPAIGNS]
    )
    figures = [(campaign, found) for campaign, found in list_campaign_figures(recent) if found["delivered"]]
    people = sum(found["delivered"] for _, found in figures)
    if metric in FACTS:
        converted = sum(found[FACTS[metric][0]] for _, found in figures)
    else:
        reached = Conversion.objects.for_workspace(workspace_id).filter(campaign__in=[one for one, _ in figures])
        if goal_key:
            reached = reached.filter(goal__in=Goal.objects.for_workspace(workspace_id).filter(key=goal_key))
        converted = reached.aggregate(number=Count("message", distinct=True))["number"]
    if people < ENOUGH_DELIVERED or converted < ENOUGH_CONVERTED or converted >= people:
        return BaseRate(USUAL[metric], people, len(figures), is_own=False)
    return BaseRate(converted / people, people, len(figures), is_own=True)


def get_prospect(
    experiment: Experiment, *, audience: int, shares: list[int], holdout_share: int = 0
) -> Prospect | None:
    """Return what a plan can be expected to show; None for revenue, whose spread nobody knows in advance.

    A bandit is taken as if it split everybody evenly: that is the most it can show.

    Args:
        experiment: the plan, stored or not.
        audience: people who may be mailed.
        shares: the variants' shares; at least two.
        holdout_share: percent of the audience who get nothing.
    """
    if experiment.metric == Experiment.Metric.REVENUE:
        return None
    base = get_base_rate(experiment.workspace_id, experiment.metric, experiment.goal_key)
    mailed = audience * (100 - holdout_share) / 100
    smallest = min(shares) / sum(shares)
    if experiment.mode == Experiment.Mode.WINNER:
        mailed = max(mailed * experiment.test_share / 100, min(mailed, FEWEST * len(shares)))
    elif experiment.mode == Experiment.Mode.BANDIT:
        smallest = 1 / len(shares)
    per_variant, rate = int(mailed * smallest), float(f"{base.rate:.2g}")
    return Prospect(
        base,
        per_variant,
        needed=needed_at(rate, experiment.minimum_lift, len(shares), experiment.alpha),
        visible_lift=visible_lift(rate, per_variant, len(shares), experiment.alpha),
    )


@lru_cache(maxsize=1024)
def visible_lift(rate: float, people: int, variants: int, alpha: float) -> float | None:
    """Return the smallest lift that so many people for each variant show in 8 of 10 tests; None when there is none."""

    def shows(lift: float) -> bool:
        needed = needed_at(rate, lift, variants, alpha)
        return needed is not None and needed <= people

    most = min(MOST_LIFT, 0.999 / rate - 1)
    if most <= LEAST_LIFT or not shows(most):
        return None
    low, high = LEAST_LIFT, most
    while high - low > PRECISION * high:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high

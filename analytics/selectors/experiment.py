"""A campaign's test as pages, frames and `/v1` show it: the rule, where it stands, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from analytics.selectors.holdout import get_holdout
from analytics.selectors.judging import measure
from analytics.selectors.outcomes import compared_variants, get_timing
from campaigns.models import Campaign, Experiment
from campaigns.selectors.waves import get_waves

#: Metric -> what one reader did, what many did, and the name of the figure.
WORDS: dict[str, tuple[str, str, str]] = {
    "clicks": ("clicked", "clicks", "click rate"),
    "opens": ("opened", "opens", "open rate"),
    "goal": ("reached the goal", "goals", "goal rate"),
    "revenue": ("bought", "purchases", "revenue a recipient"),
}
#: The rule is the experiment's own columns; they stand in answers under the same names.
RULE = (
    "mode", "metric", "goal_key", "test_share", "minimum_lift", "alpha", "decide_after_hours", "chooser", "fallback",
)  # fmt: skip


def get_plan(campaign: Campaign) -> Experiment:
    """Return a campaign's test; one that nobody planned is an even split by human clicks, and is not stored."""
    found = (
        Experiment.objects.for_workspace(campaign.workspace_id)
        .select_related("winner", "decided_by")
        .filter(campaign=campaign)
        .first()
    )
    return found or unplanned(campaign)


def unplanned(campaign: Campaign) -> Experiment:
    """Return the test of a campaign whose variants were sent without a plan."""
    return Experiment(workspace_id=campaign.workspace_id, campaign=campaign, decide_after_hours=Experiment.EVEN_HOURS)


def get_experiment(campaign: Campaign) -> dict[str, Any]:
    """Return the test of a campaign with several variants; empty when it has one.

    What was decided stays as it was when it was decided: the mails to the rest are not part of the test.

    Returns:
        the rule (`RULE`), `name` of the figure, `unit` (`share` or `money`), `is_launched`, `state`, `outcome`,
        `decided_at`, `decided_by`, `decides_at` (when time is up; None while mails of the test are leaving), `winner`
        (label or None), `waits_for_person`, `can_choose`, `waves`, `held`, `holdout` (`holdout.get_holdout`); and from
        `judging.measure`: `leader`, `p_value`, `is_equivalent`, `currency`, `needed` and `missing` people for each
        variant, `split`, and `variants`: `label`, `subject`, `share`, `exposed`, `converted`, `value`, `rate`, `low`,
        `high`, `is_best`, `loss`, `lift` over the first, `is_winner`, `is_leader`. Rates are shares of 1, amounts are
        minor units, times are ISO 8601: a frame can carry it.
    """
    variants = compared_variants(campaign)
    if len(variants) < 2:
        return {}
    plan = get_plan(campaign)
    measured = plan.result if plan.decided_at and plan.result else measure(campaign, plan, variants)
    held, timing = get_waves(campaign), get_timing(campaign, plan)
    by_label = {lane["label"]: lane for lane in measured["variants"]}
    is_waiting = bool(plan.decided_at and held["held_for_test"])
    return {
        **{name: getattr(plan, name) for name in RULE},
        **measured,
        "name": WORDS[plan.metric][2],
        "unit": "money" if plan.metric == Experiment.Metric.REVENUE else "share",
        "is_launched": campaign.launched_at is not None,
        "state": plan.state,
        "outcome": plan.outcome,
        "decided_at": _iso(plan.decided_at),
        "decided_by": str(plan.decided_by) if plan.decided_by else "",
        "decides_at": None if plan.decided_at else _iso(timing.over_at),
        "winner": plan.winner.label if plan.winner else None,
        "waits_for_person": is_waiting,
        "can_choose": bool(held["held_for_test"]) and campaign.status == Campaign.Status.SENDING,
        "waves": plan.waves,
        "held": held,
        "holdout": get_holdout(campaign),
        "measured_at": _iso(plan.decided_at or timezone.now()),
        "variants": [
            {
                **by_label.get(variant.label, {}),
                "label": variant.label,
                "subject": variant.subject,
                "share": variant.share,
                "is_winner": variant.is_winner,
                "is_leader": variant.label == measured["leader"],
            }
            for variant in variants
            if variant.label in by_label
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None

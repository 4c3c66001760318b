"""Planning an A/B test: the rule by which variants will be compared, fixed from the launch on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaigns.models import Campaign, Experiment
from campaigns.selectors.goals import known_goals
from pulsequill.core.errors import FieldError, Invalid, WrongState

_E = Experiment
#: What a plan says; everything else of an experiment is its result.
PLAN = (
    "mode", "metric", "goal_key", "test_share", "minimum_lift", "alpha", "decide_after_hours", "chooser", "fallback",
)  # fmt: skip
CHOICES: dict[str, list[str]] = {
    "mode": _E.Mode.values,
    "metric": _E.Metric.values,
    "chooser": _E.Chooser.values,
    "fallback": _E.Fallback.values,
}
#: Field -> the least and the most, and how people say it.
RANGES: dict[str, tuple[float, float, str]] = {
    "test_share": (1, 99, "The test goes to 1 to 99 percent of the recipients."),
    "minimum_lift": (0.01, 10, "The smallest difference that matters is 1 % to 1,000 % of the rate."),
    "alpha": (0.001, 0.2, "A winner among equals may be named in 0.1 % to 20 % of tests."),
    "decide_after_hours": (1, 720, "A test is decided 1 to 720 hours after its last mail."),
}
_WHOLE = frozenset({"test_share", "decide_after_hours"})
#: Metrics that ask for a goal; the others have none.
OF_GOALS = frozenset({_E.Metric.GOAL, _E.Metric.REVENUE})


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(f"experiment.{field}" if field else "experiment", code, detail)])


def refuse_fixed(campaign: Campaign) -> None:
    """Raise when the rule cannot be changed any more.

    Raises:
        WrongState: the campaign was launched: a rule that is chosen afterwards proves nothing.
    """
    if Campaign.objects.for_workspace(campaign.workspace_id).filter(pk=campaign.pk, launched_at__isnull=False).exists():
        raise WrongState("The rule of a test is fixed at its launch: one that is chosen afterwards proves nothing.")


def usual_hours(mode: str) -> int:
    """Return how long a test takes unless its plan says otherwise: nobody waits for the end of an even split."""
    return _E.EVEN_HOURS if mode == _E.Mode.EVEN else _E().decide_after_hours


def clean_plan(workspace_id: Any, plan: Mapping[str, Any], current: Experiment) -> dict[str, Any]:
    """Return the columns of a plan: what is not given stays, what its mode has no use for becomes the default.

    Raises:
        Invalid: a field cannot be, or names a goal that is not there.
    """
    if unknown := set(plan) - set(PLAN):
        raise _refuse(min(unknown), "unknown_field", f"A test has no {min(unknown)}.")
    columns = {name: plan.get(name, getattr(current, name)) for name in PLAN}
    for name, choices in CHOICES.items():
        if columns[name] not in choices:
            raise _refuse(name, "not_a_choice", f"{name} is one of {', '.join(choices)}.")
    for name, (least, most, words) in RANGES.items():
        value = columns[name]
        is_number = isinstance(value, int if name in _WHOLE else (int, float)) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            raise _refuse(name, "out_of_range", words)
    if columns["metric"] in OF_GOALS:
        key = columns["goal_key"]
        if key and key not in known_goals(workspace_id):
            raise _refuse("goal_key", "not_found", f"There is no goal with the key “{key}”.")
    else:
        columns["goal_key"] = ""
    if columns["mode"] == _E.Mode.EVEN:
        columns["test_share"], columns["fallback"] = _E().test_share, _E.Fallback.LEADER.value
    if "decide_after_hours" not in plan and columns["mode"] != current.mode:
        columns["decide_after_hours"] = usual_hours(columns["mode"])
    if columns["mode"] != _E.Mode.WINNER:
        columns["chooser"] = _E.Chooser.RULE.value
    return columns


def save_plan(*, campaign: Campaign, plan: Mapping[str, Any] | None) -> None:
    """Keep how a draft's variants will be compared; None forgets it, which leaves an even split by human clicks.

    Args:
        campaign: a draft, locked by the caller.
        plan: any of `PLAN`.

    Raises:
        Invalid: as `clean_plan`.
    """
    rows = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign)
    if plan is None:
        rows.delete()
        return
    found = rows.first()
    current = found or Experiment(
        workspace_id=campaign.workspace_id, campaign=campaign, decide_after_hours=usual_hours(_E.Mode.EVEN)
    )
    for name, value in clean_plan(campaign.workspace_id, plan, current).items():
        setattr(current, name, value)
    current.save()


def copy_plan(*, campaign: Campaign, copy: Campaign) -> None:
    """Give a copy the rule of the campaign it was made from, without the result."""
    found = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).first()
    if found is not None:
        plan = {name: getattr(found, name) for name in PLAN}
        Experiment(workspace_id=copy.workspace_id, campaign=copy, **plan).save()

"""A test on pages: the card that says where it stands, what a plan can show, and a person's choice."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.dateparse import parse_datetime

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, came_from
from analytics.preflight import too_small
from analytics.selectors.experiment import WORDS, get_experiment, get_plan
from analytics.selectors.prospects import Prospect, get_prospect, visible_lift
from analytics.services.experiments import LONGEST_REASON, choose_winner
from analytics.views import holdout
from analytics.views.live import find_campaign
from audiences import selectors as audiences
from campaigns.models import Campaign, Experiment
from campaigns.selectors.campaigns import audience_of, get_variant
from campaigns.services.experiments import CHOICES, RANGES

#: State -> tone and icon of its chip.
LOOKS: dict[str, tuple[str, str]] = {
    "running": ("accent", "clock"),
    "winner": ("ok", "check"),
    "no_difference": ("", "info"),
    "broken_split": ("bad", "warn"),
}
#: Shares of the list that the planning table shows, in percent.
PLANNED_SHARES = (10, 20, 30, 50, 99)
#: The audience is not counted anew for each change of the form.
COUNT_REMEMBERED_S = 30


def money(minor: float, currency: str) -> str:
    """Return an amount of minor units with its currency."""
    return f"{minor / 100:,.2f} {currency}".strip()


def share(value: float) -> str:
    """Return a share of 1 as a percentage of three digits."""
    return f"{100 * value:.3g} %"


def get_card(campaign: Campaign, role: str) -> dict[str, Any]:
    """Return what `analytics/_experiment.html` shows, as its `test`; empty when nothing is compared.

    Args:
        campaign: any.
        role: the reader's, who may send a variant to the rest if the role allows sending.
    """
    test = get_experiment(campaign)
    if not test:
        return {}
    is_money = test["unit"] == "money"
    lanes = test["variants"]
    low, high = min(lane["low"] for lane in lanes), max(lane["high"] for lane in lanes)
    span = max(high - low, 1e-9)
    said, many, _ = WORDS[test["metric"]]

    def figure(value: float) -> str:
        return money(value, test["currency"]) if is_money else share(value)

    leader = next(lane for lane in lanes if lane["is_leader"])
    return {
        **test,
        "campaign": campaign,
        "holdout": holdout.card_of(test["holdout"]),
        "look": LOOKS[test["state"]],
        "state_words": Experiment.State(test["state"]).label,
        "mode_words": Experiment.Mode(test["mode"]).label,
        "many": many,
        "lanes": [
            {
                **lane,
                "figure": figure(lane["rate"]),
                "low_words": figure(lane["low"]),
                "high_words": figure(lane["high"]),
                "did": f"{lane['converted']:,} of {lane['exposed']:,} {said}",
                "x1": round(100 * (lane["low"] - low) / span, 2),
                "x2": round(100 * (lane["high"] - low) / span, 2),
                "x": round(100 * min(max(lane["rate"] - low, 0), span) / span, 2),
                "loss_words": _loss(lane["loss"], is_money, many, test["currency"]),
            }
            for lane in lanes
        ],
        "axis": [figure(low + span * step / 3) for step in range(4)],
        "leader_lane": leader,
        "verdict": _verdict(test),
        "lift_words": share(test["minimum_lift"]),
        "decides_at": parse_datetime(test["decides_at"]) if test["decides_at"] else None,
        "decided_at": parse_datetime(test["decided_at"]) if test["decided_at"] else None,
        "waves": [
            {**wave, "at": parse_datetime(wave["at"]),
             "shares": ", ".join(f"{label} {part:.0%}".replace("%", " %") for label, part in wave["shares"].items())}
            for wave in test["waves"]
        ],
        "longest_reason": LONGEST_REASON,
        "may_choose": test["can_choose"] and role_allows(role, "campaign.send"),
    }  # fmt: skip


def _loss(loss: float, is_money: bool, many: str, currency: str) -> str:
    """Return what choosing a variant gives up on average, in words."""
    if is_money:
        return f"{money(1000 * loss, currency)} for each 1,000 recipients"
    lost = 1000 * loss
    return (
        f"{lost:.1f} {many} for each 1,000 readers" if lost >= 0.05 else f"less than 0.1 {many} for each 1,000 readers"
    )


def _verdict(test: dict[str, Any]) -> str:
    """Return what can be said of a test that goes on, in a sentence; what came of one that is over says its outcome."""
    if test["outcome"]:
        return str(test["outcome"])
    if not any(lane["converted"] for lane in test["variants"]):
        return "Nothing has happened yet that could be compared."
    lift = share(test["minimum_lift"])
    if test["missing"]:
        return f"Not proven yet: about {test['missing']:,} more people for each variant show a difference of {lift}."
    return f"Not proven yet: if there is a difference, it is hardly larger than {lift}."


class ExperimentCard(WorkspaceTemplatePage):
    """The card by itself; empty when nothing is compared."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/_experiment.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read where the test stands."""
        campaign = find_campaign(self, kwargs["campaign_id"])
        return super().get_context_data(test=get_card(campaign, self.membership.role), **kwargs)


class ExperimentChoose(WorkspacePage):
    """Send a variant to the rest."""

    permission: ClassVar[str] = "campaign.send"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Choose, and go back to where the person came from."""
        campaign = find_campaign(self, campaign_id)
        variant = get_variant(campaign, request.POST.get("variant", "")[:40] or "-")
        chosen = choose_winner(
            campaign=campaign, variant=variant, actor=self.user, reason=request.POST.get("reason", "")
        )
        messages.success(request, f"Variant {variant.label} goes to everybody who waited. {chosen.outcome}")
        return redirect(came_from(request, otherwise="analytics:home"))


class PlanOutlook(WorkspaceTemplatePage):
    """What the plan that is being written can show; nothing is saved."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/_outlook.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the form as far as it makes sense, and the stored plan for the rest."""
        campaign = find_campaign(self, kwargs["campaign_id"])
        plan = _written(get_plan(campaign), self.request.GET)
        shares = _shares(campaign, self.request.GET)
        holdout = _number(self.request.GET.get("holdout_share"), 0, 50)
        holdout = campaign.holdout_share if holdout is None else int(holdout)
        audience = self._audience(campaign)
        prospect = (
            get_prospect(plan, audience=audience, shares=shares, holdout_share=holdout) if len(shares) > 1 else None
        )
        return super().get_context_data(
            plan=plan,
            audience=audience,
            shares=shares,
            prospect=prospect,
            name=WORDS[plan.metric][2],
            lift=share(plan.minimum_lift),
            visible=share(prospect.visible_lift) if prospect and prospect.visible_lift else "",
            warning=too_small(prospect, audience) if prospect and audience and not prospect.is_enough else "",
            enough_share=_enough_share(prospect, plan, audience * (100 - holdout) // 100, shares),
            rate=share(prospect.base.rate) if prospect else "",
            rows=_rows(prospect, plan, audience * (100 - holdout) // 100, shares) if prospect and audience else [],
            **kwargs,
        )

    @staticmethod
    def _audience(campaign: Campaign) -> int:
        key = f"included:{campaign.pk}:{campaign.revision}"
        count: int | None = cache.get(key)
        if count is None:
            chosen = audience_of(campaign)
            has_audience = bool(chosen["lists"] or chosen["segments"])
            count = audiences.count_audience(**chosen).included if has_audience else 0
            cache.set(key, count, COUNT_REMEMBERED_S)
        return count


def _number(text: str | None, least: float, most: float) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if least <= value <= most else None


def _written(plan: Experiment, given: QueryDict) -> Experiment:
    """Return the plan with what the form says, where that can be read."""
    for name, choices in CHOICES.items():
        if given.get(name) in choices:
            setattr(plan, name, given[name])
    plan.goal_key = given.get("goal_key", plan.goal_key)[:60]
    for name in ("test_share", "decide_after_hours"):
        value = _number(given.get(name), *RANGES[name][:2])
        if value is not None:
            setattr(plan, name, int(value))
    lift = _number(given.get("lift"), 1, 1000)
    if lift is not None:
        plan.minimum_lift = lift / 100
    return plan


def _shares(campaign: Campaign, given: QueryDict) -> list[int]:
    stored = campaign.variants.order_by("label").values_list("label", "share")
    written = [(label, _number(given.get(f"{label}-share"), 1, 100)) for label, _ in stored]
    return [int(value or kept) for (_, value), (_, kept) in zip(written, stored, strict=True)]


def _enough_share(prospect: Prospect | None, plan: Experiment, mailed: int, shares: list[int]) -> int | None:
    """Return the percent of the list that a test with a winner needs; None when it has them, or all are too few."""
    if prospect is None or prospect.needed is None or prospect.is_enough or plan.mode != Experiment.Mode.WINNER:
        return None
    people = prospect.needed * sum(shares) / min(shares)
    percent = -int(-100 * people // mailed) if mailed else 100
    return percent if percent <= 99 else None


def _rows(prospect: Prospect, plan: Experiment, mailed: int, shares: list[int]) -> list[dict[str, Any]]:
    """Return what a test with a winner would show if it went to more or fewer."""
    if plan.mode != Experiment.Mode.WINNER:
        return []
    rows = []
    for percent in sorted({*PLANNED_SHARES, plan.test_share}):
        people = int(mailed * percent / 100 * min(shares) / sum(shares))
        lift = visible_lift(float(f"{prospect.base.rate:.2g}"), people, len(shares), plan.alpha)
        rows.append(
            {"percent": percent, "people": people, "lift": share(lift) if lift else "none",
             "is_chosen": percent == plan.test_share}
        )  # fmt: skip
    return rows

"""What preflight says about an A/B test: whether it compares anything, can be counted, and can show what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.selectors.prospects import Prospect, get_prospect
from campaigns.models import Experiment
from campaigns.preflight import Check, Finding, Severity
from campaigns.preflight.examined import Examined

#: Metric -> the setting of the campaign without which nothing is counted, and what people call it.
_TRACKED_BY = {"opens": ("track_opens", "opens"), "clicks": ("track_clicks", "clicks")}


def plan_of(examined: Examined) -> Experiment:
    """Return the plan of the campaign's test: the stored one, or the even split that several variants mean."""
    found = Experiment.objects.for_workspace(examined.workspace).filter(campaign=examined.campaign).first()
    return found or Experiment(workspace=examined.workspace, campaign=examined.campaign)


def has_test(examined: Examined) -> bool:
    """Return whether variants are compared, and somebody gets them."""
    return len(examined.variants) > 1 and examined.has_audience


def prospect_of(examined: Examined, plan: Experiment) -> Prospect | None:
    """Return what the plan can be expected to show; None when that cannot be said."""
    return get_prospect(
        plan,
        audience=examined.count.included,
        shares=[variant.share for variant in examined.variants],
        holdout_share=examined.campaign.holdout_share,
    )


def find(examined: Examined) -> Iterator[Finding]:
    """Find tests that compare nothing, that cannot be counted, and that are too small for what they look for."""
    here, plan = examined.page("campaigns:experiment"), plan_of(examined)
    if len(examined.variants) < 2:
        if plan.mode != Experiment.Mode.EVEN:
            yield Finding(
                "test_without_variants",
                Severity.BLOCK,
                "A test is planned, but there is one variant",
                here,
                detail="Add a variant, or give the test up: everybody would wait for a comparison that cannot come.",
            )
        return
    setting, counted = _TRACKED_BY.get(plan.metric, ("", ""))
    if setting and not getattr(examined.campaign, setting):
        yield Finding(
            "test_not_tracked",
            Severity.BLOCK,
            f"The test counts {counted}, which this campaign does not track",
            here,
            detail="Turn the tracking on, or compare by something else.",
        )
    alike = _alike(examined)
    if alike:
        yield Finding(
            "test_of_the_same",
            Severity.WARN,
            f"Variants {alike[0]} and {alike[1]} are the same",
            here,
            detail="Between them only chance can decide. Change one of them, or remove it.",
        )
    prospect = prospect_of(examined, plan) if examined.count.included else None
    if prospect is not None and not prospect.is_enough:
        yield Finding(
            "test_too_small",
            Severity.WARN,
            too_small(prospect, examined.count.included),
            here,
            examined.count.included,
            _instead(prospect, plan),
        )


def too_small(prospect: Prospect, audience: int) -> str:
    """Return what so few people can show, in a sentence."""
    if prospect.visible_lift is None:
        return f"With {audience:,} people this test cannot show any difference"
    return f"With {audience:,} people you can only see differences of {prospect.visible_lift:.0%} or more".replace(
        "%", " %"
    )


def _instead(prospect: Prospect, plan: Experiment) -> str:
    lift = f"{plan.minimum_lift:.0%}".replace("%", " %")
    if prospect.needed is None:
        return f"No list is long enough for {lift}. Look for a larger difference."
    parts = f"Each variant would get {prospect.per_variant:,}; to see {lift} it needs {prospect.needed:,}."
    if plan.mode == Experiment.Mode.WINNER and plan.test_share < 50:
        return f"{parts} Test on more people, look for a larger difference, or compare fewer variants."
    return f"{parts} Look for a larger difference, or compare fewer variants."


def _alike(examined: Examined) -> tuple[str, str] | None:
    """Return two variants that readers could not tell apart; those that cannot be compiled are left out."""
    seen: dict[tuple[object, ...], str] = {}
    for variant in examined.variants:
        mail = examined.compiled.get(variant.label)
        if mail is None:
            continue
        looks = (
            variant.subject, variant.preview_text, mail.html, mail.text, variant.sender_id, variant.send_delay_minutes,
        )  # fmt: skip
        if looks in seen:
            return seen[looks], variant.label
        seen[looks] = variant.label
    return None


CHECK = Check("test", find, "The list is large enough for its A/B test", has_test)

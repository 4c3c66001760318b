"""From figures to commands: ending the tests that can be ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q

from analytics.selectors import get_campaign_stats
from campaigns.models import Campaign, Experiment, Variant
from campaigns.services.remembering import remember_campaign_winner
from campaigns.services.winners import name_winner

#: Metric of an experiment -> the counter of those who did it, and the name of the rate.
METRICS = {"clicks": ("unique_clicks", "click_rate"), "opens": ("unique_opens", "open_rate")}
#: A test is over when so much time has passed since its campaign was sent: who has not clicked by then rarely will.
PATIENCE = timedelta(days=7)
#: Tests that ended long ago and were never judged (an installation that stood still) are left alone.
TOO_OLD = timedelta(days=30)
MOST_AT_ONCE = 200


def list_open_tests(now: datetime) -> list[UUID]:
    """Return the campaigns whose test has neither a winner nor an end, the oldest first."""
    launched = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT)
    tests = Campaign.objects.filter(status__in=launched, launched_at__gte=now - TOO_OLD).annotate(
        compared=Count("variants", filter=Q(variants__share__gt=0)),
        won=Count("variants", filter=Q(variants__is_winner=True)),
    )
    undecided = tests.filter(compared__gt=1, won=0).exclude(experiment__decided_at__isnull=False)
    return list(undecided.order_by(F("launched_at")).values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def decide(campaign_id: UUID, *, now: datetime) -> Experiment:
    """Judge one test by the rule that was fixed before launch, and end it when the rule says so.

    A winner is named and told to the AI writer; a test whose time is up ends in "no difference". A test whose people
    were not split as planned ends without a winner, because its figures mean nothing.

    Returns:
        The test as it is now; `decided_at` is empty while it goes on.
    """
    from analytics.experiments.beliefs import RateBelief  # scipy is heavy, and only whoever judges needs it
    from analytics.experiments.verdict import Rule, State, judge

    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=campaign_id)
    experiment, _ = Experiment.objects.for_workspace(campaign.workspace_id).get_or_create(
        campaign=campaign, defaults={"workspace_id": campaign.workspace_id}
    )
    if experiment.decided_at is not None:
        return experiment
    counter, rate = METRICS[experiment.metric]
    variants = list(Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, share__gt=0))
    shares = {str(variant.pk): variant.share for variant in variants}
    figures = [row for row in get_campaign_stats(campaign)["variants"] if row["id"] in shares]
    planned = [shares[row["id"]] / sum(shares.values()) for row in figures]
    is_over = campaign.finished_at is not None and now - campaign.finished_at >= PATIENCE
    verdict = judge(
        [RateBelief(row["delivered"], min(row[counter], row["delivered"])) for row in figures],
        rule=Rule(),
        shares=planned,
        is_over=is_over,
    )
    if verdict.state is State.RUNNING:
        return experiment
    leader = figures[verdict.leader]
    delivered = sum(row["delivered"] for row in figures)
    if verdict.state is State.WINNER:
        reason = _reason(leader, rate, len(figures), verdict.p_value)
        winner = next(variant for variant in variants if str(variant.pk) == leader["id"])
        name_winner(variant=winner, reason=reason)
        remember_campaign_winner(campaign=campaign, metric=rate, value=leader[rate], sample_size=delivered)
        experiment.outcome = f"{leader['label']} won: {reason}"[:300]
    elif verdict.state is State.BROKEN_SPLIT:
        experiment.outcome = "No conclusion: the variants were not delivered in the shares that were planned."
    else:
        experiment.outcome = (
            f"No difference that matters after {sum(row['delivered'] for row in figures):,} deliveries."
        )
    experiment.decided_at = now
    experiment.save(update_fields=["outcome", "decided_at", "updated_at"])
    return experiment


def _reason(leader: dict[str, Any], rate: str, variants: int, p_value: float) -> str:
    others = "the other" if variants == 2 else "every other"
    return (
        f"{rate.replace('_', ' ')} {leader[rate]:.2%} of {leader['delivered']:,}, ahead of {others} beyond chance "
        f"(p = {p_value:.4f}, valid at every look)."
    )

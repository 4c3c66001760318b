"""From figures to commands: ending the tests that can be ended, and sending a bandit's next wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts import activity
from accounts.models import User
from analytics.selectors.experiment import WORDS, unplanned
from analytics.selectors.judging import measure, next_wave_shares
from analytics.selectors.outcomes import compared_variants, get_timing, has_delays
from campaigns.models import Campaign, Experiment, Message, Variant
from campaigns.selectors.waves import get_waves
from campaigns.services.remembering import remember_campaign_winner
from campaigns.services.waves import release_rest
from campaigns.services.winners import name_winner
from pulsequill.core.errors import Invalid

#: Tests that ended long ago and were never judged (an installation that stood still) are left alone.
TOO_OLD = timedelta(days=60)
#: A bandit's wave is so many times as large as the one before: the surer, the bolder.
GROWTH = 2
#: Metric -> what the AI writer remembers a winner by; it knows no amounts.
REMEMBERED = {"clicks": "click_rate", "opens": "open_rate", "goal": "conversion_rate"}


def open_tests(now: datetime) -> QuerySet[Campaign]:
    """Return the campaigns whose test has neither a winner nor an end, and could have one.

    One that is paused while somebody waits for its test could not: nothing would leave.
    """
    launched = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT)
    tests = Campaign.objects.filter(status__in=launched, launched_at__gte=now - TOO_OLD).annotate(
        compared=Count("variants", filter=Q(variants__share__gt=0)),
        won=Count("variants", filter=Q(variants__is_winner=True)),
    )
    undecided = tests.filter(compared__gt=1, won=0).exclude(experiment__decided_at__isnull=False)
    waiting = Message.objects.filter(campaign=OuterRef("pk"), status=Message.Status.HELD, variant__isnull=True)
    return undecided.exclude(Q(status=Campaign.Status.PAUSED) & Exists(waiting.filter(is_test=False)))


def lock_test(campaigns: QuerySet[Campaign], campaign_id: UUID) -> tuple[Campaign, Experiment]:
    """Return a campaign and its test, both held until the transaction ends: one at a time decides.

    A campaign whose variants were sent without a plan gets the plan of an even split.

    Args:
        campaigns: where it is looked for: a workspace's, or all when beat asks.
    """
    rows = campaigns.select_for_update(of=("self",), no_key=True).select_related("workspace")
    campaign = rows.get(pk=campaign_id)
    tests = Experiment.objects.for_workspace(campaign.workspace_id).select_for_update(of=("self",), no_key=True)
    experiment = tests.filter(campaign=campaign).first()
    if experiment is None:
        experiment = unplanned(campaign)
        experiment.save()
    experiment.campaign = campaign
    return campaign, experiment


@transaction.atomic
def decide(campaign_id: UUID, *, now: datetime) -> Experiment:
    """Judge one test by the rule that was fixed before launch, and do what the rule says.

    | Mode | What is done |
    |---|---|
    | even | a winner is named |
    | winner | a winner is named and sent to the rest, or the fallback decides when time is up |
    | bandit | when a wave's time is up, the next one leaves; a winner gets all the rest |

    A paused campaign is left alone while anybody waits for the test: nothing would leave. Of two beats at once one
    decides.

    Returns:
        The test as it is now; `decided_at` is empty while it goes on.
    """
    campaign, experiment = lock_test(Campaign.objects.all(), campaign_id)
    held = get_waves(campaign)["held_for_test"]
    if experiment.decided_at is not None or (held and campaign.status != Campaign.Status.SENDING):
        return experiment
    if campaign.status not in (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT):
        return experiment
    variants = compared_variants(campaign)
    is_bandit = experiment.mode == Experiment.Mode.BANDIT
    is_over = get_timing(campaign, experiment).is_over(now)
    if is_bandit and not experiment.waves:
        _note_first_wave(campaign, experiment, variants)
    if not is_over and (is_bandit or has_delays(variants)):
        return experiment
    result = measure(campaign, experiment, variants, is_over=is_over and not (is_bandit and held))
    if result["state"] == Experiment.State.RUNNING:
        if is_bandit and is_over:
            _send_next_wave(campaign, experiment, variants, held=held, now=now)
        return experiment
    _conclude(campaign, experiment, variants, result, held=held, now=now)
    return experiment


def _conclude(
    campaign: Campaign,
    experiment: Experiment,
    variants: Sequence[Variant],
    result: dict[str, Any],
    *,
    held: int,
    now: datetime,
) -> None:
    """Keep what the test was decided on, and send the rest or ask a person."""
    leader = next(variant for variant in variants if variant.label == result["leader"])
    experiment.state, experiment.result, experiment.decided_at = result["state"], result, now
    reason = words_of(experiment, result)
    experiment.outcome = reason[:300]
    is_won = experiment.state == Experiment.State.WINNER
    asks = held > 0 and (
        experiment.state == Experiment.State.BROKEN_SPLIT
        or experiment.chooser == Experiment.Chooser.PERSON
        or (not is_won and experiment.fallback == Experiment.Fallback.ASK)
    )
    if asks:
        if is_won:
            experiment.outcome = f"{leader.label} is ahead: {reason}"[:300]
        _say(campaign, "campaign.test_waits", f"{campaign.name[:100]} waits for you. {experiment.outcome}")
    elif is_won:
        name_winner(variant=leader, reason=reason)
        experiment.winner, experiment.outcome = leader, f"{leader.label} won: {reason}"[:300]
        remember(campaign, experiment, result)
        release(campaign, experiment, {leader.pk: 1.0}, now=now)
    else:
        is_split = experiment.fallback == Experiment.Fallback.SPLIT
        shares = {variant.pk: float(variant.share) for variant in variants} if is_split else {leader.pk: 1.0}
        if held and release(campaign, experiment, shares, now=now):
            rest = "the variants as before" if is_split else f"{leader.label}, which led"
            experiment.outcome = f"{experiment.outcome} The rest got {rest}."[:300]
        _say(campaign, "campaign.test_ended", f"The test of {campaign.name[:100]} is over: {experiment.outcome}")
    experiment.save()


def _send_next_wave(
    campaign: Campaign, experiment: Experiment, variants: Sequence[Variant], *, held: int, now: datetime
) -> None:
    """Let a bandit's next wave leave: twice the last one, or everybody when less than such a wave would stay behind."""
    shares = next_wave_shares(campaign, experiment, variants)
    count = GROWTH * max(1, int(experiment.waves[-1]["recipients"]))
    by_variant = {variant.pk: share for variant, share in zip(variants, shares, strict=True)}
    release(campaign, experiment, by_variant, count=count if held >= 2 * count else None, now=now)
    experiment.save(update_fields=["waves", "updated_at"])


def _note_first_wave(campaign: Campaign, experiment: Experiment, variants: Sequence[Variant]) -> None:
    total = sum(variant.share for variant in variants)
    planned = Message.objects.for_workspace(campaign.workspace_id).filter(
        campaign=campaign, is_test=False, variant__isnull=False
    )
    _note_wave(
        experiment,
        at=campaign.launched_at or campaign.created_at,
        recipients=planned.exclude(status=Message.Status.SKIPPED).count(),
        shares={variant.label: variant.share / total for variant in variants},
    )
    experiment.save(update_fields=["waves", "updated_at"])


def release(
    campaign: Campaign,
    experiment: Experiment,
    shares: Mapping[UUID, float],
    *,
    now: datetime,
    count: int | None = None,
    actor: User | None = None,
) -> int:
    """Let some or all of those leave who wait for the test, and note the wave."""
    reason = experiment.outcome or "The next wave of the test."
    released = release_rest(campaign=campaign, shares=shares, count=count, actor=actor, reason=reason)
    if released:
        total = sum(shares.values())
        labels = dict(
            Variant.objects.for_workspace(campaign.workspace_id).filter(pk__in=shares).values_list("pk", "label")
        )
        named = {labels[pk]: share / total for pk, share in shares.items()}
        _note_wave(experiment, at=now, recipients=released, shares=named)
    return released


def _note_wave(experiment: Experiment, *, at: datetime, recipients: int, shares: Mapping[str, float]) -> None:
    rounded = {label: round(share, 6) for label, share in sorted(shares.items())}
    experiment.waves = [*experiment.waves, {"at": at.isoformat(), "recipients": recipients, "shares": rounded}]


def remember(campaign: Campaign, experiment: Experiment, result: Mapping[str, Any]) -> None:
    """Tell the AI writer which variant won; amounts and mails that say nothing in words teach it nothing."""
    if experiment.metric not in REMEMBERED:
        return
    leader = lane_of(result, result["leader"])
    people = sum(lane["exposed"] for lane in result["variants"])
    try:
        with transaction.atomic():
            remember_campaign_winner(
                campaign=campaign, metric=REMEMBERED[experiment.metric], value=leader["rate"], sample_size=people
            )
    except Invalid:
        return


def lane_of(result: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return what is known of one variant."""
    return next(dict(lane) for lane in result["variants"] if lane["label"] == label)


def words_of(experiment: Experiment, result: Mapping[str, Any]) -> str:
    """Return why a test ended as it did, in a sentence; the one about a winner follows its label."""
    if result["state"] == Experiment.State.BROKEN_SPLIT:
        return "No conclusion: the variants were not delivered in the shares that were planned."
    leader = lane_of(result, result["leader"])
    people = sum(lane["exposed"] for lane in result["variants"])
    if result["state"] != Experiment.State.WINNER:
        return f"No difference that matters after {people:,} deliveries."
    others = "the other" if len(result["variants"]) == 2 else "every other"
    name = WORDS[experiment.metric][2]
    figure = (
        f"{leader['rate'] / 100:,.2f} {result['currency']}"
        if experiment.metric == Experiment.Metric.REVENUE
        else f"{leader['rate']:.2%}"
    )
    return (
        f"{name} {figure} of {leader['exposed']:,}, ahead of {others} beyond chance "
        f"(p = {result['p_value']:.4f}, valid at every look)."
    )


def _say(campaign: Campaign, kind: str, summary: str) -> None:
    activity.record(workspace=campaign.workspace, kind=kind, subject=campaign, summary=summary[:300])

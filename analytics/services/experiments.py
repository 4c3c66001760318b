"""What a person decides about a test that is under way."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.activity import acting_as
from accounts.models import User
from analytics.decisions import lock_test, release, remember
from analytics.selectors.judging import measure
from analytics.selectors.outcomes import compared_variants
from campaigns.models import Campaign, Experiment, Variant
from campaigns.selectors.waves import get_waves
from campaigns.services.winners import name_winner
from pulsequill.core.errors import FieldError, Invalid, WrongState

LONGEST_REASON = 160


@transaction.atomic
def choose_winner(*, campaign: Campaign, variant: Variant, actor: User | None, reason: str = "") -> Experiment:
    """Send one variant to everybody who waits for the test; the same choice again changes nothing.

    A person may choose before the test is over. It is recorded as their choice and not as a proof; only what the rule
    itself found is told to the AI writer.

    Args:
        campaign: one that is being sent, and keeps some people waiting.
        variant: one of those that are compared.
        actor: who chose; None is an API key.
        reason: why, in their words.

    Raises:
        WrongState: nobody waits, somebody chose another variant, or the campaign is paused or over.
        Invalid: the variant is not compared here, or the reason is too long.
    """
    reason = " ".join(reason.split())
    if len(reason) > LONGEST_REASON:
        detail = f"Say it in at most {LONGEST_REASON} characters."
        raise Invalid(detail, errors=[FieldError("reason", "too_long", detail)])
    campaign, experiment = lock_test(Campaign.objects.for_workspace(campaign.workspace_id), campaign.pk)
    if experiment.winner_id == variant.pk:
        return experiment
    variants = compared_variants(campaign)
    if variant.pk not in {one.pk for one in variants} or len(variants) < 2:
        detail = f"{variant.label} is not one of the variants that are compared."
        raise Invalid(detail, errors=[FieldError("variant", "not_a_choice", detail)])
    if experiment.winner_id is not None:
        raise WrongState("Another variant was chosen already.")
    if campaign.status == Campaign.Status.PAUSED:
        raise WrongState("Resume the campaign first: while it is paused, nothing leaves.")
    if not get_waves(campaign)["held_for_test"]:
        raise WrongState("Nobody waits for the end of a test any more.")
    now = timezone.now()
    if experiment.decided_at is None:
        experiment.result = measure(campaign, experiment, variants)
        experiment.state, experiment.decided_at = Experiment.State.NO_DIFFERENCE, now
    is_proved = experiment.state == Experiment.State.WINNER and experiment.result["leader"] == variant.label
    who = str(actor) if actor else acting_as.get()
    experiment.winner, experiment.decided_by = variant, actor
    experiment.outcome = f"{who} sent {variant.label} to the rest{f': {reason}' if reason else '.'}"[:300]
    name_winner(variant=variant, reason=reason or experiment.outcome, actor=actor)
    if is_proved:
        remember(campaign, experiment, experiment.result)
    release(campaign, experiment, {variant.pk: 1.0}, now=now, actor=actor)
    experiment.save()
    return experiment

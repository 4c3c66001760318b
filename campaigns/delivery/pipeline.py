"""Claim, render, hand over, record: one slice of a campaign at a time.

A claim is committed before any byte leaves, so a crash leaves rows that say "under way" and nothing is ever sent twice
by us. The order of the steps is the whole point; RULES.md section 1 says why.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.activity import record as record_activity
from campaigns.delivery import ledger, pacing, reaper
from campaigns.delivery.providers import NO_WITNESS, Brake, Effect, Outcome, OutgoingMessage, Provider, get_provider
from campaigns.delivery.rendering import Claimed, Renderer
from campaigns.delivery.transactional import TransactionalRenderer
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Message
from pulsequill.core.errors import DomainError
from pulsequill.core.live import mark_dirty

logger = structlog.get_logger(__name__)

#: Seconds of work after which a slice ends, so that workers share themselves among campaigns.
SLICE_S = 60.0
#: An outage that outlives so many attempts of one message pauses the campaign.
DOWN_ATTEMPTS = 5
TOO_MANY_DOUBTS = "Five messages in a row ended in doubt, so sending was stopped. {}"
OUTAGE = "The provider has been away for several minutes. {}"
WAITING = "Waiting for the provider: {}"


def worker_name() -> str:
    """Return how this process signs its claims."""
    return f"{socket.gethostname()}:{os.getpid()}"


def deliver(*, campaign_id: UUID | str, slice_s: float = SLICE_S) -> bool:
    """Send one slice of a campaign.

    Args:
        campaign_id: which campaign.
        slice_s: seconds after which no further batch is claimed.

    Returns:
        Whether there is more to send right away.
    """
    campaign = (
        Campaign.objects.across_workspaces()
        .select_related("workspace", "sender")
        .filter(pk=campaign_id, status=Campaign.Status.SENDING)
        .first()
    )
    if campaign is None:
        return False
    with structlog.contextvars.bound_contextvars(campaign_id=str(campaign.pk), workspace_id=str(campaign.workspace_id)):
        try:
            return _Slice(campaign, until=time.monotonic() + slice_s).run()
        except DomainError as error:
            stop(campaign, f"The campaign cannot be composed. {error.detail}")
        except ImproperlyConfigured as error:
            stop(campaign, f"The mail provider is not set up. {error}")
        return False


class _Slice:
    def __init__(self, campaign: Campaign, *, until: float) -> None:
        self._campaign = campaign
        self._until = until
        self._provider = get_provider(campaign.provider)
        self._renderer = Renderer(campaign)
        self._list_ids = list(campaign.lists.for_workspace(campaign.workspace_id).values_list("pk", flat=True))
        self._brake = Brake(deadline=until)
        self._worker = worker_name()

    def run(self) -> bool:
        while time.monotonic() < self._until:
            now = timezone.now()
            allowance = pacing.allowance(self._campaign, now=now)
            if allowance == 0:
                return False
            limit = min(self._provider.claim_size, allowance or self._provider.claim_size)
            claim = ledger.claim(
                campaign=self._campaign, list_ids=self._list_ids, limit=limit, worker=self._worker, now=now
            )
            if claim.is_empty:
                reaper.finish(self._campaign, now=now)
                mark_dirty(self._campaign.pk)
                return False
            if claim.rows:
                self._brake.deadline = min(self._until, time.monotonic() + ledger.HAND_OVER_S)
                outcomes = hand_over(self._provider, self._renderer, claim.rows, self._brake)
            mark_dirty(self._campaign.pk)
            if self._brake.tripped_by is not None:
                self._halt(self._brake.tripped_by, claim.rows, outcomes)
                return False
            if self._campaign.status_reason:
                self._say("")
        return True

    def _halt(self, outcome: Outcome, rows: Sequence[Claimed], outcomes: Sequence[Outcome]) -> None:
        """Decide what a tripped brake means: pause now, or come back later."""
        if outcome.answer.effect is Effect.STOP:
            stop(self._campaign, outcome.reason)
        elif outcome.answer.effect is Effect.DOWN:
            attempts = max(
                (row.attempt_no for row, each in zip(rows, outcomes, strict=True) if each is outcome), default=0
            )
            if attempts >= DOWN_ATTEMPTS:
                stop(self._campaign, OUTAGE.format(outcome.reason))
            else:
                logger.warning("provider_down", code=outcome.code)
                self._say(WAITING.format(outcome.reason))
        else:
            stop(self._campaign, TOO_MANY_DOUBTS.format(outcome.reason))

    def _say(self, reason: str) -> None:
        Campaign.objects.for_workspace(self._campaign.workspace_id).filter(
            pk=self._campaign.pk, status=Campaign.Status.SENDING
        ).update(status_reason=reason[:300])
        self._campaign.status_reason = reason[:300]


def hand_over(
    provider: Provider, renderer: Renderer | TransactionalRenderer, rows: Sequence[Claimed], brake: Brake
) -> list[Outcome]:
    """Render claimed rows, give them to the provider, and record what happened.

    Returns:
        The outcomes, in the order of the rows.
    """
    rendered = renderer.render(rows, content=provider.content, now=timezone.now())
    messages = [message for message in rendered if isinstance(message, OutgoingMessage)]
    try:
        answers = iter(provider.send_batch(messages, brake=brake, witness=NO_WITNESS) if messages else [])
    except Exception:  # a provider that breaks its promise must cost doubt, never a silent loss or a second mail
        logger.exception("provider_error", provider=provider.name)
        answers = iter([brake.note(Outcome("provider_error")) for _ in messages])
    outcomes = [next(answers) if isinstance(message, OutgoingMessage) else message for message in rendered]
    ledger.record(rows, outcomes, reports_delivery=provider.reports_delivery, now=timezone.now())
    return outcomes


def deliver_one(*, message_id: int) -> bool:
    """Send one row that waits on its own: a test, a transactional message, or what an operator sends again.

    Returns:
        Whether it was ours to send.
    """
    message = (
        Message.objects.across_workspaces()
        .select_related("campaign", "campaign__workspace", "campaign__sender", "workspace", "template", "sender")
        .filter(pk=message_id)
        .first()
    )
    if message is None:
        return False
    provider = get_provider(message.provider)
    row = ledger.claim_one(message_id=message_id, worker=worker_name())
    if row is None:
        return False
    try:
        renderer = (
            TransactionalRenderer(message)
            if message.campaign is None
            else Renderer(message.campaign, is_test=message.is_test)
        )
    except DomainError as error:
        refusal = Outcome("bad_message", detail=error.detail)
        ledger.record([row], [refusal], reports_delivery=provider.reports_delivery, now=timezone.now())
    else:
        hand_over(provider, renderer, [row], Brake(deadline=time.monotonic() + ledger.HAND_OVER_S))
    if message.campaign_id is not None and not message.is_test:
        mark_dirty(message.campaign_id)
    return True


def stop(campaign: Campaign, reason: str) -> None:
    """Pause a campaign by ourselves, with the reason for people."""
    if not change_status(campaign, Campaign.Status.PAUSED, reason=reason):
        return
    logger.error("campaign_paused", reason=reason)
    record_activity(
        workspace=campaign.workspace,
        kind="campaign.paused",
        summary=f"PulseQuill paused “{campaign.name}”: {reason}",
        subject=campaign,
        reason=reason[:300],
    )
    mark_dirty(campaign.pk)

"""Claim, render, hand over, record: one slice of a campaign at a time.

A claim is committed before any byte leaves, so a crash leaves rows that say "under way" and nothing is ever sent twice
by us. The order of the steps is the whole point; RULES.md section 1 says why.

While a batch is handed over by a thread of its own, this one records the batch before and claims and composes the next:
the connections never wait for the database. At most two claims are open, the one under way and the one ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.activity import record as record_activity
from campaigns.delivery import journal, ledger, pacing, reaper
from campaigns.delivery.providers import Brake, Effect, Outcome, OutgoingMessage, Provider, get_provider
from campaigns.delivery.providers.answers import NOT_SENT
from campaigns.delivery.rendering import Claimed, Renderer
from campaigns.delivery.transactional import TransactionalRenderer
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Message
from pulsequill.core.errors import DomainError
from pulsequill.core.live import mark_dirty

logger = structlog.get_logger(__name__)

#: Seconds of work after which a slice ends, so that workers share themselves among campaigns.
SLICE_S = 60.0
#: While a batch is under way, so often is asked whether the campaign is still sending.
ASK_EVERY_S = 1.0
#: An outage that outlives so many attempts of one message pauses the campaign.
DOWN_ATTEMPTS = 5
TOO_MANY_DOUBTS = "Five messages in a row ended in doubt, so sending was stopped. {}"
OUTAGE = "The provider has been away for several minutes. {}"
WAITING = "Waiting for the provider: {}"


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
        journal.replay_abandoned()
        try:
            provider = get_provider(campaign.provider, workspace_id=campaign.workspace_id)
            renderer = Renderer(campaign)
            with journal.Journal(
                claim_size=provider.claim_size, reports_delivery=provider.reports_delivery
            ) as own_journal:
                return _Slice(campaign, provider, renderer, own_journal, until=time.monotonic() + slice_s).run()
        except DomainError as error:
            stop(campaign, f"The campaign cannot be composed. {error.detail}")
        except ImproperlyConfigured as error:
            stop(campaign, f"The mail provider is not set up. {error}")
        return False


@dataclass(slots=True)
class _Batch:
    """A claim on its way."""

    rows: Sequence[Claimed]
    #: A message for each row, or why there is none.
    composed: Sequence[OutgoingMessage | Outcome]
    page: journal.Page


class _Slice:
    def __init__(
        self, campaign: Campaign, provider: Provider, renderer: Renderer, own_journal: journal.Journal, *, until: float
    ) -> None:
        self._campaign = campaign
        self._provider = provider
        self._renderer = renderer
        self._journal = own_journal
        self._until = until
        self._brake = Brake(deadline=until)
        self._list_ids = list(campaign.lists.for_workspace(campaign.workspace_id).values_list("pk", flat=True))
        self._claimed_up_to = 0
        #: Why there is no next batch: nothing left, or nothing allowed now.
        self._is_exhausted = self._has_to_wait = False

    def run(self) -> bool:
        with ExitStack() as stack:
            if self._provider.uses_database:  # another thread would have another transaction
                start: Callable[[_Batch], Future[list[Outcome]]] = self._hand_over_here
            else:
                pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="hand-over"))
                stack.callback(self._brake.stop)  # should this thread fail, the other one ends soon

                def start(batch: _Batch) -> Future[list[Outcome]]:
                    return pool.submit(hand_over, self._provider, batch.composed, self._brake, batch.page)

            return self._run(start)

    def _run(self, start: Callable[[_Batch], Future[list[Outcome]]]) -> bool:
        under_way: tuple[_Batch, Future[list[Outcome]]] | None = None
        while True:
            ahead = self._prepare()
            outcomes = self._wait_for(under_way[1]) if under_way else []
            arrived, under_way = under_way, None
            if ahead is not None and self._may_start(is_first=arrived is None):
                under_way = (ahead, start(ahead))
            elif ahead is not None:
                self._record(ahead, [NOT_SENT] * len(ahead.rows))
            if arrived is not None:
                self._record(arrived[0], outcomes)
                mark_dirty(self._campaign.pk)
                if self._brake.tripped_by is None and self._campaign.status_reason:
                    self._say("")
            if under_way is not None:
                continue
            if self._brake.tripped_by is not None:
                assert arrived is not None
                self._halt(self._brake.tripped_by, arrived[0].rows, outcomes)
                return False
            if ahead is not None or time.monotonic() >= self._until:
                return self._is_sending()
            if arrived is None:
                return self._end()

    def _prepare(self) -> _Batch | None:
        """Claim and compose the next batch; None when there is none now."""
        self._is_exhausted = self._has_to_wait = False
        while time.monotonic() < self._until and self._brake.tripped_by is None:
            now = timezone.now()
            allowance = pacing.allowance(self._campaign, now=now)
            if allowance == 0:
                self._has_to_wait = True
                return None
            claim = ledger.claim(
                campaign=self._campaign,
                list_ids=self._list_ids,
                limit=min(self._provider.claim_size, allowance or self._provider.claim_size),
                worker=self._journal.name,
                now=now,
                after=self._claimed_up_to,
            )
            if claim.rows:
                self._claimed_up_to = claim.rows[-1].id
                page = self._journal.open_page(claim.rows)
                composed = self._renderer.render(claim.rows, content=self._provider.content, now=timezone.now())
                return _Batch(claim.rows, composed, page)
            if claim.is_empty and not self._claimed_up_to:
                self._is_exhausted = True
                return None
            self._claimed_up_to = 0  # rows that came back stand further up
        return None

    def _wait_for(self, answers: Future[list[Outcome]]) -> list[Outcome]:
        """Wait for a batch under way; a pause or a cancellation meanwhile lets nothing more of it start."""
        while True:
            try:
                return answers.result(timeout=ASK_EVERY_S)
            except TimeoutError:
                if not self._is_sending():
                    self._brake.stop()

    def _may_start(self, *, is_first: bool) -> bool:
        """Whether a batch that was claimed ahead may still leave."""
        return self._brake.may_start() and (is_first or self._is_sending())

    def _hand_over_here(self, batch: _Batch) -> Future[list[Outcome]]:
        done: Future[list[Outcome]] = Future()
        done.set_result(hand_over(self._provider, batch.composed, self._brake, batch.page))
        return done

    def _record(self, batch: _Batch, outcomes: Sequence[Outcome]) -> None:
        now = timezone.now()
        ledger.record(batch.rows, outcomes, reports_delivery=self._provider.reports_delivery, now=now)
        batch.page.clear()

    def _end(self) -> bool:
        if self._is_exhausted:
            reaper.finish(self._campaign, now=timezone.now())
            mark_dirty(self._campaign.pk)
        return False

    def _is_sending(self) -> bool:
        return (
            Campaign.objects.for_workspace(self._campaign.workspace_id)
            .filter(pk=self._campaign.pk, status=Campaign.Status.SENDING)
            .exists()
        )

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
    provider: Provider, composed: Sequence[OutgoingMessage | Outcome], brake: Brake, page: journal.Page
) -> list[Outcome]:
    """Give composed messages to the provider; touches no database of ours, unless the provider is one.

    Returns:
        An outcome for each, in order; what could not be composed keeps its own.
    """
    messages = [message for message in composed if isinstance(message, OutgoingMessage)]
    try:
        answers = iter(provider.send_batch(messages, brake=brake, witness=page) if messages else [])
    except Exception:  # a provider that breaks its promise must cost doubt, never a silent loss or a second mail
        logger.exception("provider_error", provider=provider.name)
        answers = iter([brake.note(Outcome("provider_error")) for _ in messages])
    return [next(answers) if isinstance(message, OutgoingMessage) else message for message in composed]


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
    provider = get_provider(message.provider, workspace_id=message.workspace_id)
    with journal.Journal(claim_size=1, reports_delivery=provider.reports_delivery) as own_journal:
        row = ledger.claim_one(message_id=message_id, worker=own_journal.name)
        if row is None:
            return False
        page = own_journal.open_page([row])
        outcomes = hand_over(
            provider,
            _compose_one(message, row, provider),
            Brake(deadline=time.monotonic() + ledger.HAND_OVER_S),
            page,
        )
        ledger.record([row], outcomes, reports_delivery=provider.reports_delivery, now=timezone.now())
        page.clear()
    if message.campaign_id is not None and not message.is_test:
        mark_dirty(message.campaign_id)
    return True


def _compose_one(message: Message, row: Claimed, provider: Provider) -> list[OutgoingMessage | Outcome]:
    try:
        renderer = (
            TransactionalRenderer(message)
            if message.campaign is None
            else Renderer(message.campaign, is_test=message.is_test)
        )
    except DomainError as error:
        return [Outcome("bad_message", detail=error.detail)]
    return renderer.render([row], content=provider.content, now=timezone.now())


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

"""The ledger against every order of events: a Hypothesis state machine on real PostgreSQL.

The machine plays everybody at once: workers that claim, hand over, lose replies and die; the reaper; a provider whose
events come late; people who pause, cancel, suppress, unsubscribe, settle and send again. It keeps its own record of
what the world has accepted, which the ledger never sees, and holds the ledger to it after each step.

`LEDGER_EXAMPLES=400 LEDGER_STEPS=80` make it longer (`make chaos FULL=1` does).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audiences.models import Subscription
from audiences.services import suppress_email
from campaigns.delivery import ledger, planner, reaper
from campaigns.delivery.providers import Outcome, Verdict
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, DeliveryMinute, Experiment, Message, Settlement
from campaigns.selectors import ledger as reads
from campaigns.services import composing, doubts, messages, sending, waves
from campaigns.tickets import FOR_CANARY, FOR_TEST
from pulsequill.core.errors import WrongState
from tests.campaigns.making import HELLO
from tests.campaigns.sending import make_ready

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "12"))
STEPS = int(os.environ.get("LEDGER_STEPS", "40"))
RECIPIENTS = 6
MOST_WORKERS = 3
#: Share of first readers and of the test, in percent; 0: nobody is held back for it.
WAVES = {"nobody waits": (0, 0), "first readers": (20, 0), "a test": (0, 50), "both": (20, 50)}
PICK = st.integers(0, RECIPIENTS - 1)
WORKER = st.integers(0, MOST_WORKERS - 1)

#: What the world does with a message: does it take it, and what does the worker hear?
WORLD: dict[str, tuple[bool, str]] = {
    "takes it": (True, "accepted"),
    "takes it and drops the reply": (True, "timeout"),
    "drops the request": (False, "timeout"),
    "hangs up after the message": (True, "dropped_after_data"),
    "says later": (False, "smtp_rcpt_4xx"),
    "asks us to slow down": (False, "http_429"),
    "says never": (False, "smtp_rcpt_5xx"),
    "refuses our account": (False, "http_401"),
    "is not asked": (False, "not_sent"),
}


@dataclass
class Hand:
    """What one living worker holds: claimed rows and the outcomes that it has not recorded yet."""

    rows: list[Claimed] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    is_late: bool = False

    @property
    def waiting(self) -> list[Claimed]:
        """Rows that may still be handed over: none once the lease has run out, for the brake forbids it."""
        return [] if self.is_late else [row for row in self.rows if row.id not in self.outcomes]


class LedgerMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.hands: list[Hand] = []
        self.accepted: list[tuple[int, UUID]] = []
        self.accepted_since_resend: Counter[int] = Counter()
        self.resends: Counter[int] = Counter()
        self.marked: set[int] = set()
        self.closed: set[str] = set()
        self.failures = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # --- reading

    @property
    def campaign(self) -> Campaign:
        return Campaign.objects.select_related("workspace", "sender").get(pk=self.campaign_id)

    def rows(self) -> list[Message]:
        return list(
            Message.objects.filter(campaign_id=self.campaign_id).select_related("campaign", "workspace").order_by("id")
        )

    def row(self, pick: int, *statuses: str) -> Message | None:
        found = [row for row in self.rows() if row.status in statuses]
        return found[pick % len(found)] if found else None

    # --- launching

    @initialize(closed_before=st.sets(PICK, max_size=2), plan=st.sampled_from(sorted(WAVES)))
    def launch(self, closed_before: set[int], plan: str) -> None:
        """Some are suppressed before: they get a row and a reason. Some plans hold people back."""
        canary, test = WAVES[plan]
        campaign, contacts = make_ready(RECIPIENTS)
        self.campaign_id, self.contacts = campaign.pk, contacts
        Campaign.objects.filter(pk=campaign.pk).update(canary_share=canary)
        if test:
            halves = [{"label": "A", "share": 50}, {"label": "B", "share": 50, "subject": "Other beans", "body": HELLO}]
            composing.update_campaign(campaign=campaign, actor=None, changes={"variants": halves})
            Experiment.objects.create(workspace=campaign.workspace, campaign=campaign, mode="bandit", test_share=test)
        campaign = self.campaign
        self.list_ids = [row.pk for row in campaign.lists.all()]
        for pick in closed_before:
            self.suppress(pick)
        assert planner.launch(campaign, now=timezone.now()) == RECIPIENTS

    @rule()
    def launch_again(self) -> None:
        """Also with what somebody read before the first launch."""
        stale = self.campaign
        for status in {stale.status, Campaign.Status.DRAFT}:
            stale.status = status
            with pytest.raises(WrongState):
                planner.launch(stale, now=timezone.now())

    # --- workers

    def _take(self, rows: Iterable[Claimed]) -> None:
        hand = Hand()
        self.hands.append(hand)
        for row in rows:
            assert row.email not in self.closed, "claimed although it was suppressed or unsubscribed"
            assert self.accepted_since_resend[row.id] == 0, "claimed although it was accepted"
            hand.rows.append(row)

    @precondition(lambda self: len(self.hands) < MOST_WORKERS)
    @rule(limit=st.integers(1, RECIPIENTS))
    def claim(self, limit: int) -> None:
        """A new worker takes some; every retry is due."""
        campaign = self.campaign
        now = timezone.now() + timedelta(days=1)
        claim = ledger.claim(campaign=campaign, list_ids=self.list_ids, limit=limit, worker="test", now=now)
        if campaign.status != Campaign.Status.SENDING:
            assert claim.is_empty
        if claim.rows:
            self._take(claim.rows)

    @precondition(lambda self: len(self.hands) < MOST_WORKERS)
    @rule(pick=PICK)
    def claim_one(self, pick: int) -> None:
        """What `deliver_message` does for a row that somebody sends again after the end."""
        row = self.row(pick, "queued", "retrying")
        if row is None or self.campaign.status in ("sending", "paused", "cancelled"):
            return
        if claimed := ledger.claim_one(message_id=row.pk, worker="test"):
            self._take([claimed])

    @precondition(lambda self: any(hand.waiting for hand in self.hands))
    @rule(worker=WORKER, answer=st.sampled_from(sorted(WORLD)), count=st.integers(1, RECIPIENTS))
    def hand_over(self, worker: int, answer: str, count: int) -> None:
        is_taken, code = WORLD[answer]
        busy = [hand for hand in self.hands if hand.waiting]
        hand = busy[worker % len(busy)]
        for row in hand.waiting[:count]:
            if is_taken:
                self.accepted.append((row.id, row.attempt_id))
                self.accepted_since_resend[row.id] += 1
            hand.outcomes[row.id] = Outcome(code, provider_message_id=f"id-{row.id}" if code == "accepted" else "")

    @precondition(lambda self: self.hands)
    @rule(worker=WORKER)
    def record(self, worker: int) -> None:
        """What was not handed over is reported as not started."""
        hand = self.hands.pop(worker % len(self.hands))
        before = {row.pk: row for row in self.rows()}
        outcomes = [hand.outcomes.get(row.id, Outcome("not_sent")) for row in hand.rows]
        recorded = ledger.record(hand.rows, outcomes, reports_delivery=True, now=timezone.now())
        ours = [
            (row, outcome)
            for row, outcome in zip(hand.rows, outcomes, strict=True)
            if before[row.id].attempt_id == row.attempt_id and before[row.id].status in ("sending", "in_doubt")
        ]
        assert recorded == len(ours), "only whoever holds the attempt finishes a row"
        self.failures += sum(
            outcome.verdict is Verdict.FAILED
            or (outcome.verdict is Verdict.RETRY and row.attempt_no >= ledger.MAX_ATTEMPTS)
            for row, outcome in ours
        )

    @precondition(lambda self: self.hands)
    @rule(worker=WORKER)
    def crash(self, worker: int) -> None:
        """kill -9: whatever it knew is gone."""
        self.hands.pop(worker % len(self.hands))

    @rule()
    def two_minutes_pass(self) -> None:
        """Leases run out, those of slow workers too, and the reaper comes by."""
        Message.objects.filter(campaign_id=self.campaign_id, status="sending").update(
            lease_until=timezone.now() - timedelta(days=1)  # PostgreSQL's clock stands still in a test's transaction
        )
        for hand in self.hands:
            hand.is_late = True
        reaper.sweep(now=timezone.now())

    @precondition(lambda self: 0 < len(self.hands) < MOST_WORKERS)
    @rule(worker=WORKER)
    def a_slow_worker_answers_after_its_rows_were_sent_again(self, worker: int) -> None:
        """The order of events that only fencing survives, too rare to be left to chance."""
        place = worker % len(self.hands)
        slow = self.hands[place]
        self.two_minutes_pass()
        self.resend_all_that_is_in_doubt()
        again = [ledger.claim_one(message_id=row.id, worker="test") for row in slow.rows]
        self._take([claimed for claimed in again if claimed])
        self.record(place)

    @rule()
    def sweep(self) -> None:
        reaper.sweep(now=timezone.now())

    # --- who was held back

    @rule()
    def let_those_behind_the_first_readers_go(self) -> None:
        campaign = self.campaign
        waiting = sum(row.status == "held" and row.variant_id is not None for row in self.rows())
        may_go = campaign.status in ("sending", "paused") and campaign.canary_released_at is None
        assert waves.release_canary(campaign=campaign) == (waiting if may_go else 0)
        if may_go and campaign.canary_share:
            assert self.campaign.canary_released_at is not None

    @rule(count=st.one_of(st.none(), st.integers(1, RECIPIENTS)), of_a=st.sampled_from([0.0, 0.5, 1.0]))
    def let_a_wave_go(self, count: int | None, of_a: float) -> None:
        campaign = self.campaign
        variants = list(campaign.variants.order_by("label"))
        shares = {variants[-1].pk: 1 - of_a} | {variants[0].pk: of_a if len(variants) > 1 else 1.0}
        waiting = sum(row.status == "held" and row.variant_id is None for row in self.rows())
        expected = min(waiting, count or waiting) if campaign.status in ("sending", "paused") else 0
        assert waves.release_rest(campaign=campaign, shares=shares, count=count) == expected

    # --- the provider tells later

    @precondition(lambda self: self.accepted)
    @rule(pick=st.integers(0, 50))
    def event(self, pick: int) -> None:
        """Of any attempt that it ever accepted, old ones included."""
        message_id, attempt_id = self.accepted[pick % len(self.accepted)]
        before = Message.objects.get(pk=message_id)
        settled = messages.settle_in_doubt(
            workspace_id=self.campaign.workspace_id, reports=[(message_id, attempt_id, "late")]
        )
        assert settled == int(before.status == "in_doubt" and before.attempt_id == attempt_id)

    # --- people

    def _try(self, verb: object, *statuses: str) -> None:
        campaign = self.campaign
        if campaign.status in statuses:
            verb(campaign=campaign, actor=None)  # type: ignore[operator]
        else:
            with pytest.raises(WrongState):
                verb(campaign=campaign, actor=None)  # type: ignore[operator]

    @rule()
    def pause(self) -> None:
        self._try(sending.pause_campaign, "sending")

    @rule()
    def resume(self) -> None:
        self._try(sending.resume_campaign, "paused")

    @precondition(lambda self: len(self.accepted) > RECIPIENTS // 2)
    @rule()
    def cancel(self) -> None:
        self._try(sending.cancel_campaign, "sending", "paused")

    @rule(pick=PICK)
    def suppress(self, pick: int) -> None:
        contact = self.contacts[pick]
        suppress_email(workspace=contact.workspace, email=contact.email, reason="complaint", source="test")
        self.closed.add(contact.email)

    @rule(pick=PICK)
    def unsubscribe(self, pick: int) -> None:
        """`claim_one` asks suppressions only, so whoever leaves the list is suppressed too, as one click does it."""
        contact = self.contacts[pick]
        Subscription.objects.filter(contact=contact).update(status="unsubscribed")
        suppress_email(workspace=contact.workspace, email=contact.email, reason="unsubscribe", source="test")
        self.closed.add(contact.email)

    @rule(pick=PICK)
    def mark_sent(self, pick: int) -> None:
        if row := self.row(pick, "in_doubt"):
            assert messages.mark_sent(message=row, actor=None).status == "sent"
            self.marked.add(row.pk)

    @precondition(lambda self: self.marked)
    @rule()
    def undo_a_marking(self) -> None:
        made = Settlement.objects.filter(message__in=self.marked, verb="marked_sent").order_by("-created_at").first()
        if made.undone_at:
            with pytest.raises(WrongState):
                doubts.undo_marking(settlement=made, actor=None)
        else:
            assert doubts.undo_marking(settlement=made, actor=None).changed == 1
            self.marked.discard(made.message_id)

    @rule(pick=PICK)
    def resend(self, pick: int) -> None:
        if row := self.row(pick, "in_doubt", "failed"):
            self._resend(row)

    @rule()
    def resend_all_that_is_in_doubt(self) -> None:
        """The whole desk at once; workers that were taken for dead may still come back."""
        for row in self.rows():
            if row.status == "in_doubt":
                self._resend(row)

    def _resend(self, row: Message) -> None:
        if row.campaign.status == Campaign.Status.CANCELLED:
            with pytest.raises(WrongState):
                messages.resend(message=row, actor=None)
            return
        messages.resend(message=row, actor=None)
        self.resends[row.pk] += 1
        self.accepted_since_resend[row.pk] = 0

    @rule(pick=PICK)
    def what_was_sent_is_never_sent_again(self, pick: int) -> None:
        if row := self.row(pick, "sent", "held", "queued", "sending", "skipped"):
            with pytest.raises(WrongState):
                messages.resend(message=row, actor=None)

    # --- what must be true after each step

    @invariant()
    def every_attempt_is_accepted_once(self) -> None:
        assert all(count == 1 for count in Counter(self.accepted).values())

    @invariant()
    def nobody_gets_it_twice_unless_a_person_said_so(self) -> None:
        for message_id, count in Counter(message_id for message_id, _attempt in self.accepted).items():
            assert count <= 1 + self.resends[message_id]

    @invariant()
    def everybody_has_a_row_that_fits_the_world(self) -> None:
        if not hasattr(self, "campaign_id"):
            return
        rows = self.rows()
        if not rows:
            return
        assert len(rows) == RECIPIENTS
        counts = reads.count_by_status(self.campaign)[reads.TOTAL]
        assert sum(counts.values()) == RECIPIENTS
        assert counts == {**dict.fromkeys(counts, 0), **Counter(row.status for row in rows)}
        for row in rows:
            if row.status == "held":
                assert row.reason == (FOR_TEST if row.variant_id is None else FOR_CANARY)
            else:
                assert row.variant_id is not None or row.status == "skipped"
            taken = self.accepted_since_resend[row.pk]
            assert taken <= 1
            if row.status in ("skipped", "failed", "in_doubt"):
                assert row.reason, f"{row.status} without a reason"
            if taken:
                assert row.status in ("sending", "sent", "in_doubt"), f"accepted, and yet {row.status}"
            if row.status == "sent":
                assert taken or row.pk in self.marked, "called sent, and nobody took it"
            assert (row.status == "sending") is (row.lease_until is not None)
            assert row.status != "sending" or row.attempt_id is not None
        minutes = DeliveryMinute.objects.filter(campaign_id=self.campaign_id).aggregate(
            sent=Sum("sent"), failed=Sum("failed")
        )
        assert (minutes["sent"] or 0) == counts["sent"]
        assert (minutes["failed"] or 0) == self.failures

    @invariant()
    def a_campaign_is_called_sent_only_when_nothing_of_it_waits(self) -> None:
        if not hasattr(self, "campaign_id") or self.resends:
            return
        if self.campaign.status == Campaign.Status.SENT:
            assert not {row.status for row in self.rows()} & {"held", "queued", "sending", "retrying"}


def test_no_order_of_events_loses_or_repeats_a_message() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )

"""Claim, render, hand over, record: what becomes of a ledger row, whatever provider and audience do meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audiences.models import Subscription, Suppression
from campaigns.delivery import ledger, pacing, pipeline, reaper
from campaigns.delivery.providers import Brake, Outcome, OutgoingMessage
from campaigns.models import Campaign, DeliveryMinute, Message
from campaigns.services import sending
from tests.campaigns.making import make_contact, make_list, make_workspace
from tests.campaigns.sending import captured, make_launched, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


def accept(message: OutgoingMessage) -> Outcome:
    return Outcome("accepted", provider_message_id=f"id-{message.message_id}")


def claim(campaign: Campaign, limit: int = 10) -> ledger.Claim:
    return ledger.claim(
        campaign=campaign,
        list_ids=[row.pk for row in campaign.lists.all()],
        limit=limit,
        worker="test",
        now=timezone.now(),
    )


def test_it_captures_everybody_and_finishes_the_campaign() -> None:
    campaign, contacts = make_launched(7)

    assert pipeline.deliver(campaign_id=campaign.pk) is False

    assert sorted(mail["To"] for mail in captured(campaign)) == sorted(contact.email for contact in contacts)
    assert statuses_of(campaign) == {"sent": 7}
    assert all(row.delivered_at and row.sent_at and row.attempt_no == 1 for row in rows_of(campaign))
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.SENT
    assert campaign.finished_at is not None
    counted = DeliveryMinute.objects.filter(campaign=campaign)
    assert sum(minute.sent for minute in counted) == sum(minute.delivered for minute in counted) == 7


def test_contacts_know_when_they_were_last_mailed_and_who_was_not_is_left_alone(told) -> None:
    told(lambda message: Outcome("bad_message") if message.to == "no@example.org" else Outcome("accepted"))
    workspace = make_workspace()
    mailed, refused, stranger = (make_contact(workspace, f"{name}@example.org") for name in ("yes", "no", "stranger"))
    campaign, _ = make_launched(0, workspace=workspace, lists=[make_list(workspace, mailed, refused)])

    pipeline.deliver(campaign_id=campaign.pk)

    for contact in (mailed, refused, stranger):
        contact.refresh_from_db()
    assert mailed.last_sent_at == Message.objects.get(contact=mailed).sent_at
    assert (refused.last_sent_at, stranger.last_sent_at) == (None, None)


def test_a_provider_that_reports_delivery_leaves_that_to_its_reports(told) -> None:
    told(accept)
    campaign, _ = make_launched(2)

    pipeline.deliver(campaign_id=campaign.pk)

    assert [row.delivered_at for row in rows_of(campaign)] == [None, None]
    assert [row.provider_message_id for row in rows_of(campaign)] == [f"id-{row.pk}" for row in rows_of(campaign)]
    assert DeliveryMinute.objects.get(campaign=campaign).delivered == 0


def test_whoever_is_suppressed_after_the_launch_is_skipped_with_the_reason() -> None:
    campaign, contacts = make_launched(3)
    Suppression.objects.create(
        workspace=campaign.workspace, email_normalized=contacts[1].email_normalized, reason="complaint"
    )

    pipeline.deliver(campaign_id=campaign.pk)

    assert [row.status for row in rows_of(campaign)] == ["sent", "skipped", "sent"]
    assert rows_of(campaign)[1].reason == "suppressed_complaint"
    assert contacts[1].email not in {mail["To"] for mail in captured(campaign)}


def test_whoever_leaves_the_list_after_the_launch_is_skipped() -> None:
    campaign, contacts = make_launched(2)
    Subscription.objects.filter(contact=contacts[0]).update(status="unsubscribed")

    pipeline.deliver(campaign_id=campaign.pk)

    assert [(row.status, row.reason) for row in rows_of(campaign)] == [("skipped", "unsubscribed"), ("sent", "")]


def test_whoever_is_deleted_after_the_launch_is_skipped() -> None:
    campaign, contacts = make_launched(1)
    contacts[0].delete()

    pipeline.deliver(campaign_id=campaign.pk)

    assert [(row.status, row.reason) for row in rows_of(campaign)] == [("skipped", "contact_deleted")]


def test_a_pause_takes_effect_within_one_claim(told) -> None:
    campaign, _ = make_launched(10)

    def pause_at_the_third(message: OutgoingMessage) -> Outcome:
        if len(provider.given) == 3:
            sending.pause_campaign(campaign=Campaign.objects.get(pk=campaign.pk), actor=None)
        return accept(message)

    provider = told(pause_at_the_third, batch=4)
    assert pipeline.deliver(campaign_id=campaign.pk) is False
    assert statuses_of(campaign) == {"sent": 4, "queued": 6}

    provider.answer = accept
    sending.resume_campaign(campaign=Campaign.objects.get(pk=campaign.pk), actor=None)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 10}


def test_two_claims_never_take_the_same_row() -> None:
    campaign, _ = make_launched(5)
    first, second, third = claim(campaign, 3), claim(campaign, 3), claim(campaign, 3)
    assert [len(first.rows), len(second.rows), len(third.rows)] == [3, 2, 0]
    assert not {row.id for row in first.rows} & {row.id for row in second.rows}
    assert third.is_empty


def test_only_the_attempt_that_claimed_a_row_may_finish_it() -> None:
    campaign, _ = make_launched(1)
    stale = claim(campaign).rows
    Message.objects.filter(campaign=campaign).update(status="queued", attempt_id=None)
    fresh = claim(campaign).rows
    now = timezone.now()

    assert ledger.record(stale, [Outcome("http_400")], reports_delivery=True, now=now) == 0
    assert rows_of(campaign)[0].status == "sending"
    assert ledger.record(fresh, [Outcome("accepted")], reports_delivery=True, now=now) == 1
    assert ledger.record(fresh, [Outcome("http_400")], reports_delivery=True, now=now) == 0
    assert rows_of(campaign)[0].status == "sent"


def test_the_reaper_puts_expired_leases_in_doubt_and_leaves_living_ones() -> None:
    campaign, _ = make_launched(4)
    rows = claim(campaign, 2).rows
    Message.objects.filter(pk=rows[0].id).update(lease_until=timezone.now() - timedelta(seconds=1))

    assert reaper.reap_leases() == 1

    assert statuses_of(campaign) == {"in_doubt": 1, "sending": 1, "queued": 2}
    assert rows_of(campaign)[0].last_error_code == "lease_expired"


def test_a_worker_that_comes_back_late_settles_the_doubt_itself() -> None:
    campaign, _ = make_launched(1)
    rows = claim(campaign).rows
    Message.objects.filter(campaign=campaign).update(lease_until=timezone.now() - timedelta(seconds=1))
    reaper.reap_leases()

    ledger.record(rows, [Outcome("accepted")], reports_delivery=True, now=timezone.now())

    assert statuses_of(campaign) == {"sent": 1}


def test_rows_in_doubt_are_never_claimed_again() -> None:
    campaign, _ = make_launched(1)
    claim(campaign)
    Message.objects.filter(campaign=campaign).update(lease_until=timezone.now() - timedelta(seconds=1))
    sending.sweep(timezone.now())

    assert claim(campaign).is_empty
    assert statuses_of(campaign) == {"in_doubt": 1}
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.SENT


def test_a_temporary_refusal_is_tried_again_later_and_then_given_up(told) -> None:
    provider = told(lambda _message: Outcome("smtp_rcpt_4xx", detail="450 busy"))
    campaign, _ = make_launched(1)
    waits = []
    for _ in range(ledger.MAX_ATTEMPTS):
        pipeline.deliver(campaign_id=campaign.pk)
        row = rows_of(campaign)[0]
        if row.due_at:
            waits.append((row.due_at - timezone.now()).total_seconds())
            assert claim(campaign).is_empty, "not before its time"
            Message.objects.filter(pk=row.pk).update(due_at=timezone.now())

    row = rows_of(campaign)[0]
    assert (row.status, row.attempt_no) == ("failed", ledger.MAX_ATTEMPTS)
    assert "450 busy" in row.reason
    assert len(provider.given) == ledger.MAX_ATTEMPTS
    assert waits == sorted(waits)
    assert waits[1] > waits[0] * 1.4
    assert DeliveryMinute.objects.get(campaign=campaign).failed == 1


def test_the_provider_may_ask_for_a_longer_wait() -> None:
    assert ledger.retry_delay_s(1, 600) == 600
    assert 27 <= ledger.retry_delay_s(1, None) <= 36
    assert ledger.retry_delay_s(30, None) <= ledger.LONGEST_RETRY_S * 1.2


def test_every_attempt_carries_the_same_message_id(told) -> None:
    provider = told(lambda _message: Outcome("smtp_rcpt_4xx"))
    campaign, _ = make_launched(1)
    for _ in range(2):
        pipeline.deliver(campaign_id=campaign.pk)
        Message.objects.filter(campaign=campaign).update(due_at=timezone.now())
    ids = {line for message in provider.given for line in message.mime.split(b"\r\n") if line.startswith(b"Message-ID")}
    assert len(provider.given) == 2
    assert len({message.attempt_id for message in provider.given}) == 2
    assert ids == {b"Message-ID: <%d@northwind.io>" % rows_of(campaign)[0].pk}


def test_a_refused_account_pauses_the_campaign_and_resuming_tries_those_rows_again(told) -> None:
    provider = told(lambda _message: Outcome("http_401"), batch=3)
    campaign, _ = make_launched(6)

    pipeline.deliver(campaign_id=campaign.pk)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.PAUSED
    assert "API key" in campaign.status_reason
    assert len(provider.given) == 1
    assert statuses_of(campaign) == {"failed": 1, "queued": 5}

    provider.answer = accept
    sending.resume_campaign(campaign=campaign, actor=None)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 6}


def test_five_doubts_in_a_row_pause_the_campaign_before_more_are_in_doubt(told) -> None:
    told(lambda _message: Outcome("http_5xx"))
    campaign, _ = make_launched(40)

    pipeline.deliver(campaign_id=campaign.pk)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.PAUSED
    assert "in doubt" in campaign.status_reason
    assert statuses_of(campaign) == {"in_doubt": 5, "queued": 35}


def test_doubts_between_successes_do_not_pause(told) -> None:
    provider = told(accept)
    provider.answer = lambda message: Outcome("http_5xx") if len(provider.given) % 3 == 0 else accept(message)
    campaign, _ = make_launched(12)

    pipeline.deliver(campaign_id=campaign.pk)

    assert statuses_of(campaign) == {"sent": 8, "in_doubt": 4}


def test_an_outage_costs_one_attempt_a_slice_says_so_and_pauses_when_it_lasts(told) -> None:
    provider = told(lambda _message: Outcome("connection_refused"))
    campaign, _ = make_launched(20)

    pipeline.deliver(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    assert statuses_of(campaign) == {"retrying": 1, "queued": 19}
    assert campaign.status == Campaign.Status.SENDING
    assert campaign.status_reason.startswith("Waiting")

    for _ in range(pipeline.DOWN_ATTEMPTS - 1):
        Message.objects.filter(campaign=campaign).update(due_at=timezone.now())
        pipeline.deliver(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.PAUSED
    assert statuses_of(campaign) == {"retrying": 1, "queued": 19}

    provider.answer = accept
    sending.resume_campaign(campaign=campaign, actor=None)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 20}
    assert Campaign.objects.get(pk=campaign.pk).status_reason == ""


def test_a_provider_that_breaks_leaves_doubt_and_never_a_second_mail(told) -> None:
    def explode(_message: OutgoingMessage) -> Outcome:
        raise RuntimeError("a bug")

    told(explode)
    campaign, _ = make_launched(3)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"in_doubt": 3}
    assert {row.last_error_code for row in rows_of(campaign)} == {"provider_error"}


def test_an_hourly_limit_is_spread_over_the_minutes(time_machine: Any) -> None:
    campaign, _ = make_launched(30, throttle_per_hour=120)
    now = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    time_machine.move_to(now, tick=False)  # no minute ends between two statements
    assert pacing.allowance(campaign, now=now) == 2

    pipeline.deliver(campaign_id=campaign.pk)

    assert statuses_of(campaign) == {"sent": 2, "queued": 28}
    sent_at = DeliveryMinute.objects.get(campaign=campaign).minute
    assert pacing.allowance(campaign, now=sent_at) == 0
    assert pacing.allowance(campaign, now=sent_at + timedelta(minutes=1)) == 2
    DeliveryMinute.objects.filter(campaign=campaign).update(sent=119)
    assert pacing.allowance(campaign, now=sent_at + timedelta(minutes=5)) == 1
    assert pacing.allowance(campaign, now=sent_at + timedelta(minutes=61)) == 2


def test_no_limit_means_no_limit() -> None:
    campaign, _ = make_launched(1)
    assert pacing.allowance(campaign, now=timezone.now()) is None


def test_a_slice_that_runs_out_of_time_gives_back_what_it_did_not_start(told, monkeypatch) -> None:
    provider = told(accept)
    campaign, _ = make_launched(3)
    monkeypatch.setattr(Brake, "may_start", lambda _brake: False)

    assert pipeline.deliver(campaign_id=campaign.pk) is True

    assert provider.given == []
    assert statuses_of(campaign) == {"queued": 3}
    assert {row.attempt_no for row in rows_of(campaign)} == {0}


def test_a_provider_that_is_not_set_up_pauses_with_a_plain_reason(settings) -> None:
    campaign, _ = make_launched(1)
    Campaign.objects.filter(pk=campaign.pk).update(provider="sendgrid")
    settings.SENDGRID_API_KEY = ""

    pipeline.deliver(campaign_id=campaign.pk)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.PAUSED
    assert "SENDGRID_API_KEY" in campaign.status_reason


def test_another_workspace_keeps_its_suppressions_to_itself() -> None:
    campaign, contacts = make_launched(1)
    Suppression.objects.create(
        workspace=make_workspace(), email_normalized=contacts[0].email_normalized, reason="complaint"
    )
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 1}

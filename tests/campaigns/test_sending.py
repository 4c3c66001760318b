"""The verbs of sending: launch, schedule, pause, resume, cancel, test; each checked, audited and done once."""

from __future__ import annotations

import random
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Activity
from audiences.models import Contact, Suppression
from campaigns import tasks
from campaigns.delivery import pipeline, planner, readers, reaper
from campaigns.delivery.providers import Outcome
from campaigns.models import Campaign, CapturedMessage, DeliveryMinute, Link, Message, SendingDomain, Variant
from campaigns.selectors import ledger as selectors
from campaigns.services import messages, sending
from pulsequill.core.errors import Blocked, Invalid, WrongState
from tests.campaigns.making import HELLO, make_contact, make_list, make_member, make_workspace
from tests.campaigns.sending import captured, make_launched, make_ready, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


def make_checked(size: int = 2, **changes: Any) -> tuple[Campaign, list[Contact]]:
    """A draft that preflight lets through."""
    campaign, contacts = make_ready(size, **changes)
    domain = campaign.sender.from_email.partition("@")[2]
    SendingDomain.objects.get_or_create(
        workspace=campaign.workspace, name=domain, defaults={"verified_at": timezone.now()}
    )
    return Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk), contacts


def kinds(campaign: Campaign) -> list[str]:
    found = Activity.objects.filter(workspace=campaign.workspace, object_id=str(campaign.pk)).order_by(
        "created_at", "id"
    )
    return [
        kind for kind in found.values_list("kind", flat=True) if kind not in ("campaign.created", "campaign.updated")
    ]


def test_a_launch_freezes_the_content_plans_everybody_and_wakes_the_workers(
    django_capture_on_commit_callbacks, monkeypatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(tasks.deliver_slice, "delay", lambda campaign_id: woken.append(campaign_id))
    campaign, contacts = make_checked(3)
    gone = make_contact(campaign.workspace)
    chosen = campaign.lists.first()
    chosen.subscriptions.create(workspace=campaign.workspace, contact=gone)
    Suppression.objects.create(
        workspace=campaign.workspace, email_normalized=gone.email_normalized, reason="hard_bounce"
    )

    with django_capture_on_commit_callbacks(execute=True):
        sending.launch_campaign(campaign=campaign, actor=make_member(campaign.workspace))

    assert woken == [str(campaign.pk)]
    assert campaign.status == Campaign.Status.SENDING
    assert campaign.recipients == 4
    assert {row.email: (row.status, row.reason) for row in rows_of(campaign)} == {
        **{contact.email: ("queued", "") for contact in contacts},
        gone.email: ("skipped", "suppressed_hard_bounce"),
    }
    variant = Variant.objects.get(campaign=campaign)
    assert len(variant.content_hash) == 64
    assert "{{{pq_link_0}}}" in variant.compiled_html
    *shown, hidden = Link.objects.filter(variant=variant).order_by("position")
    assert [link.is_honeypot for link in shown] == [False] * len(shown)
    assert (hidden.is_honeypot, hidden.url) == (True, shown[0].url)
    assert kinds(campaign) == ["campaign.launched"]


def test_what_preflight_blocks_is_not_launched() -> None:
    campaign, _ = make_checked(1)
    Variant.objects.filter(campaign=campaign).update(subject="")
    with pytest.raises(Blocked) as refused:
        sending.launch_campaign(campaign=Campaign.objects.get(pk=campaign.pk), actor=None)
    assert refused.value.status == 422
    assert "subject_missing" in {finding["code"] for finding in refused.value.extra["findings"]}
    assert rows_of(campaign) == []
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.DRAFT


@pytest.mark.parametrize("status", ["sending", "paused", "sent", "cancelled", "failed"])
def test_only_drafts_and_scheduled_campaigns_are_launched(status: str) -> None:
    campaign, _ = make_checked(1)
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    with pytest.raises(WrongState):
        sending.launch_campaign(campaign=Campaign.objects.get(pk=campaign.pk), actor=None)
    assert rows_of(campaign) == []


def test_variants_share_the_recipients_by_their_shares_and_a_repeat_gives_the_same_split() -> None:
    body = {"preview_text": "x", "body": HELLO}
    variants = [
        {"label": "A", "subject": "A", "share": 70, **body},
        {"label": "B", "subject": "B", "share": 30, **body},
    ]
    campaign, _ = make_launched(300, variants=variants)
    by_label = {label: Message.objects.filter(campaign=campaign, variant__label=label).count() for label in ("A", "B")}
    assert sum(by_label.values()) == 300
    assert 170 < by_label["A"] < 250

    before = dict(Message.objects.filter(campaign=campaign).values_list("email", "variant__label"))
    Message.objects.filter(campaign=campaign).delete()
    Link.objects.all().delete()
    Campaign.objects.filter(pk=campaign.pk).update(status="draft")
    planner.launch(Campaign.objects.get(pk=campaign.pk), now=timezone.now())
    assert dict(Message.objects.filter(campaign=campaign).values_list("email", "variant__label")) == before


def test_a_scheduled_campaign_leaves_at_its_time_and_not_before() -> None:
    campaign, _ = make_checked(2)
    at = timezone.now() + timedelta(hours=2)
    sending.schedule_campaign(campaign=campaign, send_at=at, actor=None)

    assert sending.launch_due_campaigns(at - timedelta(seconds=1)) == []
    assert sending.launch_due_campaigns(at) == [campaign.pk]
    assert sending.launch_due_campaigns(at) == []
    assert statuses_of(campaign) == {"queued": 2}
    assert kinds(campaign) == ["campaign.scheduled", "campaign.launched"]


def test_a_schedule_that_was_missed_asks_instead_of_firing() -> None:
    campaign, _ = make_checked(1)
    at = timezone.now() + timedelta(minutes=5)
    sending.schedule_campaign(campaign=campaign, send_at=at, actor=None)

    assert sending.launch_due_campaigns(at + timedelta(hours=1, seconds=1)) == []

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert campaign.status_reason.startswith("Missed its time")
    assert rows_of(campaign) == []
    assert kinds(campaign)[-1] == "campaign.missed"
    sending.launch_campaign(campaign=campaign, actor=None)
    assert Campaign.objects.get(pk=campaign.pk).status_reason == ""


def test_a_schedule_whose_campaign_became_unfit_is_given_back_with_the_reason() -> None:
    campaign, _ = make_checked(1)
    at = timezone.now() + timedelta(minutes=5)
    sending.schedule_campaign(campaign=campaign, send_at=at, actor=None)
    type(campaign.workspace).objects.filter(pk=campaign.workspace_id).update(postal_address="")

    assert sending.launch_due_campaigns(at) == []

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    assert "address" in campaign.status_reason
    assert kinds(campaign)[-1] == "campaign.blocked"


def test_a_schedule_is_moved_and_taken_back() -> None:
    campaign, _ = make_checked(1)
    at = timezone.now() + timedelta(hours=1)
    sending.schedule_campaign(campaign=campaign, send_at=at, actor=None)
    sending.schedule_campaign(campaign=campaign, send_at=at + timedelta(hours=1), actor=None)
    assert sending.launch_due_campaigns(at) == []
    sending.unschedule_campaign(campaign=campaign, actor=None)
    assert sending.launch_due_campaigns(at + timedelta(hours=1)) == []
    campaign.refresh_from_db()
    assert (campaign.status, campaign.send_at) == ("draft", None)
    with pytest.raises(WrongState):
        sending.unschedule_campaign(campaign=campaign, actor=None)


def test_the_past_is_no_time_to_send() -> None:
    campaign, _ = make_checked(1)
    with pytest.raises(Invalid) as refused:
        sending.schedule_campaign(campaign=campaign, send_at=timezone.now(), actor=None)
    assert refused.value.errors[0].field == "send_at"


def test_cancelling_gives_everybody_who_was_not_mailed_a_reason(told) -> None:
    campaign, _ = make_launched(4)
    told(lambda message: Outcome("accepted"), batch=2)
    pipeline.deliver(campaign_id=campaign.pk, slice_s=0)
    campaign.refresh_from_db()
    sending.cancel_campaign(campaign=campaign, actor=None)
    assert statuses_of(campaign) == {"skipped": 4}
    assert {row.reason for row in rows_of(campaign)} == {"cancelled"}
    assert pipeline.deliver(campaign_id=campaign.pk) is False
    with pytest.raises(WrongState):
        sending.resume_campaign(campaign=campaign, actor=None)


def test_a_row_that_comes_back_to_a_cancelled_campaign_is_skipped_by_the_sweep() -> None:
    campaign, _ = make_launched(1)
    campaign.refresh_from_db()
    sending.cancel_campaign(campaign=campaign, actor=None)
    Message.objects.filter(campaign=campaign).update(status="queued", reason="")
    sending.sweep(timezone.now())
    assert [(row.status, row.reason) for row in rows_of(campaign)] == [("skipped", "cancelled")]


@pytest.mark.parametrize("verb", [sending.pause_campaign, sending.resume_campaign, sending.cancel_campaign])
def test_a_draft_can_neither_be_paused_nor_resumed_nor_cancelled(verb) -> None:
    campaign, _ = make_checked(1)
    with pytest.raises(WrongState):
        verb(campaign=campaign, actor=None)


def test_a_test_send_shows_the_content_as_it_stands_and_is_never_counted() -> None:
    campaign, contacts = make_checked(2)
    variant = Variant.objects.get(campaign=campaign)
    sent = sending.send_test(
        campaign=campaign,
        variant=variant,
        to=["maya@northwind.io", "MAYA@northwind.io"],
        contact=contacts[0],
        actor=None,
    )
    assert [message.is_test for message in sent] == [True]
    assert pipeline.deliver_one(message_id=sent[0].pk) is True
    assert pipeline.deliver_one(message_id=sent[0].pk) is False, "once"

    (mail,) = captured(campaign)
    assert mail["To"] == "MAYA@northwind.io"
    html = mail.get_body(("html",)).get_content()
    assert "Hi Reader 0" in html
    assert "https://shop.example.io/beans" in html
    assert "/t/c/" not in html
    assert "/t/o/" not in html
    assert "/u/test" in html
    assert DeliveryMinute.objects.count() == 0
    assert selectors.count_by_status(campaign)[selectors.TOTAL]["sent"] == 0
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.DRAFT


@pytest.mark.parametrize("to", [[], ["not an address"], [f"r{n}@northwind.io" for n in range(11)]])
def test_a_test_send_needs_a_few_real_addresses(to: list[str]) -> None:
    campaign, _ = make_checked(1)
    with pytest.raises(Invalid):
        sending.send_test(
            campaign=campaign, variant=Variant.objects.get(campaign=campaign), to=to, contact=None, actor=None
        )


def in_doubt(told) -> tuple[Campaign, Message]:
    told(lambda _message: Outcome("timeout"))
    campaign, _ = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)
    reaper.finish_all(now=timezone.now())
    return campaign, Message.objects.select_related("campaign", "workspace").get(campaign=campaign)


def test_a_person_marks_what_is_in_doubt_as_sent(told) -> None:
    campaign, message = in_doubt(told)
    person = make_member(campaign.workspace)
    messages.mark_sent(message=message, actor=person)
    assert statuses_of(campaign) == {"sent": 1}
    assert DeliveryMinute.objects.get(campaign=campaign).sent == 1
    audit = Activity.objects.get(kind="message.marked_sent")
    assert (audit.actor, audit.object_id) == (person, str(message.pk))
    with pytest.raises(WrongState):
        messages.mark_sent(message=message, actor=person)


def test_a_person_sends_what_is_in_doubt_again_with_the_same_message_id(told) -> None:
    campaign, message = in_doubt(told)
    provider = told(lambda _message: Outcome("accepted"))
    messages.resend(message=message, actor=make_member(campaign.workspace))
    assert statuses_of(campaign) == {"queued": 1}
    assert reaper.due_singles(now=timezone.now()) == [message.pk]
    pipeline.deliver_one(message_id=message.pk)
    assert statuses_of(campaign) == {"sent": 1}
    assert f"Message-ID: <{message.pk}@northwind.io>".encode() in provider.given[0].mime
    assert Activity.objects.filter(kind="message.resent").count() == 1


def test_nothing_that_was_sent_is_sent_again(told) -> None:
    campaign, _ = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)
    with pytest.raises(WrongState):
        messages.resend(message=rows_of(campaign)[0], actor=None)


def test_an_event_of_the_provider_settles_a_doubt_for_its_own_workspace_and_attempt_only(told) -> None:
    campaign, message = in_doubt(told)
    other = make_workspace()
    report = [(message.pk, message.attempt_id, "sg-1")]
    assert messages.settle_in_doubt(workspace_id=other.pk, reports=report) == 0
    assert messages.settle_in_doubt(workspace_id=campaign.workspace_id, reports=[(message.pk, other.pk, "sg-1")]) == 0
    assert messages.settle_in_doubt(workspace_id=campaign.workspace_id, reports=report) == 1
    assert messages.settle_in_doubt(workspace_id=campaign.workspace_id, reports=report) == 0
    row = rows_of(campaign)[0]
    assert (row.status, row.provider_message_id) == ("sent", "sg-1")


def test_one_click_in_a_mail_of_a_running_campaign_stops_the_mails_that_follow(client: Client, told) -> None:
    workspace = make_workspace()
    reader = make_contact(workspace, first_name="Ana")
    chosen = make_list(workspace, reader)
    first, _ = make_launched(0, workspace=workspace, lists=[chosen])
    second, _ = make_launched(0, workspace=workspace, lists=[chosen])
    pipeline.deliver(campaign_id=first.pk)
    (mail,) = captured(first)
    address = mail["List-Unsubscribe"].partition(">")[0].lstrip("<")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    path = address.partition("://")[2].partition("/")[2]
    for _ in range(2):
        client.get(f"/{path}")
        client.head(f"/{path}")
    assert Suppression.objects.count() == 0
    answer = client.post(f"/{path}", {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200

    pipeline.deliver(campaign_id=second.pk)
    assert captured(second) == []
    (row,) = rows_of(second)
    assert row.status == "skipped"
    assert row.reason in ("unsubscribed", "suppressed_unsubscribe")


def test_captured_bytes_carry_personal_links_for_each_reader() -> None:
    campaign, _ = make_launched(2)
    pipeline.deliver(campaign_id=campaign.pk)
    raws = [bytes(row.raw) for row in CapturedMessage.objects.order_by("id")]
    links = [message_from_bytes(raw)["List-Unsubscribe"] for raw in raws]
    assert len(set(links)) == 2


def test_simulated_readers_plan_a_believable_share_of_visits() -> None:
    mail = readers._Mail(
        pixel="http://x/t/o/1", links=["http://x/t/c/1", "http://x/t/c/2"], hidden=[], one_click="http://x/u/1"
    )
    visits = readers.plan_visits([mail] * 1000, spread_s=40, chance=random.Random(7))
    people = [visit for visit in visits if visit.agent in readers.PEOPLE]
    opens = sum(visit.kind == "opened" for visit in people)
    clicks = sum(visit.kind == "clicked" for visit in people)
    leaves = sum(visit.kind == "unsubscribed" for visit in people)
    assert 350 < opens < 500
    assert 60 < clicks < opens / 2
    assert 0 < leaves < 20
    assert any(visit.agent == readers.APPLE_PROXY for visit in visits)
    assert any(visit.agent == readers.SCANNER for visit in visits)
    assert [visit.at for visit in visits] == sorted(visit.at for visit in visits)
    assert visits[-1].at <= 60

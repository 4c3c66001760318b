"""`/v1/transactional`: one template, one address, over the same ledger as campaigns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Workspace
from analytics.ingest.store import store
from audiences.models import Suppression
from campaigns import tasks
from campaigns.delivery import ledger, pipeline, reaper
from campaigns.delivery.captured import body_of as body_of_mail
from campaigns.delivery.providers import Outcome
from campaigns.delivery.providers.sendgrid.send import body_of
from campaigns.models import CapturedMessage, EmailTemplate, Message, SendingDomain
from campaigns.services import messages, templates
from pulsequill.core.event_log import encode
from tests.campaigns.making import make_contact, make_member, make_sender, make_workspace
from tests.campaigns.sending import captured, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db

RECEIPT = [
    {"type": "heading", "text": "Thank you, {{name}}", "level": 1},
    {"type": "text", "html": '<p>Order {{number}}: <a href="https://shop.example.io/o/1">see it</a>.</p>'},
]
DATA = {"name": "Lena <b>", "number": "NW-1042"}


class Shop:
    """A workspace with a template and somebody who may send."""

    def __init__(self, role: str = "owner", **template: Any) -> None:
        self.workspace: Workspace = make_workspace()
        self.sender = make_sender(self.workspace)
        self.template: EmailTemplate = templates.create_template(
            workspace=self.workspace,
            actor=None,
            **{"name": "Order received", "subject": "Order {{number}}", "body": RECEIPT, **template},
        )
        self.client = Client()
        self.client.force_login(make_member(self.workspace, role))

    def post(self, to: str = "lena@example.org", data: Any = DATA, **more: Any) -> Any:
        headers = more.pop("headers", {})
        body = {"template": self.template.name, "to": to, "data": data, **more}
        return self.client.post("/v1/transactional", body, content_type="application/json", headers=headers)

    def sent(self, **more: Any) -> Message:
        answer = self.post(**more)
        assert answer.status_code == 202, answer.content
        return Message.objects.latest("id")

    def suppress(self, reason: str, address: str = "lena@example.org") -> None:
        Suppression.objects.create(workspace=self.workspace, email_normalized=address, reason=reason)


def test_it_answers_202_with_the_message_and_a_worker_delivers_it() -> None:
    shop = Shop()
    answer = shop.post()
    assert answer.status_code == 202
    told_first = answer.json()
    assert (told_first["status"], told_first["campaign"], told_first["email"]) == ("queued", None, "lena@example.org")
    assert told_first["template"] == str(shop.template.pk)
    assert answer["Location"] == f"/v1/messages/{told_first['id']}"

    message = Message.objects.get()
    tasks.deliver_message(message_id=message.pk)
    assert shop.client.get(answer["Location"]).json()["status"] == "sent"
    [mail] = captured()
    assert mail["Subject"] == "Order NW-1042"
    assert mail["To"] == "lena@example.org"
    assert shop.sender.from_email in mail["From"]
    html = body_of_mail(mail, "html")
    assert "Thank you, Lena &lt;b&gt;" in html
    assert "Lena <b>" in body_of_mail(mail, "plain")


def test_it_carries_no_marketing_headers_no_footer_and_no_tracking() -> None:
    shop = Shop()
    pipeline.deliver_one(message_id=shop.sent().pk)
    [mail] = captured()
    assert not [name for name in mail if name.lower().startswith("list-")]
    assert mail["Auto-Submitted"] == "auto-generated"
    raw = body_of_mail(mail, "html") + body_of_mail(mail, "plain")
    assert "https://shop.example.io/o/1" in raw
    for trace in ("/t/o/", "/t/c/", "/u/", "nsubscribe", "{{", shop.workspace.postal_address):
        assert trace not in raw


def test_it_goes_out_in_parts_for_providers_that_build_the_mime_themselves(told: Any) -> None:
    provider = told(lambda _message: Outcome("accepted", provider_message_id="sg-1"))
    provider.content = "parts"
    pipeline.deliver_one(message_id=Shop().sent().pk)
    [given] = provider.given
    body = body_of(given)
    assert body["subject"] == "Order NW-1042"
    assert body["headers"].keys() == {"Message-ID", "Auto-Submitted"}
    assert body["custom_args"]["pq_message"] == str(given.message_id)


def test_the_values_of_a_contact_are_known_and_data_wins_over_them() -> None:
    shop = Shop(subject="{{first_name}} {{last_name}}, {{number}}")
    make_contact(shop.workspace, "lena@example.org", first_name="Lena", last_name="Ode")
    message = shop.sent(to="Lena@Example.org", data={**DATA, "last_name": "Voss"})
    assert message.contact is not None
    pipeline.deliver_one(message_id=message.pk)
    assert captured()[0]["Subject"] == "Lena Voss, NW-1042"


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "manual"])
def test_a_hard_suppression_skips_it_at_once_and_at_the_claim(reason: str) -> None:
    shop = Shop()
    early = shop.sent()
    shop.suppress(reason)
    late = shop.post().json()
    assert (late["status"], late["reason"]) == ("skipped", f"suppressed_{reason}")

    assert not pipeline.deliver_one(message_id=early.pk)
    early.refresh_from_db()
    assert (early.status, early.reason, early.attempt_no) == ("skipped", f"suppressed_{reason}", 0)
    assert not CapturedMessage.objects.exists()


def test_who_unsubscribed_from_marketing_still_gets_a_receipt() -> None:
    shop = Shop()
    shop.suppress("unsubscribe")
    message = shop.sent()
    assert pipeline.deliver_one(message_id=message.pk)
    message.refresh_from_db()
    assert message.status == "sent"


def test_the_same_key_sends_once() -> None:
    shop = Shop()
    first, second = (shop.post(headers={"Idempotency-Key": "order-1042"}) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert Message.objects.count() == 1
    assert shop.post(to="max@example.org", headers={"Idempotency-Key": "order-1042"}).status_code == 422


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"data": {"name": "Lena"}}, "data.number", "unknown_tag"),
        ({"data": {**DATA, "number": "1\r\nBcc: all@example.org"}}, "data.number", "header_injection"),
        ({"data": {**DATA, "unsubscribe_url": "https://x.io"}}, "data.unsubscribe_url", "reserved"),
        ({"data": {**DATA, "pq_open_pixel": "x"}}, "data.pq_open_pixel", "reserved"),
        ({"data": {**DATA, "number": 7}}, "data.number", "invalid"),
        ({"data": {**DATA, "number": ["a"]}}, "data.number", "invalid"),
        ({"data": ["a"]}, "data", "not_a_dict"),
        ({"data": {**DATA, "number": "x" * 5001}}, "data.number", "max_length"),
        ({"data": {**DATA, **{f"k{number}": "" for number in range(100)}}}, "data", "too_many"),
        ({"to": "nobody"}, "to", None),
        ({"to": "a@example.org\r\nBcc: b@example.org"}, "to", None),
        ({"template": "Another"}, "template", "does_not_exist"),
        ({"template": str(uuid4())}, "template", "does_not_exist"),
        ({"sender": str(uuid4())}, "sender", "does_not_exist"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_leaves_no_row(change: Any, field: str, code: str | None) -> None:
    answer = Shop().post(**change)
    assert answer.status_code == 400, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert code is None or code in {error["code"] for error in answer.json()["errors"]}
    assert not Message.objects.exists()


def test_another_workspaces_template_and_sender_do_not_exist() -> None:
    shop, other = Shop(), Shop(name="Theirs")
    for change in ({"template": str(other.template.pk)}, {"template": "Theirs"}, {"sender": str(other.sender.pk)}):
        assert shop.post(**change).status_code == 400
    assert shop.post(template=str(shop.template.pk), sender=str(shop.sender.pk)).status_code == 202


def test_a_link_that_only_contacts_have_is_refused_for_a_stranger() -> None:
    shop = Shop(body=[*RECEIPT, {"type": "text", "html": '<p><a href="{{unsubscribe_url}}">Out</a></p>'}])
    assert shop.post().json()["errors"][0]["field"] == "data.unsubscribe_url"
    make_contact(shop.workspace, "lena@example.org")
    pipeline.deliver_one(message_id=shop.sent().pk)
    assert "/u/" in body_of_mail(captured()[0], "html")


def test_an_unverified_domain_is_blocked_where_that_is_asked_for(settings: Any) -> None:
    settings.REQUIRE_VERIFIED_DOMAIN = True
    shop = Shop()
    answer = shop.post()
    assert (answer.status_code, answer.json()["code"]) == (422, "domain_unverified")
    SendingDomain.objects.create(workspace=shop.workspace, name="northwind.io", verified_at=timezone.now())
    assert shop.post().status_code == 202


def test_without_a_sender_it_says_so() -> None:
    shop = Shop()
    shop.sender.delete()
    assert shop.post().json()["code"] == "no_sender"


def test_an_uncertain_answer_is_in_doubt_and_a_person_settles_it(told: Any) -> None:
    shop = Shop()
    message = shop.sent()
    told(lambda _message: Outcome("reset"))
    pipeline.deliver_one(message_id=message.pk)
    message.refresh_from_db()
    assert message.status == "in_doubt"
    assert message.pk not in reaper.due_singles(now=timezone.now()), "a doubt is never sent again by us"

    listed = shop.client.get("/v1/transactional?status=in_doubt").json()["results"]
    assert [row["id"] for row in listed] == [str(message.public_id)]
    answer = shop.client.post(f"/v1/messages/{message.public_id}/mark-sent")
    assert (answer.status_code, answer.json()["status"]) == (202, "sent")


def test_only_the_attempt_that_claimed_it_may_finish_it() -> None:
    message = Shop().sent()
    late = ledger.claim_one(message_id=message.pk, worker="dead")
    assert late is not None
    Message.objects.filter(pk=message.pk).update(status="in_doubt")
    messages.resend(message=Message.objects.select_related("workspace").get(pk=message.pk), actor=None)
    assert ledger.record([late], [Outcome("accepted")], reports_delivery=False, now=timezone.now()) == 0
    assert pipeline.deliver_one(message_id=message.pk)
    assert not pipeline.deliver_one(message_id=message.pk), "it left already"
    assert len(captured()) == 1


def test_the_sweep_finds_what_a_lost_task_left_behind_and_what_is_due_again(told: Any) -> None:
    message = Shop().sent()
    now = timezone.now()
    assert reaper.sweep(now=now).singles == [message.pk]
    told(lambda _message: Outcome("connection_failed"))
    pipeline.deliver_one(message_id=message.pk)
    message.refresh_from_db()
    assert message.status == "retrying"
    assert reaper.sweep(now=timezone.now()).singles == []
    assert reaper.sweep(now=timezone.now() + timedelta(hours=2)).singles == [message.pk]


def test_a_template_that_is_gone_by_then_fails_with_the_reason() -> None:
    shop = Shop()
    message = shop.sent()
    shop.template.delete()
    pipeline.deliver_one(message_id=message.pk)
    message.refresh_from_db()
    assert message.status == "failed"
    assert "template" in message.reason


def test_it_is_in_the_outbox() -> None:
    shop = Shop()
    pipeline.deliver_one(message_id=shop.sent().pk)
    rows = shop.client.get("/outbox.json").json()["results"]
    assert [row["subject"] for row in rows] == ["Order NW-1042"]
    assert "Order NW-1042" in shop.client.get("/outbox").content.decode()
    assert shop.client.get(f"/outbox/{CapturedMessage.objects.get().pk}").status_code == 200


@pytest.mark.parametrize(("role", "status"), [("editor", 202), ("approver", 202), ("analyst", 403)])
def test_sending_takes_the_right_to_send(role: str, status: int) -> None:
    assert Shop(role).post().status_code == status


def test_a_bounce_that_comes_back_is_kept_and_stops_the_next_one() -> None:
    shop = Shop()
    message = shop.sent()
    pipeline.deliver_one(message_id=message.pk)
    data = {"bounce_type": "hard", "status": "5.1.1"}
    at = timezone.now()
    store([encode(kind="bounced", message_id=message.pk, source="sendgrid", occurred_at=at, data=data)])
    message.refresh_from_db()
    assert message.bounce_type == "hard"
    assert shop.post().json()["reason"] == "suppressed_hard_bounce"

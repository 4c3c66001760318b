"""SendGrid's signed events: only what SendGrid signed, and only about this workspace's messages."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.test import Client

from analytics.ingest import sendgrid
from analytics.ingest.consumer import Consumer
from analytics.models import CampaignStats, Event
from audiences.models import Suppression
from campaigns.models import Message
from campaigns.services import providers
from campaigns.tokens import sendgrid_endpoint_token
from pulsequill.models import StrayEvent
from tests.analytics.making import Mailing, make_mailing, make_workspace

pytestmark = pytest.mark.django_db

KEY = ec.generate_private_key(ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SENDGRID_WEBHOOK_PUBLIC_KEY", public_text(KEY))


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=8)


def event(message: Message, name: str, *, at: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "event": name, "email": message.email, "timestamp": int(time.time()) - 60 + at,
        "sg_event_id": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode(), "sg_message_id": "abc.filter-1.1-1",
        "pq_message": str(message.pk), "pq_attempt": str(message.attempt_id or uuid.uuid4()), **more,
    }  # fmt: skip


def signed(body: bytes, *, key: ec.EllipticCurvePrivateKey = KEY, timestamp: str = "") -> dict[str, str]:
    timestamp = timestamp or str(int(time.time()))
    signature = base64.b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return {sendgrid.SIGNATURE_HEADER: signature, sendgrid.TIMESTAMP_HEADER: timestamp}


def post(client: Client, workspace_id: uuid.UUID, body: bytes, headers: dict[str, str]) -> int:
    token = sendgrid_endpoint_token(workspace_id)
    return client.post(
        f"/hooks/sendgrid/{token}", data=body, content_type="application/json", headers=headers
    ).status_code


def report(client: Client, mailing: Mailing, *events: dict[str, Any]) -> None:
    body = json.dumps(events).encode()
    assert post(client, mailing.workspace.pk, body, signed(body)) == 204
    while Consumer().drain_strays():
        pass


def test_each_event_means_what_the_table_says(client: Client, mailing: Mailing) -> None:
    m = mailing.messages
    report(
        client, mailing,
        event(m[0], "delivered"),
        event(m[1], "deferred", response="421 try later"),
        event(m[2], "bounce", type="bounce", reason="550 no such user"),
        event(m[3], "bounce", type="blocked", reason="554 policy"),
        event(m[4], "dropped", reason="Bounced Address"),
        event(m[5], "dropped", reason="Spam Content (if spam checker app enabled)"),
        event(m[6], "spamreport"),
        event(m[7], "group_unsubscribe"),
        event(m[7], "group_resubscribe"),
        event(m[0], "open", useragent="Mozilla/5.0 (iPhone)", sg_machine_open=True),
        event(m[0], "processed"),
    )  # fmt: skip
    stats = CampaignStats.objects.get()
    assert (stats.delivered, stats.deferred, stats.bounced, stats.complained, stats.unsubscribed) == (1, 1, 2, 1, 1)
    assert (stats.unique_opens, stats.machine_opens) == (0, 1)
    assert dict(Suppression.objects.values_list("email_normalized", "reason")) == {
        m[2].email: "hard_bounce", m[4].email: "hard_bounce", m[6].email: "complaint", m[7].email: "unsubscribe",
    }  # fmt: skip
    assert Event.objects.filter(kind="unknown").count() == 2
    assert Event.objects.count() == 11


def test_a_batch_posted_ten_times_in_any_order_counts_once(client: Client, mailing: Mailing) -> None:
    events = [
        event(message, name, at=n)
        for message in mailing.messages
        for n, name in enumerate(("delivered", "open", "open"))
    ]
    for seed in range(10):
        random.Random(seed).shuffle(events)
        report(client, mailing, *events)
    stats = CampaignStats.objects.get()
    assert (stats.delivered, stats.unique_opens, stats.opens) == (8, 8, 16)


def test_delivered_after_bounce_does_not_undo_the_bounce(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[0]
    report(client, mailing, event(message, "bounce", type="bounce"))
    report(client, mailing, event(message, "delivered", at=-30))
    message.refresh_from_db()
    stats = CampaignStats.objects.get()
    assert message.bounce_type == "hard"
    assert (stats.bounced, stats.delivered - stats.returned) == (1, 0)


def test_two_hundred_mutations_are_refused_and_leave_nothing(client: Client, mailing: Mailing) -> None:
    body = json.dumps([event(mailing.messages[0], "bounce", type="bounce")]).encode()
    headers = signed(body)
    assert post(client, mailing.workspace.pk, body, headers) == 204
    StrayEvent.objects.all().delete()
    chance = random.Random(20261123)
    seen = set()
    for number in range(200):
        changed_body, changed = bytearray(body), dict(headers)
        kind = number % 4
        if kind == 0:
            changed_body[chance.randrange(len(body))] ^= 1 << chance.randrange(7)
        elif kind == 1:
            raw = bytearray(base64.b64decode(headers[sendgrid.SIGNATURE_HEADER]))
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            changed[sendgrid.SIGNATURE_HEADER] = base64.b64encode(bytes(raw)).decode()
        elif kind == 2:
            changed[sendgrid.TIMESTAMP_HEADER] = (
                chance.choice(
                    [
                        str(int(headers[sendgrid.TIMESTAMP_HEADER]) + chance.randrange(1, 10**6)),
                        "",
                        "soon",
                        "9" * 400,
                        "١٢",
                    ]
                )
                .encode("utf-8")
                .decode("latin-1")
            )
        else:
            changed[sendgrid.SIGNATURE_HEADER] = chance.choice(
                ["", "####", "AAAA", headers[sendgrid.SIGNATURE_HEADER][:-8], "ÿ" * 9, "A" * 5000]
            )
        status = post(client, mailing.workspace.pk, bytes(changed_body), changed)
        seen.add(status)
        assert status in (401, 403), (number, kind)
    assert not StrayEvent.objects.exists()
    assert seen == {401, 403}


def test_another_key_is_refused(client: Client, mailing: Mailing) -> None:
    body = b"[]"
    assert post(client, mailing.workspace.pk, body, signed(body, key=ec.generate_private_key(ec.SECP256R1()))) == 403


def test_without_a_key_nothing_is_believed(client: Client, mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"[]"
    for text in ("", "not base64!", base64.b64encode(b"no key").decode()):
        monkeypatch.setattr(settings, "SENDGRID_WEBHOOK_PUBLIC_KEY", text)
        assert post(client, mailing.workspace.pk, body, signed(body)) == 403


def test_a_workspaces_own_key_counts_for_its_own_endpoint_only(client: Client, mailing: Mailing) -> None:
    workspace, own = make_workspace("Own account"), ec.generate_private_key(ec.SECP256R1())
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", webhook_public_key=public_text(own))
    body = b"[]"
    assert post(client, workspace.pk, body, signed(body, key=own)) == 204
    # what left by the installation's account before is reported with the installation's key
    assert post(client, workspace.pk, body, signed(body)) == 204
    assert post(client, mailing.workspace.pk, body, signed(body, key=own)) == 403


@pytest.mark.parametrize(("age", "status"), [(0, 204), (25 * 3600, 204), (27 * 3600, 403), (-240, 204), (-900, 403)])
def test_old_and_future_batches_are_refused(client: Client, mailing: Mailing, age: int, status: int) -> None:
    assert post(client, mailing.workspace.pk, b"[]", signed(b"[]", timestamp=str(int(time.time()) - age))) == status


def test_a_valid_signature_for_one_workspace_changes_nothing_of_another(client: Client, mailing: Mailing) -> None:
    attacker = make_workspace("Attacker")
    body = json.dumps([event(m, "bounce", type="bounce") for m in mailing.messages]).encode()
    assert post(client, attacker.pk, body, signed(body)) == 204
    while Consumer().drain_strays():
        pass
    assert not Message.objects.filter(bounced_at__isnull=False).exists()
    assert not Suppression.objects.exists()
    assert not CampaignStats.objects.exists()
    assert StrayEvent.objects.filter(problem__contains="another workspace").count() == 8


def test_an_endpoint_that_we_did_not_make_is_not_there(client: Client, mailing: Mailing) -> None:
    token = sendgrid_endpoint_token(uuid.uuid4())
    for text in (token, "x", token[:-1]):
        assert client.post(f"/hooks/sendgrid/{text}", data=b"[]", content_type="application/json").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"7", b"\xff\xfe", b"[" * 3000 + b"]" * 3000])
def test_a_signed_body_that_is_no_list_is_a_bad_request(client: Client, mailing: Mailing, body: bytes) -> None:
    assert post(client, mailing.workspace.pk, body, signed(body)) in (400, 204)


def test_strange_events_are_kept_and_harm_nothing(client: Client, mailing: Mailing) -> None:
    strange = [
        7, None, "x", {}, {"event": None}, {"event": "delivered", "pq_message": "no number", "timestamp": "never"},
        {"event": "delivered", "pq_message": "99999999999999999999999", "timestamp": 1e300},
        {"event": "delivered", "pq_message": str(mailing.messages[0].pk), "timestamp": -5, "ip": "nowhere"},
        {"event": "click", "pq_message": str(mailing.messages[0].pk), "url": "x" * 9000, "useragent": "\x00\ud800"},
    ]  # fmt: skip
    report(client, mailing, *strange)
    assert CampaignStats.objects.get().delivered == 1
    assert not StrayEvent.objects.filter(problem="").exists()


def test_get_is_not_allowed(client: Client, mailing: Mailing) -> None:
    assert client.get(f"/hooks/sendgrid/{sendgrid_endpoint_token(mailing.workspace.pk)}").status_code == 405

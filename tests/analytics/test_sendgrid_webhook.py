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


@pytest.mark.timeout(900)  # 55,000 events, signed, read and stored; a busy machine takes minutes
def test_five_thousand_events_posted_ten_times_shuffled_equal_one_pass_in_order(client: Client) -> None:
    chance = random.Random(5000)
    once, often = make_mailing(size=1250, name="Once"), make_mailing(size=1250, name="Often")
    fates = [
        chance.choice(
            [
                ("delivered", "open", "open", "click"),
                ("deferred", "delivered", "open", "spamreport"),
                ("processed", "deferred", "deferred", "bounce"),
                ("delivered", "open", "group_unsubscribe", "click"),
                ("processed", "delivered", "bounce", "open"),
                ("blocked", "dropped", "group_resubscribe", "open"),
            ]
        )
        for _ in range(1250)
    ]
    machines = [chance.random() < 0.3 for _ in range(1250)]

    def batch_of(mailing: Mailing) -> list[dict[str, Any]]:
        more = {"url": "https://shop.example/x", "useragent": "Mozilla/5.0 (iPhone) AppleWebKit"}
        return [
            event(message, name, at=5 * n, type="bounce" if name == "bounce" else "", sg_machine_open=machine, **more)
            for message, fate, machine in zip(mailing.messages, fates, machines, strict=True)
            for n, name in enumerate(fate)
        ]

    batches = [batch_of(once), batch_of(often)]
    assert len(batches[0]) == 5000
    report(client, once, *batches[0])
    for _ in range(10):
        chance.shuffle(batches[1])
        report(client, often, *batches[1])
    expected, counted = (
        CampaignStats.objects.filter(campaign=mailing.campaign).values().get() for mailing in (once, often)
    )
    differing = {name for name in expected if expected[name] != counted[name]} - {"id", "campaign_id", "variant_id"}
    assert differing == set()
    assert expected["bounced"] > 0
    assert Event.objects.filter(campaign=often.campaign).count() == 5000
    facts = ("bounce_type", "delivered_at__isnull", "bounced_at__isnull", "complained_at__isnull",
             "unsubscribed_at__isnull", "first_opened_at__isnull", "first_clicked_at__isnull")  # fmt: skip
    rows = [
        list(Message.objects.filter(campaign=mailing.campaign).order_by("id").values_list(
            *(name.removesuffix("__isnull") for name in facts)))
        for mailing in (once, often)
    ]  # fmt: skip
    assert [[bool(value) for value in row] for row in rows[0]] == [[bool(value) for value in row] for row in rows[1]]
    reasons = [
        sorted(Suppression.objects.filter(workspace=mailing.workspace).values_list("reason", flat=True))
        for mailing in (once, often)
    ]
    assert reasons[0] == reasons[1] != []


def test_the_published_vector_is_valid_with_its_last_line_break_only() -> None:
    """The example of Twilio SendGrid's own libraries (sendgrid-python, test_eventwebhook.py)."""
    facts = {
        "email": "hello@world.com", "event": "dropped", "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>", "timestamp": 1600112492,
    }  # fmt: skip
    vector: dict[str, Any] = {
        "public_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNN"
        "RaINXvVpiglSI8eNEc6wEA3F+g==",
        "signature": "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        "timestamp": "1600112502", "now": 1600112502.0,
    }  # fmt: skip
    body = json.dumps([facts], sort_keys=True, separators=(",", ":")).encode()
    sendgrid.verify(body=body + b"\r\n", **vector)
    for wrong in (body, body + b"\n", json.dumps([facts]).encode() + b"\r\n"):
        with pytest.raises(sendgrid.NotFromSendGrid):
            sendgrid.verify(body=wrong, **vector)


@pytest.mark.parametrize(
    ("reason", "suppressed"),
    [
        ("Bounced Address", "hard_bounce"), ("Invalid", "hard_bounce"), ("Unsubscribed Address", "unsubscribe"),
        ("Spam Reporting Address", "complaint"), ("bounced address ", "hard_bounce"),
        ("Spam Content (if Spam Checker app is enabled)", ""), ("Recipient List over Package Quota", ""),
        ("Invalid SMTPAPI header", ""), ("Something new", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_dropped_message_stops_mail_for_reasons_about_the_address_only(
    client: Client, mailing: Mailing, reason: str, suppressed: str
) -> None:
    report(client, mailing, event(mailing.messages[0], "dropped", reason=reason))
    assert list(Suppression.objects.values_list("reason", flat=True)) == ([suppressed] if suppressed else [])
    stored = Event.objects.get()
    assert (stored.kind, stored.data.get("detail", "")) == ("rejected", reason)


def test_a_third_block_within_thirty_days_stops_mail_and_a_third_after_that_does_not(client: Client) -> None:
    workspace, day = make_workspace(), 24 * 3600
    for email, days in (("often@example.com", (25, 12, 1)), ("seldom@example.com", (65, 32, 1))):
        for number, ago in enumerate(days):
            assert not Suppression.objects.filter(email_normalized=email).exists()
            mailing = make_mailing(workspace, size=1, name=f"{email} {number}", with_contacts=False)
            Message.objects.filter(pk=mailing.messages[0].pk).update(email=email, email_normalized=email)
            message = Message.objects.get(pk=mailing.messages[0].pk)
            report(client, mailing, event(message, "bounce", type="blocked", reason="554 policy", at=-ago * day))
    assert list(Suppression.objects.values_list("email_normalized", flat=True)) == ["often@example.com"]


def test_subscribing_to_a_group_again_never_lifts_our_own_suppression(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[0]
    report(client, mailing, event(message, "group_unsubscribe", asm_group_id=7))
    report(client, mailing, event(message, "group_resubscribe", at=10, asm_group_id=7))
    assert Suppression.objects.get().reason == "unsubscribe"
    assert Event.objects.get(kind="unknown").data["reported_kind"] == "group_resubscribe"


def test_a_workspaces_own_valid_key_changes_nothing_of_another(client: Client, mailing: Mailing) -> None:
    attacker, own = make_workspace("Attacker"), ec.generate_private_key(ec.SECP256R1())
    providers.save_provider(workspace=attacker, actor=None, provider="sendgrid", webhook_public_key=public_text(own))
    names = ("delivered", "bounce", "dropped", "spamreport", "unsubscribe", "open", "click", "deferred")
    events = [event(mailing.messages[0], name, reason="Bounced Address") for name in names]
    body = json.dumps(events).encode()
    assert post(client, attacker.pk, body, signed(body, key=own)) == 204
    while Consumer().drain_strays():
        pass
    was = Message.objects.filter(pk=mailing.messages[0].pk).values().get()
    assert [was[name] for name in ("delivered_at", "bounced_at", "complained_at", "first_opened_at")] == [None] * 4
    assert not Event.objects.exists()
    assert not Suppression.objects.exists()
    assert StrayEvent.objects.filter(problem__contains="another workspace").count() == len(names)


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
    for _ in range(2):
        report(client, mailing, *strange)
    assert CampaignStats.objects.get().delivered == 1
    assert not StrayEvent.objects.filter(problem="").exists()
    kept = StrayEvent.objects.filter(problem=sendgrid.NO_EVENT)
    assert sorted(stray.entry["data"]["entry"] for stray in kept) == ['"x"', "7", "null"]


def test_an_address_without_end_is_cut(mailing: Mailing) -> None:
    (line,) = sendgrid.to_lines([event(mailing.messages[0], "open", ip="9" * 9000)], workspace_id=mailing.workspace.pk)
    assert json.loads(line)["ip"] == "9" * 45


def test_get_is_not_allowed(client: Client, mailing: Mailing) -> None:
    assert client.get(f"/hooks/sendgrid/{sendgrid_endpoint_token(mailing.workspace.pk)}").status_code == 405

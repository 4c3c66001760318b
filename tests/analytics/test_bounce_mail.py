"""Mail that comes back: what it means, about whom, and that nobody else's word counts."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest import bounce_mail
from analytics.ingest.consumer import Consumer
from analytics.ingest.delivery_status import bounce_type_of
from analytics.ingest.mail_reading import Unreadable, read_mail
from analytics.models import CampaignStats, Event
from audiences.models import Suppression
from audiences.tokens import unsubscribe_token
from campaigns.delivery.return_path import ReturnPath
from campaigns.delivery.tracking import open_url
from campaigns.models import Message
from campaigns.tokens import bounce_endpoint_token, sendgrid_endpoint_token
from pulsequill.models import StrayEvent
from tests.analytics import bounce_samples as samples
from tests.analytics.bounce_samples import group, written
from tests.analytics.making import Mailing, make_mailing, make_workspace

pytestmark = pytest.mark.django_db
PATH = ReturnPath(from_email="hello@northwind.example", host="bounce.northwind.example")


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=6, provider="smtp", sent_at=datetime.now(UTC) - timedelta(hours=2))


def mail(sample: str, message: Message, **more: str) -> bytes:
    values = {
        "path": PATH.envelope_sender(message.pk), "email": message.email, "date": format_datetime(datetime.now(UTC)),
        "message_id": f"{uuid.uuid4().hex}@mail.example.net",
        "link": f"http://localhost:8000/u/{unsubscribe_token(message.contact_id or uuid.uuid4(), message.pk)}",
    }  # fmt: skip
    return written(sample, **{**values, **more})


def post(client: Client, workspace_id: uuid.UUID, raw: bytes, query: str = "") -> int:
    address = f"/hooks/bounce/{bounce_endpoint_token(workspace_id)}{query}"
    return client.post(address, data=raw, content_type="message/rfc822").status_code


def count() -> None:
    while Consumer().drain_strays():
        pass


def report(client: Client, mailing: Mailing, *mails: bytes) -> None:
    for raw in mails:
        assert post(client, mailing.workspace.pk, raw) == 204
    count()


def suppressed() -> dict[str, str]:
    return dict(Suppression.objects.values_list("email_normalized", "reason"))


def kept() -> list[str]:
    return list(StrayEvent.objects.exclude(problem="").order_by("id").values_list("problem", flat=True))


def test_a_failed_delivery_with_a_permanent_status_bounces_hard_and_stops_mail_at_once(
    client: Client, mailing: Mailing
) -> None:
    message = mailing.messages[0]
    groups = group("failed", "5.1.1", "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown")
    report(client, mailing, mail(samples.REPORT, message, groups=groups))
    message.refresh_from_db()
    assert message.bounced_at is not None
    assert message.bounce_type == "hard"
    assert suppressed() == {message.email: "hard_bounce"}
    event = Event.objects.get()
    assert (event.source, event.data["code"]) == ("bounce", "5.1.1")
    assert event.data["detail"].startswith("550 5.1.1")
    stats = CampaignStats.objects.get()
    assert (stats.bounced, stats.returned) == (1, 1)


@pytest.mark.parametrize(
    ("status", "diagnostic", "bounce_type"),
    [
        ("5.1.1", "", "hard"), ("5.1.10", "", "hard"), ("5.4.4", "", "hard"), ("5.4.1", "", "hard"),
        ("5.0.0", "550 no such user", "hard"), ("5.0.0", "550 5.7.1 spam", "soft"), ("5.7.1", "", "soft"),
        ("5.7.13", "", "hard"), ("5.2.2", "552 5.2.2 mailbox full", "soft"), ("5.3.4", "", "soft"),
        ("4.4.7", "", "soft"), ("4.2.2", "452 mailbox full", "soft"), ("", "550 no such user", "hard"),
        ("", "451 try later", "soft"), ("", "", "soft"), ("nonsense", "gone fishing", "soft"),
        ("5.1.1 (bad destination mailbox address)", "", "hard"),
    ],
)  # fmt: skip
def test_a_bounce_is_hard_only_when_the_address_is_at_fault(
    client: Client, mailing: Mailing, status: str, diagnostic: str, bounce_type: str
) -> None:
    message = mailing.messages[0]
    report(client, mailing, mail(samples.REPORT, message, groups=group("failed", status, diagnostic)))
    message.refresh_from_db()
    assert message.bounce_type == bounce_type
    assert (message.email in suppressed()) == (bounce_type == "hard")


def test_the_third_soft_bounce_within_thirty_days_stops_mail(client: Client) -> None:
    workspace = make_workspace()
    now = datetime.now(UTC)
    first = make_mailing(workspace, size=1, provider="smtp", name="One", sent_at=now - timedelta(days=20))
    others = [make_mailing(workspace, size=1, provider="smtp", name=f"More {n}", with_contacts=False) for n in range(2)]
    for other in others:
        Message.objects.filter(pk=other.messages[0].pk).update(
            email=first.messages[0].email, email_normalized=first.messages[0].email_normalized
        )
    for n, one in enumerate((first, *others)):
        assert not suppressed()
        message = Message.objects.get(pk=one.messages[0].pk)
        date = format_datetime(now - timedelta(days=20 - 8 * n))
        report(client, one, mail(samples.REPORT, message, groups=group("failed", "4.2.2", "full"), date=date))
    assert suppressed() == {first.messages[0].email: "hard_bounce"}


def test_a_delay_is_no_bounce(client: Client, mailing: Mailing) -> None:
    groups = group("delayed", "4.4.1", "connect to mx.example.com: Connection timed out")
    report(client, mailing, mail(samples.REPORT, mailing.messages[0], groups=groups))
    stats = CampaignStats.objects.get()
    assert (stats.deferred, stats.bounced) == (1, 0)
    assert not suppressed()


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_says_delivered(client: Client, mailing: Mailing, action: str) -> None:
    message = mailing.messages[0]
    Message.objects.filter(pk=message.pk).update(delivered_at=None)
    report(client, mailing, mail(samples.REPORT, message, groups=group(action, "2.1.5", "250 OK")))
    message.refresh_from_db()
    assert message.delivered_at is not None
    assert message.bounced_at is None


def test_of_several_recipients_the_one_that_we_wrote_to_counts(client: Client, mailing: Mailing) -> None:
    first, second = mailing.messages[:2]
    others = group("failed", "5.1.1", recipient="somebody@else.example")
    # the address itself was forwarded to a mailbox that took it
    report(
        client, mailing,
        mail(samples.REPORT, first, groups=others + "\n" + group("delivered", "2.0.0")),
        # ours failed, whoever else got a copy
        mail(samples.REPORT, second, groups=group("delivered", "2.0.0", recipient="a@else.example") + "\n"
             + group("failed", "5.1.1", recipient="final@else.example", original="$email")),
    )  # fmt: skip
    assert set(suppressed()) == {second.email}


def test_where_a_forwarding_address_led_to_several_one_that_arrived_outweighs_the_rest(
    client: Client, mailing: Mailing
) -> None:
    groups = "\n".join(
        (
            group("failed", "5.1.1", recipient="old@else.example"),
            group("relayed", "2.0.0", recipient="new@else.example"),
        )
    )
    report(client, mailing, mail(samples.REPORT, mailing.messages[0], groups=groups))
    assert not suppressed()
    assert Event.objects.get().kind == "delivered"


def test_the_same_report_counts_once_however_often_and_by_whatever_way_it_comes(
    client: Client, mailing: Mailing
) -> None:
    raw = mail(samples.REPORT, mailing.messages[0], groups=group("failed", "5.1.1"))
    report(client, mailing, raw, raw, b"Received: from backup.example by mail.example;\r\n" + raw)
    assert Event.objects.count() == 1
    assert CampaignStats.objects.get().bounced == 1


def test_a_bounce_settles_a_message_in_doubt(client: Client) -> None:
    mailing = make_mailing(size=1, provider="smtp", status=Message.Status.IN_DOUBT)
    message = mailing.messages[0]
    Message.objects.filter(pk=message.pk).update(attempt_id=uuid.uuid4())
    report(client, mailing, mail(samples.REPORT, message, groups=group("failed", "5.1.1")))
    message.refresh_from_db()
    assert message.status == Message.Status.SENT
    assert message.bounce_type == "hard"


# complaints


def test_a_complaint_with_a_blacked_out_recipient_is_known_by_our_unsubscribe_link(
    client: Client, mailing: Mailing
) -> None:
    message = mailing.messages[0]
    report(client, mailing, mail(samples.COMPLAINT, message, feedback="abuse", mail_from="Removal-Recipient: x"))
    assert suppressed() == {message.email: "complaint"}
    assert CampaignStats.objects.get().complained == 1


def test_a_complaint_is_known_by_the_envelope_sender_that_it_repeats(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[1]
    path = f"Original-Mail-From: <{PATH.envelope_sender(message.pk)}>"
    report(client, mailing, mail(samples.COMPLAINT, message, feedback="abuse", mail_from=path, link="https://else/u/x"))
    assert suppressed() == {message.email: "complaint"}


def test_a_complaint_is_known_by_the_pixel_of_the_mail_that_comes_with_it(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[2]
    sample = samples.COMPLAINT.replace("Hello.", f'<img src="{open_url(message.pk)}">')
    report(client, mailing, mail(sample, message, feedback="abuse", mail_from="X: y", link="https://else/u/x"))
    assert suppressed() == {message.email: "complaint"}


def test_outlooks_own_form_of_a_complaint_is_read(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[0]
    report(client, mailing, mail(samples.OUTLOOK_COMPLAINT, message))
    assert suppressed() == {message.email: "complaint"}


@pytest.mark.parametrize(
    ("feedback", "reason"),
    [
        ("fraud", "complaint"),
        ("opt-out", "unsubscribe"),
        ("not-spam", ""),
        ("auth-failure", ""),
        ("virus", ""),
        ("", ""),
    ],
)
def test_other_feedback_means_what_it_says_and_is_kept(
    client: Client, mailing: Mailing, feedback: str, reason: str
) -> None:
    message = mailing.messages[0]
    report(client, mailing, mail(samples.COMPLAINT, message, feedback=feedback, mail_from="X: y"))
    assert suppressed().get(message.email, "") == reason
    assert Event.objects.get().kind == {"complaint": "complained", "unsubscribe": "unsubscribed"}.get(reason, "unknown")


# forms of their own


@pytest.mark.parametrize(
    ("sample", "words", "bounce_type"),
    [
        (samples.QMAIL, "192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 unknown user", "hard"),
        (samples.QMAIL, "Sorry, no mailbox here by that name. (#5.1.1)", "hard"),
        (samples.QMAIL, "I couldn't find any host by that name; giving up.", "soft"),
        (samples.EXIM, "550 5.1.1 unknown user", "hard"),
        (samples.EXIM, "550 Unrouteable address", "hard"),
        (samples.EXIM, "452 4.2.2 over quota", "soft"),
    ],
)
def test_bounces_written_for_people_are_read_where_their_form_is_known(
    client: Client, mailing: Mailing, sample: str, words: str, bounce_type: str
) -> None:
    message = mailing.messages[0]
    report(client, mailing, mail(sample, message, words=words))
    message.refresh_from_db()
    assert message.bounce_type == bounce_type
    assert message.bounced_at is not None


def test_exims_warning_is_a_delay(client: Client, mailing: Mailing) -> None:
    report(client, mailing, mail(samples.EXIM_DELAY, mailing.messages[0]))
    stats = CampaignStats.objects.get()
    assert (stats.deferred, stats.bounced) == (1, 0)


@pytest.mark.parametrize(
    ("sample", "why"),
    [(samples.HOLIDAY, "automatic answer"), (samples.OLD_HOLIDAY, "automatic answer"), (samples.REPLY, "Not a report"),
     (samples.READ_RECEIPT, "read receipt")],
)  # fmt: skip
def test_answers_and_receipts_are_no_bounces_and_are_kept(
    client: Client, mailing: Mailing, sample: str, why: str
) -> None:
    report(client, mailing, mail(sample, mailing.messages[0]))
    assert not Event.objects.exists()
    assert not suppressed()
    assert why in kept()[0]
    assert "Robin Reader" in StrayEvent.objects.get().entry["data"]["mail"]


# who may say so


def test_a_report_without_our_token_changes_nothing_and_is_kept(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[0]
    path, link = PATH.envelope_sender(message.pk), "http://localhost:8000/u/"
    wrong = "b" if path[10] == "a" else "a"
    report(
        client, mailing,
        mail(samples.REPORT, message, groups=group("failed", "5.1.1"), path="hello@northwind.example", link=link),
        mail(samples.REPORT, message, groups=group("failed", "5.1.1"), path=path[:10] + wrong + path[11:], link=link),
        mail(samples.COMPLAINT, message, feedback="abuse", mail_from="X: y", link=link + "A" * 56),
    )  # fmt: skip
    assert kept() == ["A report that names no message of ours."] * 3
    assert not Event.objects.exists()
    assert not suppressed()


def test_another_workspaces_endpoint_changes_nothing(client: Client, mailing: Mailing) -> None:
    other = make_workspace("Attacker")
    raw = mail(samples.REPORT, mailing.messages[0], groups=group("failed", "5.1.1"))
    assert post(client, other.pk, raw) == 204
    count()
    assert not suppressed()
    assert not Event.objects.exists()
    assert not CampaignStats.objects.exists()
    assert "another workspace" in kept()[0]


def test_the_envelopes_recipient_counts_when_the_report_does_not_repeat_it(client: Client, mailing: Mailing) -> None:
    message = mailing.messages[0]
    path = PATH.envelope_sender(message.pk)
    raw = mail(samples.REPORT, message, groups=group("failed", "5.1.1"), path="undisclosed", link="none")
    assert post(client, mailing.workspace.pk, raw, f"?recipient={path.replace('+', '%2B')}") == 204
    count()
    assert set(suppressed()) == {message.email}


def test_an_endpoint_that_we_did_not_make_is_not_there(client: Client, mailing: Mailing) -> None:
    tokens = (bounce_endpoint_token(uuid.uuid4()), sendgrid_endpoint_token(mailing.workspace.pk), "x",
              bounce_endpoint_token(mailing.workspace.pk)[:-1])  # fmt: skip
    for token in tokens:
        answer = client.post(f"/hooks/bounce/{token}", data=b"From: a@b\n\nx", content_type="message/rfc822")
        assert answer.status_code == 404
    assert client.get(f"/hooks/bounce/{bounce_endpoint_token(mailing.workspace.pk)}").status_code == 405


# hostile input

BOMBS: dict[str, bytes] = {
    "no mail": b"\x00\xff" * 500,
    "one line": b"x" * 100_000,
    "json": b'[{"event": "bounce"}]',
    "an endless header": b"Content-Type: multipart/report; " + b'a="b";' * 60_000 + b"\r\n\r\nx",
    "quotes": b"Content-Type: multipart/report" + b';"\\"' * 60_000 + b"\r\n\r\nx",
    "many headers": b"X-A: b\r\n" * 30_000 + b"\r\nx",
    "nested mails": b"Content-Type: message/rfc822\r\n\r\n" * 8000,
    "nested parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(5000)
    ),
    "many parts": b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n' + b"--x\r\n\r\n\r\n" * 20_000,
    "many groups": b'Content-Type: multipart/report; boundary="x"\r\n\r\n--x\r\nContent-Type: message/delivery-status'
    b"\r\n\r\n" + b"Action: failed\r\n\r\n" * 12_000 + b"--x--",
    "a strange charset": b"Subject: =?utf-99?b?AAAA?=\r\nContent-Type: text/plain; charset=\x00\r\n\r\n"
    b"Hi. This is the\n",
    "lone surrogates": b"Subject: \xed\xa0\x80\r\nTo: b+\xed\xa0\x80@x\r\nDate: 99999999\r\n\r\n\xed\xa0\x80\x00",
    "bad base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!" + b"=" * 5000,
    "a date that is none": b"Date: Thu, 32 Foo 99999 25:61:61 +9999\r\nX-Failed-Recipients: a@b\r\n\r\nx",
    "many tokens": b"X-Failed-Recipients: a@b.example\r\n\r\n" + b"b+" + b"a" * 30 + b"@x.example " * 8000,
    "addresses": b"X-Failed-Recipients: " + b"a@b," * 40_000 + b"\r\n\r\n" + b" a@b\n  x\n" * 9000,
    "qmail without an end": b"To: x@y\r\n\r\nHi. This is the qmail-send program\n" + b"<a@b>:\n" * 20_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_mail_is_kept_or_refused_and_costs_little(client: Client, mailing: Mailing, name: str) -> None:
    began = time.thread_time()
    assert post(client, mailing.workspace.pk, BOMBS[name]) == 204
    assert time.thread_time() - began < 1.5
    count()
    assert len(kept()) == 1
    assert not suppressed()


def test_nothing_and_too_much_are_refused(client: Client, mailing: Mailing) -> None:
    assert post(client, mailing.workspace.pk, b"") == 400
    assert post(client, mailing.workspace.pk, b" \r\n") == 400
    assert post(client, mailing.workspace.pk, b"From: a\r\n\r\n" + b"x" * 4_200_000) == 413
    assert post(client, mailing.workspace.pk, b"From: a\r\n\r\n" + b"x" * 6_000_000) == 413
    assert not StrayEvent.objects.exists()


def test_two_hundred_mutations_of_a_bounce_change_only_what_they_name(client: Client, mailing: Mailing) -> None:
    raw = mail(samples.REPORT, mailing.messages[0], groups=group("failed", "5.1.1", "550 5.1.1 unknown"))
    chance = random.Random(20261123)
    for _ in range(200):
        changed = bytearray(raw)
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(changed))
            kind = chance.randrange(3)
            if kind == 0:
                changed[place] = chance.randrange(256)
            elif kind == 1:
                del changed[place : place + chance.randrange(40)]
            else:
                changed[place:place] = changed[place - 30 : place]
        assert post(client, mailing.workspace.pk, bytes(changed)) == 204
    count()
    assert set(suppressed()) <= {mailing.messages[0].email}
    assert set(Event.objects.values_list("message_id", flat=True)) <= {mailing.messages[0].pk}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_reading_any_bytes_raises_one_error_only(raw: bytes) -> None:
    for text in (raw, b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n" + raw):
        with suppress(Unreadable):
            bounce_mail._about(read_mail(text), "", None)


@given(st.text(max_size=60), st.text(max_size=200))
def test_a_bounce_type_is_always_hard_or_soft(code: str, words: str) -> None:
    assert bounce_type_of(code, words) in ("hard", "soft")


# the pipe


def pipe(raw: bytes, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process; return its exit code."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    try:
        call_command("read_bounce", *arguments, stderr=io.StringIO())
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_the_pipe_counts_bounces_of_every_workspace(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_mailing(make_workspace("Other"), size=1, provider="smtp")
    for one in (mailing, other):
        raw = mail(samples.REPORT, one.messages[0], groups=group("failed", "5.1.1"), path="x@y.example", link="none")
        assert pipe(raw, monkeypatch, PATH.envelope_sender(one.messages[0].pk)) == 0
    count()
    assert set(suppressed()) == {mailing.messages[0].email, other.messages[0].email}


def test_the_pipe_keeps_what_it_does_not_know_and_refuses_nothing_at_all(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pipe(mail(samples.REPLY, mailing.messages[0]), monkeypatch) == 0
    assert len(kept()) == 1
    assert pipe(b"", monkeypatch) == os.EX_NOINPUT


def test_the_pipe_asks_to_try_again_when_the_database_is_away(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is closed")

    raw = mail(samples.REPORT, mailing.messages[0], groups=group("failed", "5.1.1"))
    with monkeypatch.context() as broken:
        broken.setattr(bounce_mail, "append_durably", away)
        assert pipe(raw, monkeypatch) == os.EX_TEMPFAIL
    assert pipe(raw, monkeypatch) == 0


def test_the_command_answers_a_mail_server_without_a_database_with_try_again(tmp_path: Path) -> None:
    surroundings = {
        **os.environ, "SECRET_KEY": "x" * 60, "DATABASE_URL": "postgres://nobody:x@127.0.0.1:1/none",
        "PULSEQUILL_HOME": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "read_bounce", "b+x@bounce.example"], input=b"From: a@b\n\nx", env=surroundings,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == os.EX_TEMPFAIL, done.stderr[-2000:]

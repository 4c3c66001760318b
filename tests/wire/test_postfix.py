"""The whole way of a bounce: our envelope, a real Postfix, its report, its pipe, the hook, the suppression."""

from __future__ import annotations

import shutil
import smtplib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from analytics.ingest.consumer import Consumer
from analytics.models import Event
from audiences.models import Suppression
from campaigns.delivery.return_path import ReturnPath
from campaigns.models import Message
from campaigns.tokens import bounce_endpoint_token
from pulsequill.benchmarks.processes import free_port
from tests.analytics.making import make_mailing
from tests.waiting import wait_until
from tests.wire.postfix import postfix, why_not

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.skipif(bool(why_not()), reason=why_not())]


class Refusing:
    """A mail server at which one person is not known and another's mailbox is full."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address.startswith("reader0"):
            return "550 5.1.1 no such user here"
        if address.startswith("reader1"):
            return "552 5.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 ok"


@pytest.fixture
def next_server() -> Iterator[int]:
    controller = Controller(Refusing(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Postfix's users may enter, unlike the test's own."""
    path = Path(tempfile.mkdtemp(prefix="pq-postfix-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_bounce_of_a_real_postfix_finds_its_message(live_server: Any, folder: Path, next_server: int) -> None:
    mailing = make_mailing(size=3, provider="smtp", domains=("reader.example",))
    pipe = folder / "read-bounce"
    hook = f"{live_server.url}/hooks/bounce/{bounce_endpoint_token(mailing.workspace.pk)}"
    pipe.write_text(
        '#!/bin/sh\nexec curl -fsS --data-binary @- -H "Content-Type: message/rfc822" '
        f'"{hook}?recipient=$(printf %s "$1" | sed s/+/%2B/)" || exit 75\n'
    )
    pipe.chmod(0o755)
    paths = ReturnPath(from_email="hello@northwind.example", host="bounce.northwind.example")
    with postfix(folder, next_port=next_server, command=pipe) as port, smtplib.SMTP("127.0.0.1", port) as server:
        for message in mailing.messages:
            server.sendmail(
                paths.envelope_sender(message.pk),
                message.email,
                f"From: hello@northwind.example\r\nTo: {message.email}\r\nSubject: Harvest roast\r\n\r\nHello.\r\n",
            )

        def counted() -> bool:
            Consumer().drain_strays()
            return Event.objects.count() >= 2

        wait_until(counted, timeout_s=60, what="both reports came back")
    rows = list(Message.objects.order_by("pk").values_list("bounce_type", flat=True))
    assert rows == ["hard", "soft", ""]
    assert Suppression.objects.get().email_normalized == mailing.messages[0].email
    event = Event.objects.get(message=mailing.messages[0])
    assert (event.kind, event.source, event.data["code"]) == ("bounced", "bounce", "5.1.1")
    assert "no such user here" in event.data["detail"]

"""Handing over to a mail server: one that is a round trip away, and one that is as fast as it gets."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable

from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactList
from campaigns.delivery import pipeline, planner
from campaigns.delivery.providers import NO_WITNESS, Brake, OutgoingMessage
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from campaigns.models import Campaign, Message, ProviderSettings, Sender, SmtpServer, Variant
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.processes import SERVERS, free_port, server

CONNECTIONS = 10
DELAY_MS = 10
#: Commands that the reference waits for, one after another.
PINGS = 100
BATCH = 1000
#: 5 KB of content: a typical mail with a text part.
MIME = b"From: hello@northwind.example\r\nSubject: The harvest lot\r\n\r\n" + b"It is here, and worth it.\r\n" * 190
BODY = [
    {"id": "text", "type": "text", "html": "<p>Hi {{first_name}}, the beans have left the farm.</p>" * 20},
    {"id": "cta", "type": "button", "label": "Reserve a bag", "url": "https://northwind.example/harvest-roast"},
]


def _sink(*options: str) -> int:
    port = free_port()
    SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(port), *options, port=port))
    return port


def _send_campaign(workspace: Workspace, readers: ContactList, sender: Sender, count: int) -> float:
    campaign = Campaign.objects.create(workspace=workspace, name="Benchmark", sender=sender)
    campaign.lists.set([readers])
    Variant.objects.create(
        workspace=workspace, campaign=campaign, subject="The harvest lot, {{first_name}}", preview_text="Now", body=BODY
    )
    started = time.perf_counter()
    planner.launch(campaign, now=timezone.now())
    while pipeline.deliver(campaign_id=campaign.pk):
        pass
    seconds = time.perf_counter() - started
    sent = Message.objects.for_workspace(workspace).filter(campaign=campaign, status=Message.Status.SENT)
    assert sent.count() == count, f"{sent.count()} of {count} were sent"
    Message.objects.for_workspace(workspace).filter(campaign=campaign).delete()
    return count / seconds


def _prepare_slow(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Send whole campaigns, everything on; the reference is connections / round trip, with the round trip measured."""
    count = 20_000 if is_full else 4_000
    workspace = make_workspace("A slow relay")
    readers = make_audience(workspace, count)
    sender = Sender.objects.create(workspace=workspace, from_name="Northwind", from_email="hello@northwind.example")
    port = _sink(str(DELAY_MS))
    own = ProviderSettings.objects.create(workspace=workspace, provider="smtp", is_active=True)
    SmtpServer.objects.create(
        workspace=workspace,
        settings=own,
        host="127.0.0.1",
        port=port,
        security=SmtpServer.Security.NONE,
        max_connections=CONNECTIONS,
    )

    def product() -> float:
        with override_settings(OUTBOUND_PRIVATE_NETWORKS=["127.0.0.0/8"]):
            return _send_campaign(workspace, readers, sender, count)

    def reference() -> float:
        with smtplib.SMTP("127.0.0.1", port) as client:
            started = time.perf_counter()
            for _ in range(PINGS):
                client.noop()
            return CONNECTIONS * PINGS / (time.perf_counter() - started)

    return product, reference


def _prepare_fast(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Hand finished bytes over, over eight connections; the reference keeps one connection with `smtplib`."""
    count = 50_000 if is_full else 10_000
    port = _sink()
    messages = [
        OutgoingMessage(
            message_id=number,
            attempt_id=None,
            workspace_id=None,
            campaign_id=None,
            to=f"reader{number}@example.com",
            mail_from="hello@northwind.example",
            mime=MIME,
        )
        for number in range(BATCH)
    ]
    provider = SmtpProvider([Server("127.0.0.1", port, security="none", max_connections=8)])
    SERVERS.callback(provider.close)

    def product() -> float:
        brake = Brake(deadline=time.monotonic() + 600)
        started = time.perf_counter()
        for _ in range(count // BATCH):
            outcomes = provider.send_batch(messages, brake=brake, witness=NO_WITNESS)
            assert {outcome.code for outcome in outcomes} == {"accepted"}
        return count / (time.perf_counter() - started)

    def reference() -> float:
        number = count // 5
        with smtplib.SMTP("127.0.0.1", port) as client:
            started = time.perf_counter()
            for message in messages[:1] * number:
                client.sendmail(message.mail_from, [message.to], message.mime)
            return number / (time.perf_counter() - started)

    return product, reference


SLOW = Benchmark(
    name=f"Sending through a relay {DELAY_MS} ms away, {CONNECTIONS} connections",
    unit="messages/s",
    reference_name="connections / round trip",
    prepare=_prepare_slow,
    floor=0.70,
    aim=0.85,
)
HAND_OVER = Benchmark(
    name="Handing finished bytes over by SMTP",
    unit="messages/s",
    reference_name="smtplib, one connection kept",
    prepare=_prepare_fast,
    floor=2.0,
    aim=5.0,
)

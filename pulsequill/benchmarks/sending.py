"""Sending with the whole ledger on, against a bare smtplib loop with the same bytes."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable

from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactList
from campaigns.delivery import pipeline, planner
from campaigns.models import Campaign, CapturedMessage, Message, Sender, Variant
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.processes import SERVERS, free_port, server

BODY = [
    {"id": "head", "type": "heading", "text": "It is here, and it was worth the wait", "level": 1},
    {
        "id": "text",
        "type": "text",
        "html": (
            "<p>{{#first_name}}Hi {{first_name}}{{/first_name}}{{^first_name}}Hello{{/first_name}}, the beans you have "
            "been asking about left Finca La Esperanza after a slow, careful season. They were picked by hand in June "
            'and rested until this week. <a href="https://northwind.example/guides/pour-over">How to brew them</a>.</p>'
        ),
    },
    {"id": "cta", "type": "button", "label": "Reserve a bag", "url": "https://northwind.example/harvest-roast"},
]


def _campaign(workspace: Workspace, readers: ContactList, sender: Sender) -> Campaign:
    campaign = Campaign.objects.create(workspace=workspace, name="Benchmark", sender=sender)
    campaign.lists.set([readers])
    Variant.objects.create(
        workspace=workspace, campaign=campaign, subject="The harvest lot, {{first_name}}", preview_text="Now", body=BODY
    )
    return campaign


def _send(provider: str, workspace: Workspace, readers: ContactList, sender: Sender, count: int) -> float:
    with override_settings(EMAIL_PROVIDER=provider):
        campaign = _campaign(workspace, readers, sender)
        started = time.perf_counter()
        planner.launch(campaign, now=timezone.now())
        while pipeline.deliver(campaign_id=campaign.pk):
            pass
        seconds = time.perf_counter() - started
    sent = Message.objects.filter(campaign=campaign, status=Message.Status.SENT).count()
    assert sent == count, f"{sent} of {count} were sent"
    Message.objects.filter(campaign=campaign).delete()
    return count / seconds


def _sink() -> int:
    port = free_port()
    SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(port), port=port))
    return port


def _sample() -> bytes:
    """Return the bytes of one captured message: what the reference sends too."""
    workspace = make_workspace("One reader")
    campaign = _campaign(workspace, make_audience(workspace, 1), _sender(workspace))
    with override_settings(EMAIL_PROVIDER="capture"):
        planner.launch(campaign, now=timezone.now())
        while pipeline.deliver(campaign_id=campaign.pk):
            pass
    captured = CapturedMessage.objects.filter(campaign=campaign).first()
    assert captured is not None
    return bytes(captured.raw)


def _sender(workspace: Workspace) -> Sender:
    return Sender.objects.create(workspace=workspace, from_name="Northwind", from_email="hello@northwind.example")


def _taken(port: int) -> int:
    with smtplib.SMTP("127.0.0.1", port) as client:
        return int(client.docmd("XCOUNT")[1])


def _prepare(provider: str) -> Callable[[bool], tuple[Callable[[], float], Callable[[], float]]]:
    def prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
        count = 50_000 if is_full else 5_000
        workspace = make_workspace(f"Sending by {provider}")
        readers = make_audience(workspace, count)
        sender = _sender(workspace)
        port = _sink()
        raw = _sample()

        def product() -> float:
            with override_settings(SMTP_URL=f"smtp://127.0.0.1:{port}"):
                before = _taken(port)
                rate = _send(provider, workspace, readers, sender, count)
                if provider == "smtp":
                    assert _taken(port) - before == count, "the sink has not taken every message"
                return rate

        def reference() -> float:
            number = count // 5
            started = time.perf_counter()
            with smtplib.SMTP("127.0.0.1", port) as client:
                for reader in range(number):
                    client.sendmail("hello@northwind.example", [f"reader{reader}@example.com"], raw)
            return number / (time.perf_counter() - started)

        return product, reference

    return prepare


CAPTURE = Benchmark(
    name="Sending, kept in the outbox",
    unit="messages/s",
    reference_name="bare smtplib loop, same bytes",
    prepare=_prepare("capture"),
    floor=0.75,
    aim=3.0,
)
SMTP = Benchmark(
    name="Sending by SMTP to a local sink",
    unit="messages/s",
    reference_name="bare smtplib loop, same bytes",
    prepare=_prepare("smtp"),
    floor=0.75,
    aim=3.0,
)

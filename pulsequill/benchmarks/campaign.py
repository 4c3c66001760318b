"""The campaign that the sending benchmarks send: a typical mail, its links tracked."""

from __future__ import annotations

import smtplib
from uuid import UUID

from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactList
from campaigns.delivery import pipeline, planner
from campaigns.delivery.captured import body_of, parse
from campaigns.models import Campaign, CapturedMessage, Message, Sender, Variant
from pulsequill.benchmarks.audience import make_audience, make_workspace

FROM = "hello@northwind.example"
SUBJECT = "The harvest lot, {{first_name}}"
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


def make_sender(workspace: Workspace) -> Sender:
    """Make the sender of a workspace."""
    return Sender.objects.create(workspace=workspace, from_name="Northwind", from_email=FROM)


def make_campaign(workspace: Workspace, readers: ContactList, sender: Sender) -> Campaign:
    """Make a draft of the mail to everybody on a list."""
    campaign = Campaign.objects.create(workspace=workspace, name="Benchmark", sender=sender)
    campaign.lists.set([readers])
    Variant.objects.create(workspace=workspace, campaign=campaign, subject=SUBJECT, preview_text="Now", body=BODY)
    return campaign


def launch(campaign: Campaign, provider: str) -> None:
    """Plan a campaign's recipients and let it send by `provider`."""
    with override_settings(EMAIL_PROVIDER=provider):
        planner.launch(campaign, now=timezone.now())


def send_here(campaign: Campaign) -> None:
    """Send a launched campaign in this process."""
    while pipeline.deliver(campaign_id=campaign.pk):
        pass


def count_sent(campaign_id: UUID) -> int:
    """Return how many rows of a campaign's ledger are sent."""
    return Message.objects.across_workspaces().filter(campaign_id=campaign_id, status=Message.Status.SENT).count()


def empty_ledger() -> None:
    """Remove all messages at once, so that every run finds the same tables."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_message CASCADE")


def sample_mail() -> bytes:
    """Return the bytes of one finished mail, as the benchmark's campaign sends it."""
    workspace = make_workspace("One reader")
    campaign = make_campaign(workspace, make_audience(workspace, 1), make_sender(workspace))
    launch(campaign, "capture")
    send_here(campaign)
    captured = CapturedMessage.objects.for_workspace(workspace).get(campaign=campaign)
    return bytes(captured.raw)


def count_taken(port: int) -> int:
    """Return how many messages the sink on a port has taken so far."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        return int(client.docmd("XCOUNT")[1])


def sample_parts() -> tuple[str, str]:
    """Return text and HTML of the same mail."""
    message = parse(sample_mail())
    return body_of(message, "plain"), body_of(message, "html")

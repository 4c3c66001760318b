"""kill -9 of the sender at 40 % of a campaign: what is lost, doubled or in doubt afterwards.

The mail server counts by recipient, so the ledger is not its own judge. Nothing may be lost or doubled, or the run
fails; what is measured is how many recipients nobody has to wonder about.
"""

from __future__ import annotations

import signal
import smtplib
import time
from collections.abc import Callable

from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import Workspace
from audiences.models import ContactList
from campaigns.delivery import planner, reaper
from campaigns.models import Campaign, Message, Sender, Variant
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.benchmarks.sender_process import sender_processes

CONNECTIONS = 8
KILLED_AT = 0.4
#: Seconds within which the campaign must have come so far.
PATIENCE_S = 120.0
BODY = [{"id": "text", "type": "text", "html": "<p>Hi {{first_name}}, the beans have left the farm.</p>" * 20}]


def _ask(port: int, command: str) -> list[int]:
    with smtplib.SMTP("127.0.0.1", port) as client:
        return [int(number) for number in client.docmd(command)[1].split()]


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    count = 30_000 if is_full else 6_000
    workspace = make_workspace("Killed in mid-campaign")
    readers = make_audience(workspace, count)
    sender = Sender.objects.create(workspace=workspace, from_name="Northwind", from_email="hello@northwind.example")

    def product() -> float:
        port = free_port()
        SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(port), port=port))
        campaign = _launch(workspace, readers, sender)
        environment = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "SEND_CONCURRENCY": str(CONNECTIONS)}
        with sender_processes(1, **environment) as senders:
            senders.begin(campaign.pk)
            _wait_until_taken(port, int(count * KILLED_AT))
            senders.stop(signal.SIGKILL)
        reaper.sweep(now=timezone.now())
        with sender_processes(1, **environment) as senders:
            senders.send(campaign.pk, workers=1)
        return count - _judge(campaign, port, count)

    def reference() -> float:
        return float(count - CONNECTIONS)

    return product, reference


def _launch(workspace: Workspace, readers: ContactList, sender: Sender) -> Campaign:
    campaign = Campaign.objects.create(workspace=workspace, name="Benchmark", sender=sender)
    campaign.lists.set([readers])
    Variant.objects.create(workspace=workspace, campaign=campaign, subject="The harvest lot", body=BODY)
    with override_settings(EMAIL_PROVIDER="smtp"):
        planner.launch(campaign, now=timezone.now())
    return campaign


def _wait_until_taken(port: int, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while _ask(port, "XCOUNT")[0] < number:
        assert time.monotonic() < deadline, "the sender is too slow to be killed in mid-campaign"


def _judge(campaign: Campaign, port: int, count: int) -> int:
    """Hold the ledger against what arrived; return how many messages are in doubt."""
    rows = Message.objects.across_workspaces().filter(campaign=campaign)
    sent = rows.filter(status=Message.Status.SENT).count()
    in_doubt = rows.filter(status=Message.Status.IN_DOUBT).count()
    reached, doubled = _ask(port, "XTALLY")
    rows.delete()
    assert doubled == 0, f"{doubled} recipients were mailed twice"
    assert sent + in_doubt == count, f"{count - sent - in_doubt} messages were lost"
    assert sent <= reached <= sent + in_doubt, f"{sent} called sent and {in_doubt} in doubt, but {reached} arrived"
    return in_doubt


BENCHMARK = Benchmark(
    name="kill -9 of the sender in mid-campaign",
    unit="recipients without doubt",
    reference_name=f"all but one for each of {CONNECTIONS} connections; none lost, none doubled",
    prepare=_prepare,
    floor=0.99,
    aim=1.0,
)

"""kill -9 of the sender at 40 % of a campaign: what is lost, doubled or in doubt afterwards.

The mail server counts by recipient, so the ledger is not its own judge. Nothing may be lost or doubled, or the run
fails; what is measured is how many recipients nobody has to wonder about. Run as
`python -m pulsequill.benchmarks.crash CAMPAIGN`, this module is the sender that gets killed.
"""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.env import BASE_DIR

if TYPE_CHECKING:
    from campaigns.models import Campaign

CONNECTIONS = 8
KILLED_AT = 0.4
#: Seconds within which the campaign must have come so far.
PATIENCE_S = 120.0


def deliver(campaign_id: str) -> None:
    """Send a campaign until nothing is left."""
    import django

    django.setup()
    from campaigns.delivery import pipeline

    while pipeline.deliver(campaign_id=campaign_id):
        pass


def _ask(port: int, command: str) -> list[int]:
    with smtplib.SMTP("127.0.0.1", port) as client:
        return [int(number) for number in client.docmd(command)[1].split()]


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    from pulsequill.benchmarks.audience import make_audience, make_workspace

    count = 30_000 if is_full else 6_000
    workspace = make_workspace("Killed in mid-campaign")
    readers = make_audience(workspace, count)

    def product() -> float:
        port = free_port()
        SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(port), port=port))
        campaign = _launch(workspace, readers)
        _send_and_kill(campaign, port, at=int(count * KILLED_AT))
        return count - _finish_and_judge(campaign, port, count)

    def reference() -> float:
        return float(count - CONNECTIONS)

    return product, reference


def _launch(workspace: object, readers: object) -> Campaign:
    from django.test.utils import override_settings
    from django.utils import timezone

    from campaigns.delivery import planner
    from campaigns.models import Campaign, Sender, Variant

    sender, _ = Sender.objects.get_or_create(
        workspace=workspace, from_name="Northwind", from_email="hello@northwind.example"
    )
    campaign = Campaign.objects.create(workspace=workspace, name="Benchmark", sender=sender)
    campaign.lists.set([readers])
    text = {"id": "text", "type": "text", "html": "<p>Hi {{first_name}}, the beans have left the farm.</p>" * 20}
    Variant.objects.create(workspace=workspace, campaign=campaign, subject="The harvest lot", body=[text])
    with override_settings(EMAIL_PROVIDER="smtp"):
        planner.launch(campaign, now=timezone.now())
    return campaign


def _start(campaign: Campaign, port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pulsequill.settings",
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "SEND_CONCURRENCY": str(CONNECTIONS),
    }
    command = [sys.executable, "-m", "pulsequill.benchmarks.crash", str(campaign.pk)]
    return subprocess.Popen(command, cwd=BASE_DIR, env=environment)  # noqa: S603 - our own argument list


def _send_and_kill(campaign: Campaign, port: int, *, at: int) -> None:
    sender = _start(campaign, port)
    deadline = time.monotonic() + PATIENCE_S
    while _ask(port, "XCOUNT")[0] < at:
        assert sender.poll() is None, "the sender ended by itself"
        assert time.monotonic() < deadline, "the sender is too slow to be killed in mid-campaign"
    sender.kill()
    sender.wait()


def _finish_and_judge(campaign: Campaign, port: int, count: int) -> int:
    """Let a second sender finish; return how many messages are in doubt."""
    from django.utils import timezone

    from campaigns.delivery import reaper
    from campaigns.models import Message

    reaper.sweep(now=timezone.now())
    assert _start(campaign, port).wait(PATIENCE_S) == 0
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

if __name__ == "__main__":
    deliver(sys.argv[1])

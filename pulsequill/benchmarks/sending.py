"""Sending whole campaigns with everything on: against a C client, against Django, and with one worker and two.

The clock runs from the first claim until the campaign says `sent`; planning has a benchmark of its own.
"""

from __future__ import annotations

import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from accounts.models import Workspace
from audiences.models import ContactList
from campaigns.models import Campaign, Sender
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark, Unavailable
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.benchmarks.sender_process import SenderProcesses, sender_processes

WORKERS = 2
CONNECTIONS = 16
#: The C client's sessions, as the target names them.
PEER_SESSIONS = 32
#: A slow server answers after so many milliseconds.
SLOW_MS = 10
Comparison = tuple[Callable[[], float], Callable[[], float]]


class SmtpBench:
    """A list of readers, a sink, and workers that send to it."""

    def __init__(self, name: str, count: int, *sink_options: str) -> None:
        self.count = count
        #: Bytes that the largest worker had after the last campaign.
        self.memory = 0
        self.port = free_port()
        SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(self.port), *sink_options, port=self.port))
        self.workers: SenderProcesses = SERVERS.enter_context(
            sender_processes(
                WORKERS, SMTP_URL=f"smtp://127.0.0.1:{self.port}", SEND_CONCURRENCY=str(CONNECTIONS), LOG_LEVEL="ERROR"
            )
        )
        self._workspace = make_workspace(name)
        self._sender = mail.make_sender(self._workspace)
        self._readers = make_audience(self._workspace, count)

    def send(self, *, workers: int) -> float:
        """Send one campaign to everybody and return messages a second, each in the sink and in the ledger."""
        mail.empty_ledger()
        campaign = mail.make_campaign(self._workspace, self._readers, self._sender)
        mail.launch(campaign, "smtp")
        before = mail.count_taken(self.port)
        started = time.perf_counter()
        self.memory = self.workers.send(campaign.pk, workers=workers)
        seconds = time.perf_counter() - started
        taken, sent = mail.count_taken(self.port) - before, mail.count_sent(campaign.pk)
        assert taken == sent == self.count, f"{taken} taken, {sent} sent of {self.count}"
        campaign.refresh_from_db()
        assert campaign.status == Campaign.Status.SENT, campaign.status
        return self.count / seconds


def _against_c(is_full: bool) -> Comparison:
    """The peer is postfix's `smtp-source`, which sends the same bytes over kept sessions and does nothing else."""
    peer = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if peer is None:
        raise Unavailable("smtp-source is not installed (Debian package postfix), so there is nothing to compare with.")
    bench = SmtpBench("Sending", 50_000 if is_full else 20_000)
    sample = Path(SERVERS.enter_context(tempfile.TemporaryDirectory())) / "sample.eml"
    sample.write_bytes(mail.sample_mail())
    command = [
        *(peer, "-d", "-s", str(PEER_SESSIONS), "-m", str(bench.count), "-F", str(sample)),
        *("-f", mail.FROM, "-t", "reader@example.com", f"127.0.0.1:{bench.port}"),
    ]

    def reference() -> float:
        before = mail.count_taken(bench.port)
        started = time.perf_counter()
        subprocess.run(command, check=True)  # noqa: S603
        seconds = time.perf_counter() - started
        assert mail.count_taken(bench.port) - before == bench.count
        return bench.count / seconds

    return lambda: bench.send(workers=WORKERS), reference


def _against_django(is_full: bool) -> Comparison:
    """The peer makes and sends the same mail by `send_messages` over one connection, a twentieth of them."""
    bench = SmtpBench("Sending beside Django", 50_000 if is_full else 10_000)
    text, html = mail.sample_parts()

    def reference() -> float:
        number = bench.count // 20
        before = mail.count_taken(bench.port)
        started = time.perf_counter()
        backend = EmailBackend(host="127.0.0.1", port=bench.port)
        messages = []
        for reader in range(number):
            message = EmailMultiAlternatives("The harvest lot", text, mail.FROM, [f"reader{reader}@example.com"])
            message.attach_alternative(html, "text/html")
            messages.append(message)
        backend.send_messages(messages)
        seconds = time.perf_counter() - started
        assert mail.count_taken(bench.port) - before == number
        return number / seconds

    return lambda: bench.send(workers=WORKERS), reference


def _two_workers(*sink_options: str, short: int, long: int) -> Callable[[bool], Comparison]:
    def prepare(is_full: bool) -> Comparison:
        bench = SmtpBench("Two workers", long if is_full else short, *sink_options)
        return lambda: bench.send(workers=2), lambda: bench.send(workers=1)

    return prepare


def _kept(is_full: bool) -> Comparison:
    """The outbox of a first run; the peer is `smtplib` with the same bytes."""
    count = 50_000 if is_full else 5_000
    workspace: Workspace = make_workspace("Sending into the outbox")
    sender: Sender = mail.make_sender(workspace)
    readers: ContactList = make_audience(workspace, count)
    raw = mail.sample_mail()
    port = free_port()
    SERVERS.enter_context(server("pulsequill.benchmarks.smtp_sink", str(port), port=port))

    def product() -> float:
        mail.empty_ledger()
        campaign = mail.make_campaign(workspace, readers, sender)
        mail.launch(campaign, "capture")
        started = time.perf_counter()
        mail.send_here(campaign)
        seconds = time.perf_counter() - started
        assert mail.count_sent(campaign.pk) == count
        return count / seconds

    def reference() -> float:
        number = count // 5
        started = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", port) as client:
            for reader in range(number):
                client.sendmail(mail.FROM, [f"reader{reader}@example.com"], raw)
        return number / (time.perf_counter() - started)

    return product, reference


SMTP = Benchmark(
    name=f"Sending a campaign by SMTP, {WORKERS} workers",
    unit="messages/s",
    reference_name="smtp-source, same bytes",
    prepare=_against_c,
    floor=0.40,
    aim=0.70,
)
DJANGO = Benchmark(
    name=f"Sending a campaign by SMTP, {WORKERS} workers",
    unit="messages/s",
    reference_name="Django send_messages",
    prepare=_against_django,
    floor=8.0,
    aim=15.0,
)
WORKERS_FAST = Benchmark(
    name="Two workers, fast server",
    unit="messages/s",
    reference_name="one worker",
    prepare=_two_workers(short=10_000, long=50_000),
    floor=1.2,
    aim=1.3,
)
WORKERS_SLOW = Benchmark(
    name=f"Two workers, server {SLOW_MS} ms away",
    unit="messages/s",
    reference_name="one worker",
    prepare=_two_workers(str(SLOW_MS), short=4_000, long=20_000),
    floor=1.5,
    aim=1.8,
)
CAPTURE = Benchmark(
    name="Sending, kept in the outbox",
    unit="messages/s",
    reference_name="bare smtplib loop, same bytes",
    prepare=_kept,
    floor=0.75,
    aim=3.0,
)

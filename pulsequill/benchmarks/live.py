"""Live pages: from an open at the endpoint to its frame at every watcher, and what watching costs the sending."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from accounts.services.api_keys import create_api_key
from analytics.selectors.live import get_live_frame
from campaigns.delivery.tracking import open_token
from campaigns.models import Campaign, DeliveryMinute, Message, Variant
from campaigns.selectors.tally import get_tally
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_audience, make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.http_load import load
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.benchmarks.watchers import percentile
from pulsequill.env import BASE_DIR

Comparison = tuple[Callable[[], float], Callable[[], float]]
LIMIT_MS = 2000.0
#: Whoever opens is a person at a computer.
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CONNECTIONS = 16

_ROWS = """
INSERT INTO campaigns_message (
       workspace_id, campaign_id, variant_id, email, email_normalized, is_test, status, reason, attempt_no, claimed_by,
       provider, provider_message_id, last_error_code, bounce_type, created_at, claimed_at, sent_at, delivered_at)
SELECT %(workspace)s, %(campaign)s, %(variant)s, address, address, false, 'sent', '', 1, '',
       'capture', '', '', '', %(at)s, %(at)s, %(at)s, %(at)s
  FROM (SELECT 'reader' || n || '@example.com' AS address FROM generate_series(1, %(count)s) AS n) AS made
"""


def make_sent(workspace: Workspace, count: int) -> Campaign:
    """Make a campaign that has sent so many messages a while ago and is still under way."""
    campaign = Campaign.objects.create(
        workspace=workspace, name=f"{count:,} messages", status=Campaign.Status.SENDING, provider="capture",
        recipients=count, launched_at=timezone.now(),
    )  # fmt: skip
    variant = Variant.objects.create(workspace=workspace, campaign=campaign, label="A", subject="x")
    at = timezone.now() - timedelta(hours=1)
    params: dict[str, Any] = {
        "workspace": workspace.pk,
        "campaign": campaign.pk,
        "variant": variant.pk,
        "count": count,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, params)
        cursor.execute("ANALYZE campaigns_message")
    DeliveryMinute.objects.create(
        campaign=campaign, variant=variant, minute=at.replace(second=0, microsecond=0), sent=count, delivered=count
    )
    return campaign


def authorization_of(workspace: Workspace) -> str:
    """Return the header of somebody who may watch the workspace's campaigns."""
    return "Bearer " + create_api_key(workspace=workspace, actor=None, name="Watchers", scopes=["campaign.view"])[1]


def _serve() -> int:
    port = free_port()
    environment = {"PORT": str(port), "HOST": "127.0.0.1"}
    SERVERS.enter_context(server("pulsequill.web", port=port, environment=environment))
    return port


@contextmanager
def _consuming() -> Iterator[None]:
    """Run the event consumer with its publisher."""
    process = subprocess.Popen([sys.executable, "manage.py", "consume_events"], cwd=BASE_DIR)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


class Watchers:
    """Sockets in a process of their own; `answer` waits for their end and says what they saw."""

    def __init__(self, port: int, campaign: Campaign, authorization: str, *, sockets: int, seconds: float) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [
                *(sys.executable, "-m", "pulsequill.benchmarks.watchers", "--counts"),
                *("--sockets", str(sockets), "--seconds", str(seconds)),
                f"ws://127.0.0.1:{port}/ws/campaigns/{campaign.pk}",
            ],
            cwd=BASE_DIR,
            env={**os.environ, "AUTHORIZATION": authorization},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        if "watching" not in (said := self._process.stderr.readline()):
            raise RuntimeError(f"the watchers did not start: {said}{self._process.stderr.read()[-2000:]}")

    def answer(self) -> dict[str, Any]:
        """Return what `pulsequill.benchmarks.watchers` prints."""
        said, _ = self._process.communicate()
        answer: dict[str, Any] = json.loads(said)
        return answer


def delays_of(answered_at: list[float], counts: list[tuple[float, int]], *, sockets: int) -> list[float]:
    """Return for each event how long it took to the first frame that counts it.

    Args:
        answered_at: when the endpoint had answered the n-th event, in order.
        counts: when a frame came and how many were counted in it, of all sockets together.
        sockets: how many watch. Later frames may tell a count again (the one that follows when nothing more happens).
    """
    best: dict[int, list[float]] = {}
    for moment, count in counts:
        best.setdefault(count, []).append(moment)
    delays = []
    seen = sorted(best)
    for number, at in enumerate(answered_at, 1):
        place = bisect_left(seen, number)
        if place < len(seen):
            moments = sorted(best[seen[place]])[:sockets]
            delays.append(moments[int(len(moments) * 0.95)] - at)  # as late as 95 % of the watchers had it
    return delays


def _frames(is_full: bool) -> Comparison:
    rate, seconds, sockets = (2000, 20, 500) if is_full else (500, 8, 100)
    workspace = make_workspace("Live")
    authorization = authorization_of(workspace)
    port = _serve()
    SERVERS.enter_context(_consuming())

    def product() -> float:
        campaign = make_sent(workspace, rate * seconds)
        tokens = Message.objects.for_workspace(workspace).filter(campaign=campaign).values_list("pk", flat=True)
        requests = [
            f"GET /t/o/{open_token(pk)} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {AGENT}\r\n\r\n".encode()
            for pk in tokens
        ]
        watchers = Watchers(port, campaign, authorization, sockets=sockets, seconds=seconds + 6)
        answered_at: list[float] = []
        part = max(1, rate // 20)
        started = time.time()
        for first in range(0, len(requests), part):  # a twentieth of a second's events at a time
            pause = started + first / rate - time.time()
            if pause > 0:
                time.sleep(pause)
            result = load(port, requests[first : first + part], connections=CONNECTIONS)
            assert set(result.statuses) == {200}, result.statuses
            answered_at += [time.time()] * sum(result.statuses.values())
        seen = watchers.answer()
        assert (seen["opened"], seen["closed"]) == (sockets, {}), seen["closed"]
        assert max(count for _, count in seen["counts"]) == len(requests), "an event never reached a watcher"
        took = time.time() - started - 6
        sys.stderr.write(
            f"  {len(requests) / took:,.0f} events/s, {seen['frames']:,} frames to {sockets} sockets, "
            f"{seen['delay_p95_s'] * 1000:.0f} ms from a frame's making to its receipt at p95\n"
        )
        return percentile(delays_of(answered_at, seen["counts"], sockets=sockets), 0.95) * 1000

    return product, lambda: LIMIT_MS


def _sending(is_full: bool) -> Comparison:
    count, sockets = (50_000, 500) if is_full else (10_000, 100)
    workspace = make_workspace("Watched sending")
    authorization, port = authorization_of(workspace), _serve()
    sender, readers = mail.make_sender(workspace), make_audience(workspace, count)
    SERVERS.enter_context(_consuming())

    def send(watched: int) -> float:
        mail.empty_ledger()
        campaign = mail.make_campaign(workspace, readers, sender)
        mail.launch(campaign, "capture")
        watchers = None
        if watched:
            watchers = Watchers(port, campaign, authorization, sockets=watched, seconds=count / 1000)
        started = time.perf_counter()
        mail.send_here(campaign)
        took = time.perf_counter() - started
        assert mail.count_sent(campaign.pk) == count
        if watchers is not None:
            assert watchers.answer()["frames"] > 0, "nobody saw a frame"
        return count / took

    return lambda: send(sockets), lambda: send(0)


def _large(is_full: bool) -> Comparison:
    small, large = 10_000, 1_000_000 if is_full else 200_000
    workspace = make_workspace("Frames")
    mail.empty_ledger()

    def frame_of(campaign: Campaign) -> Callable[[], float]:
        def measure() -> float:
            get_tally(campaign)  # beside the frames, in a thread of the publisher
            times = []
            for _ in range(100):
                started = time.perf_counter()
                frame = get_live_frame(campaign, may_count=False)
                times.append(time.perf_counter() - started)
            assert frame["totals"]["sent"] == campaign.recipients
            return percentile(times, 0.5) * 1000

        return measure

    return frame_of(make_sent(workspace, large)), frame_of(make_sent(workspace, small))


FRAMES = Benchmark(
    name="Live: from an open at the endpoint to its frame at 95 % of the watchers",
    unit="ms at p95",
    reference_name="the limit",
    prepare=_frames,
    floor=1.0,
    aim=2.0,
    is_lower_better=True,
)
SENDING = Benchmark(
    name="Live: sending while it is watched",
    unit="messages/s",
    reference_name="the same, nobody watches",
    prepare=_sending,
    floor=0.7,
    aim=0.9,
)
LARGE = Benchmark(
    name="Live: a frame of a large ledger (200,000; full size a million)",
    unit="ms",
    reference_name="a frame of 10,000 messages",
    prepare=_large,
    floor=0.67,
    aim=0.9,
    is_lower_better=True,
)

"""Live pages: what the web process computes for a frame that goes to many watchers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

import psutil
from django.utils import timezone

from analytics.selectors.live import get_live_frame
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.audience import make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.live import Comparison, Watchers, authorization_of, make_sent
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.core.live import campaign_group, push_encoded

FRAMES, A_SECOND = 30, 8


def _prepare(is_full: bool) -> Comparison:
    sockets = 500 if is_full else 200
    workspace = make_workspace("Watched")
    mail.empty_ledger()
    campaign, authorization = make_sent(workspace, 1_000), authorization_of(workspace)
    frame = get_live_frame(campaign, may_count=False)
    del frame["at"]
    ports = free_port(), free_port()
    ours = server("pulsequill.web", port=ports[0], environment={"PORT": str(ports[0]), "HOST": "127.0.0.1"})
    bare = server("pulsequill.benchmarks.bare_socket", str(ports[1]), port=ports[1])
    processes = [psutil.Process(SERVERS.enter_context(one).pid) for one in (ours, bare)]

    def measure(which: int, send: Callable[[int, str], None]) -> float:
        watchers = Watchers(ports[which], campaign, authorization, sockets=sockets, seconds=FRAMES / A_SECOND + 2)
        before, started = processes[which].cpu_times(), time.monotonic()
        for number in range(1, FRAMES + 1):
            now = {"seq": number, "type": "totals", "at": timezone.now().isoformat()}
            send(number, json.dumps({**now, **frame}, separators=(",", ":")))
            time.sleep(max(0.0, started + number / A_SECOND - time.monotonic()))
        after = processes[which].cpu_times()
        assert watchers.answer()["frames"] == sockets * FRAMES, "a frame never reached a watcher"
        return (after.user + after.system - before.user - before.system) / FRAMES * 1000

    def post(_number: int, text: str) -> None:
        with urlopen(Request(f"http://127.0.0.1:{ports[1]}/", data=text.encode())):
            pass

    return (
        lambda: measure(0, lambda number, text: push_encoded(campaign_group(campaign.pk), number, text)),
        lambda: measure(1, post),
    )


BENCHMARK = Benchmark(
    name="Live: CPU of the web process for a frame to 200 watchers (full size 500)",
    unit="ms a frame",
    reference_name="bare sockets",
    prepare=_prepare,
    floor=0.12,
    aim=0.25,
    is_lower_better=True,
)

"""Tracking: how many opens a second the signed endpoint takes, each persisted in the stream before its answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import redis
from django.conf import settings

from campaigns.delivery.tracking import open_token
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.http_load import load
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.core.event_log import FIELD, STREAM
from pulsequill.models import StrayEvent

CONNECTIONS = 64


def _serve(application: str) -> int:
    port = free_port()
    SERVERS.enter_context(
        server("uvicorn", application, "--port", str(port), "--log-level", "warning", "--no-access-log", port=port)
    )
    return port


def prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """Start both servers and return the loads; each asserts that every request was answered 200."""
    count = 100_000 if is_full else 20_000
    product_port = _serve("pulsequill.asgi:application")
    reference_port = _serve("pulsequill.benchmarks.bare_pixel:application")
    requests = [
        f"GET /t/o/{open_token(number)} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\n\r\n".encode()
        for number in range(1, count + 1)
    ]
    stream = redis.Redis.from_url(settings.STREAMS_URL)

    def product() -> float:
        stream.xtrim(STREAM, maxlen=0)  # deleted, the server would write again what it remembers
        StrayEvent.objects.all().delete()
        result = load(product_port, requests, connections=CONNECTIONS)
        assert result.statuses == {200: count}, result.statuses
        entries = [fields[FIELD.encode()] for _, fields in stream.xrange(STREAM)]
        kept = {json.loads(line)["key"] for entry in entries for line in entry.split(b"\n")}
        # When the machine is so busy that Valkey does not answer in time, PostgreSQL keeps them.
        kept.update(StrayEvent.objects.values_list("dedupe_key", flat=True))
        assert len(kept) == count, "an open was answered but not kept"
        return result.rate

    def reference() -> float:
        result = load(reference_port, requests, connections=CONNECTIONS)
        assert result.statuses == {200: count}, result.statuses
        return result.rate

    return product, reference


BENCHMARK = Benchmark(
    name="Tracking: opens kept in the stream",
    unit="requests/s",
    reference_name="bare ASGI pixel on the same server",
    prepare=prepare,
    floor=0.25,
    aim=0.40,
)

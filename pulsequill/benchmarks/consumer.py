"""The event consumer: from the stream to exact figures, against a bare COPY of the same events into the same table."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection, transaction

from analytics.ingest import consumer as consumer_module
from analytics.models import Event
from analytics.tracking.writer import EVENTS_AN_ENTRY
from pulsequill.benchmarks import campaign as mail
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.sent_ledger import make_lines, make_sent_campaign
from pulsequill.core.event_log import FIELD, STREAM

_ROLLUPS = (
    "analytics_event", "analytics_campaignstats", "analytics_linkstats", "analytics_eventminute",
    "analytics_breakdown",
)  # fmt: skip
_FORGET = """
UPDATE campaigns_message SET delivered_at = NULL, first_opened_at = NULL, first_machine_opened_at = NULL,
       first_clicked_at = NULL, first_machine_clicked_at = NULL
"""


def _prepare(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    count = 400_000 if is_full else 60_000
    mail.empty_ledger()
    campaign = make_sent_campaign("Consumer", count // 3)
    lines = make_lines(campaign, count)
    entries = [b"\n".join(lines[start : start + EVENTS_AN_ENTRY]) for start in range(0, count, EVENTS_AN_ENTRY)]
    size = consumer_module.ENTRIES_A_READ * EVENTS_AN_ENTRY
    stream = redis.Redis.from_url(settings.STREAMS_URL)

    def forget() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(_ROLLUPS)} CASCADE")
            cursor.execute(_FORGET)
            cursor.execute("VACUUM campaigns_message")

    def product() -> float:
        forget()
        stream.flushdb()
        for entry in entries:
            stream.xadd(STREAM, {FIELD: entry})
        reader = consumer_module.Consumer(name="benchmark")
        started = time.perf_counter()
        while reader.read_stream(block_ms=None):
            pass
        seconds = time.perf_counter() - started
        assert Event.objects.count() == count, "an event was not stored"
        return count / seconds

    product()
    rows = _stored()
    batches = [b"".join(rows[start : start + size]) for start in range(0, count, size)]

    def reference() -> float:
        forget()
        started = time.perf_counter()
        for batch in batches:
            with transaction.atomic(), connection.cursor() as cursor, cursor.copy(_BARE) as copy:
                copy.write(batch)
        seconds = time.perf_counter() - started
        assert Event.objects.count() == count
        return count / seconds

    return product, reference


_COLUMNS = (
    "workspace_id, campaign_id, message_id, link_id, kind, actor, actor_reason, dedupe_key, occurred_at, received_at, "
    "source, user_agent, ip_address, data, device, client, country, mailbox"
)
_BARE = f"COPY analytics_event ({_COLUMNS}) FROM STDIN"


def _stored() -> list[bytes]:
    """Return the events as the consumer stored them, as lines of COPY."""
    order = f"COPY (SELECT {_COLUMNS} FROM analytics_event ORDER BY id) TO STDOUT"  # noqa: S608 our own columns
    with connection.cursor() as cursor, cursor.copy(order) as copy:
        return b"".join(bytes(part) for part in copy).splitlines(keepends=True)


BENCHMARK = Benchmark(
    name="Event consumer: exact uniques, classes and rollups",
    unit="events/s",
    reference_name="bare COPY into the same indexed table",
    prepare=_prepare,
    floor=0.10,
    aim=0.17,
)

"""Batches that fail: for what they contain, for a reason that passes, after the commit, and what the log says of it."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from structlog.testing import capture_logs

from analytics.ingest import consumer as consumer_module
from analytics.ingest.consumer import GROUP, Consumer, NotStored, store_safely
from analytics.ingest.store import store
from analytics.models import CampaignStats, Event
from campaigns.models import Message
from pulsequill.core.event_log import FIELD, STREAM, append_durably, encode
from pulsequill.core.live import DIRTY
from pulsequill.core.valkey import streams_client
from pulsequill.models import StrayEvent
from tests.analytics.making import SENT_AT, make_mailing
from tests.waiting import wait_until


def opened(message: Message, **more: Any) -> bytes:
    later = SENT_AT + timedelta(minutes=1)
    return encode(kind="opened", message_id=message.pk, source="tracking", occurred_at=later, **more)


def add(*lines: bytes) -> None:
    streams_client().xadd(STREAM, {FIELD: b"\n".join(lines)})


@pytest.mark.django_db
def test_an_error_that_passes_sets_no_event_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    mailing = make_mailing(size=2)
    failures = iter([True, True])

    def flaky(lines: Any) -> Any:
        changed = store(lines)
        if next(failures, False):
            raise RuntimeError("passing")
        return changed

    monkeypatch.setattr(consumer_module, "store", flaky)
    append_durably([opened(message) for message in mailing.messages])
    consumer = Consumer()
    for _ in range(2):
        with pytest.raises(NotStored):
            consumer.drain_strays()
        assert StrayEvent.objects.filter(problem="").count() == 2
    assert consumer.drain_strays() == 2
    assert (Event.objects.count(), StrayEvent.objects.count()) == (2, 0)


@pytest.mark.django_db
def test_a_line_that_fails_each_time_is_found_and_holds_up_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    mailing = make_mailing(size=3)
    lines = [opened(message) for message in mailing.messages]

    def picky(batch: Any) -> Any:
        if lines[1] in batch:
            raise RuntimeError("a fault of ours")
        return store(batch)

    monkeypatch.setattr(consumer_module, "store", picky)
    add(*lines)
    consumer = Consumer(name="a")
    for _ in range(consumer_module.MOST_TRIES):
        with pytest.raises(NotStored):
            consumer.read_stream(block_ms=None)
    assert streams_client().xpending(STREAM, GROUP)["pending"] == 1
    with capture_logs() as logs:
        assert consumer.read_stream(block_ms=None) == 1
    assert Event.objects.count() == 2
    assert StrayEvent.objects.get().problem == "cannot be stored: a fault of ours"
    assert [(entry["log_level"], entry["error"]) for entry in logs] == [("error", "RuntimeError")]


@pytest.mark.django_db(transaction=True)
def test_a_hook_that_fails_after_the_commit_hides_neither_the_commit_nor_other_hooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailing = make_mailing(size=1)
    ran: list[str] = []

    def fail() -> None:
        raise RuntimeError("the broker is away")

    def with_hooks(lines: Any) -> Any:
        changed = store(lines)
        transaction.on_commit(fail)
        transaction.on_commit(lambda: ran.append("the other"))
        return changed

    monkeypatch.setattr(consumer_module, "store", with_hooks)
    with capture_logs() as logs:
        add(opened(mailing.messages[0]))
        assert Consumer(name="a").read_stream(block_ms=None) == 1
        append_durably([opened(mailing.messages[0], user_agent="Firefox/140")])
        assert Consumer(name="a").drain_strays() == 1
    assert (Event.objects.count(), StrayEvent.objects.count(), ran) == (2, 0, ["the other"] * 2)
    assert streams_client().smembers(DIRTY) == {str(mailing.campaign.pk).encode()}
    assert [entry["event"] for entry in logs] == ["hook_failed_after_commit"] * 2


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_workspace_that_is_gone_does_not_block_those_that_wait_with_it() -> None:
    mailing = make_mailing(size=1)
    append_durably(
        [
            encode(kind="opened", message_id=None, source="sendgrid", workspace_id=uuid.uuid4()),
            opened(mailing.messages[0]),
        ]
    )
    assert Consumer().drain_strays() == 2
    assert Event.objects.get().message_id == mailing.messages[0].pk
    assert StrayEvent.objects.get().problem.startswith("cannot be stored: insert or update on table")


@pytest.mark.django_db
def test_the_log_names_the_event_and_the_constraint_and_nothing_about_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailing = make_mailing(size=1)
    person = ("203.0.113.7", "Firefox/140", "somebody@example.com")

    def refused(lines: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO analytics_event (dedupe_key, ip_address, user_agent, data, kind, source) "
                "VALUES ('k', %s, %s, jsonb_build_object('detail', %s::text), 'opened', 'tracking')", person
            )  # fmt: skip

    monkeypatch.setattr(consumer_module, "store", refused)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        refused([])
    assert all(word in str(caught.value) for word in person), "the driver's text would tell"
    with capture_logs() as logs:
        store_safely([opened(mailing.messages[0], dedupe_key="one-open", ip=person[0], user_agent=person[1])])
    (entry,) = logs
    assert (entry["event_key"], entry["sqlstate"]) == ("one-open", "23502")
    assert not [word for word in person if word in str(entry)]


@pytest.mark.django_db(transaction=True)
def test_the_consumer_goes_on_after_an_error_that_nobody_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    mailing = make_mailing(size=1)
    real, failures = Consumer._acknowledge, iter([True])

    def flaky(consumer: Consumer, entry_ids: list[bytes]) -> None:
        if next(failures, False):
            raise RuntimeError("nobody thought of it")
        real(consumer, entry_ids)

    monkeypatch.setattr(Consumer, "_acknowledge", flaky)
    monkeypatch.setattr(consumer_module, "BACKOFF_S", (0.01,))
    add(opened(mailing.messages[0]))
    stop = threading.Event()
    thread = threading.Thread(target=lambda: (Consumer(name="a").run(stop), connection.close()))
    thread.start()
    try:
        wait_until(lambda: streams_client().xlen(STREAM) == 0)
    finally:
        stop.set()
        thread.join()
    assert CampaignStats.objects.get().opens + CampaignStats.objects.get().machine_opens == 1

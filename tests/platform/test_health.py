"""The probes: alive, ready, and what Prometheus may read."""

from __future__ import annotations

import time

import pytest
from django.test import Client, override_settings
from redis.exceptions import ConnectionError as ValkeyAway

from pulsequill.core import heartbeats
from pulsequill.core.valkey import streams_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def _everybody_alive() -> None:
    names = [heartbeats.BEAT, heartbeats.CONSUMER, heartbeats.PUBLISHER]
    names += [heartbeats.worker_of(queue) for queue in heartbeats.QUEUES]
    heartbeats.sign(*names, *map(heartbeats.age_of, heartbeats.QUEUES))


def test_healthz_asks_for_nothing(client: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("_everybody_alive")
def test_readyz_says_yes_when_everything_lives(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()["checks"]) == {
        "database", "migrations", "valkey", "worker", "beat", "consumer", "publisher", "queue_age"
    }  # fmt: skip
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.usefixtures("_everybody_alive")
@pytest.mark.parametrize(
    ("sign", "check", "words"),
    [
        (heartbeats.worker_of("ai"), "worker", "Nobody works on: ai."),
        (heartbeats.BEAT, "beat", "Celery beat has given no sign of life"),
        (heartbeats.CONSUMER, "consumer", "The event consumer has given no sign of life"),
        (heartbeats.PUBLISHER, "publisher", "The live publisher has given no sign of life"),
        (heartbeats.age_of("sending"), "queue_age", "No task has come through yet: sending."),
    ],
)
def test_readyz_names_the_one_that_is_missing(client: Client, sign: str, check: str, words: str) -> None:
    streams_client().delete(f"heartbeat:{sign}")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    failed = {name: row["detail"] for name, row in answer.json()["checks"].items() if not row["ok"]}
    assert list(failed) == [check]
    assert words in failed[check]


@pytest.mark.usefixtures("_everybody_alive")
def test_a_queue_that_has_been_stuck_for_long_is_not_ready(client: Client) -> None:
    heartbeats.sign(heartbeats.age_of("imports"), at=time.time() - 3600, expiry_s=heartbeats.QUEUE_EXPIRY_S)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "(imports) came through 3600 s ago" in answer.json()["checks"]["queue_age"]["detail"]


@pytest.mark.usefixtures("_everybody_alive")
def test_readyz_notices_a_migration_that_was_not_applied(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from pulsequill.core import health

    known = health._migrations_on_disk()
    monkeypatch.setattr(health, "_migrations_on_disk", lambda: known | {("campaigns", "9999_tomorrow")})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "campaigns.9999_tomorrow" in answer.json()["checks"]["migrations"]["detail"]


def test_readyz_answers_while_valkey_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def ping(self) -> None:
            raise ValkeyAway("gone")

        def mget(self, _names: list[str]) -> None:
            raise ValkeyAway("gone")

    monkeypatch.setattr(heartbeats, "streams_client", Away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["valkey"] == {"ok": False, "detail": "Valkey does not answer."}
    assert answer.json()["checks"]["database"]["ok"]


def test_metrics_are_for_this_machine_only_when_there_is_no_token(client: Client) -> None:
    assert b"django_http_requests" in client.get("/metrics", REMOTE_ADDR="127.0.0.1").content
    assert client.get("/metrics", REMOTE_ADDR="198.51.100.7").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 404


@override_settings(METRICS_TOKEN="scrape-me")
def test_metrics_ask_for_their_token_when_there_is_one(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404
    answer = client.get("/metrics", REMOTE_ADDR="198.51.100.7", HTTP_AUTHORIZATION="Bearer scrape-me")
    assert answer.status_code == 200


def test_probes_leave_nothing_in_the_database(client: Client, django_assert_num_queries) -> None:
    client.get("/readyz")
    with django_assert_num_queries(3) as queries:
        client.get("/readyz")
    assert all(query["sql"].lstrip().startswith("SELECT") for query in queries)

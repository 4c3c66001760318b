"""Whether this installation can do its work: the checks behind `/readyz` and `manage.py doctor`.

Nothing is written, and every check gives up within seconds, so probes may ask as often as they like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from pulsequill.core import heartbeats
from pulsequill.core.valkey import AWAY

#: A queue whose newest task came through longer ago than this is stuck.
QUEUE_AGE_LIMIT_S = 600
MIGRATIONS_UNKNOWN = "Not known while PostgreSQL is away."


@dataclass(frozen=True)
class Check:
    """The answer of one check: `detail` is a sentence for the person who reads the probe."""

    name: str
    is_ok: bool
    detail: str


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """The migrations of the code that this process runs; they cannot change while it runs."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def check_database() -> Check:
    """Ask the database for a row."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Check("database", False, "PostgreSQL does not answer.")
    return Check("database", True, "PostgreSQL answers.")


def check_migrations() -> Check:
    """Compare the migrations of the code with those the database has."""
    try:
        missing = _migrations_on_disk() - set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError:
        return Check("migrations", False, MIGRATIONS_UNKNOWN)
    if missing:
        first = ".".join(min(missing))
        return Check("migrations", False, f"{len(missing)} not applied, such as {first}. Run: manage.py migrate")
    return Check("migrations", True, "All are applied.")


def check_valkey() -> Check:
    """Ping Valkey."""
    try:
        heartbeats.ping()
    except AWAY:
        return Check("valkey", False, "Valkey does not answer.")
    return Check("valkey", True, "Valkey answers.")


def _ages(*names: str) -> dict[str, float | None]:
    try:
        return heartbeats.ages(*names)
    except AWAY:
        return dict.fromkeys(names)


def check_worker() -> Check:
    """Every queue has a worker that takes tasks from it."""
    ages = _ages(*(heartbeats.worker_of(queue) for queue in heartbeats.QUEUES))
    alone = [queue for queue in heartbeats.QUEUES if ages[heartbeats.worker_of(queue)] is None]
    if alone:
        return Check("worker", False, f"Nobody works on: {', '.join(alone)}.")
    return Check("worker", True, "Every queue has a worker.")


def _process(name: str, label: str) -> Check:
    age = _ages(name)[name]
    if age is None:
        return Check(name, False, f"{label} has given no sign of life for {heartbeats.EXPIRY_S} s.")
    return Check(name, True, f"{label} gave a sign of life {age:.0f} s ago.")


def check_beat() -> Check:
    """Beat sends tasks."""
    return _process(heartbeats.BEAT, "Celery beat")


def check_consumer() -> Check:
    """The event consumer runs its loop."""
    return _process(heartbeats.CONSUMER, "The event consumer")


def check_publisher() -> Check:
    """The live publisher, which runs beside the event consumer, runs its loop."""
    return _process(heartbeats.PUBLISHER, "The live publisher")


def check_queue_age() -> Check:
    """Tasks come through every queue."""
    ages = {queue: _ages(heartbeats.age_of(queue))[heartbeats.age_of(queue)] for queue in heartbeats.QUEUES}
    never = [queue for queue, age in ages.items() if age is None]
    if never:
        return Check("queue_age", False, f"No task has come through yet: {', '.join(never)}.")
    queue, oldest = max(ages.items(), key=lambda item: item[1] or 0.0)
    sentence = f"The newest task of the slowest queue ({queue}) came through {oldest:.0f} s ago."
    return Check("queue_age", (oldest or 0.0) <= QUEUE_AGE_LIMIT_S, sentence)


CHECKS: tuple[Callable[[], Check], ...] = (
    check_database,
    check_migrations,
    check_valkey,
    check_worker,
    check_beat,
    check_consumer,
    check_publisher,
    check_queue_age,
)


def run_checks() -> list[Check]:
    """Run every check once; what needs the database is not asked while it is away, so that the answer comes soon."""
    answers: list[Check] = []
    for check in CHECKS:
        if check is check_migrations and not answers[0].is_ok:
            answers.append(Check("migrations", False, MIGRATIONS_UNKNOWN))
        else:
            answers.append(check())
    return answers

"""Signs of life of the background processes: keys in Valkey that expire by themselves, nothing in the database.

Each process writes its own sign, so that a missing one says which process is missing:

- a worker, for every queue it takes tasks from, by Celery's own timer (also while all its slots are busy);
- beat, whenever it sends the `pulsequill.heartbeat` task;
- the event consumer, on every round of its loop, and so the live publisher beside it;
- a queue, when its newest heartbeat task has come through: how long ago that was sent is the age of the queue.

Signs live beside the event stream and not in the cache: emptying the cache must not look like an outage.
"""

from __future__ import annotations

import time

from pulsequill.core.valkey import streams_client

#: A process is missing once its sign is older than this.
EXPIRY_S = 30
#: Queue signs are kept long enough to say how far behind a queue is.
QUEUE_EXPIRY_S = 24 * 60 * 60

QUEUES = ("default", "sending", "imports", "watch", "ai")
BEAT = "beat"
CONSUMER = "consumer"
PUBLISHER = "publisher"


def worker_of(queue: str) -> str:
    """Return the name of the sign that somebody takes tasks from `queue`."""
    return f"worker:{queue}"


def age_of(queue: str) -> str:
    """Return the name of the sign that a task has come through `queue`."""
    return f"queue:{queue}"


def _key(name: str) -> str:
    return f"heartbeat:{name}"


def sign(*names: str, at: float | None = None, expiry_s: int = EXPIRY_S) -> None:
    """Write signs of life, dated now or `at` (seconds since the epoch).

    Raises:
        one of `pulsequill.core.valkey.AWAY`: Valkey is away.
    """
    moment = repr(time.time() if at is None else at)
    with streams_client().pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(_key(name), moment, ex=expiry_s)
        pipeline.execute()


def ages(*names: str) -> dict[str, float | None]:
    """Return how many seconds ago each sign was written; None when there is none.

    Raises:
        one of `pulsequill.core.valkey.AWAY`: Valkey is away.
    """
    now = time.time()
    values = streams_client().mget([_key(name) for name in names])
    return {
        name: None if value is None else max(0.0, now - float(value)) for name, value in zip(names, values, strict=True)
    }


def ping() -> None:
    """Ask Valkey for a sign of its own life.

    Raises:
        one of `pulsequill.core.valkey.AWAY`: Valkey is away.
    """
    streams_client().ping()

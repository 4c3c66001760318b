"""Whether a task was asked to stop, for loops that run until they are cancelled."""

from __future__ import annotations

import asyncio


def is_cancelled() -> bool:
    """Return whether somebody cancelled the running task, even if an awaited call swallowed the `CancelledError`.

    Until Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with its result
    (https://github.com/python/cpython/issues/86296), and redis-py sends through it. A loop that rests on the exception
    alone then runs for ever, and whoever waits for its end waits with it.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

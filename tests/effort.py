"""What a piece of work costs, in a unit that other programs on the machine do not change."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """Seconds of this process's CPU that `work` takes. Compare two of them: a figure alone says more of the machine."""
    started = time.process_time()
    work()
    return time.process_time() - started

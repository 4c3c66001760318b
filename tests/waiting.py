"""Waiting for a condition, in place of sleeping for as long as it usually takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class Vain(AssertionError):
    """Something did not come about in time."""


def wait_until(
    condition: Callable[[], Any], *, timeout_s: float = 30, what: str = "a condition", every_s: float = 0.02
) -> Any:
    """Return the first true answer of `condition`.

    Raises:
        Vain: there was none in time.
    """
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Vain(f"waited {timeout_s:g} s in vain: {what}")
        time.sleep(every_s)
    return answer

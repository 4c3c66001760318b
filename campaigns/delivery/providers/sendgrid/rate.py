"""How many calls SendGrid still allows, by what its headers last said; shared by all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping


class RateGate:
    """Lets a call through when SendGrid allows one more.

    `X-RateLimit-Remaining` counts the calls that are left until `X-RateLimit-Reset` (epoch seconds). Calls that are
    under way when an answer comes may not be in its count yet, so they are taken off.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._left: int | None = None
        """Calls that may still be started; None when no limit is known."""
        self._resets_at = 0.0
        """`time.monotonic()` from which the count does not hold any more."""

    def enter(self, deadline: float) -> bool:
        """Wait until a call is allowed; `leave` must follow.

        Args:
            deadline: `time.monotonic()` after which it is of no use.

        Returns:
            False, without a call to be left, when that would be too late.
        """
        with self._changed:
            while not self._has_room():
                if self._resets_at >= deadline:
                    return False
                self._changed.wait(self._resets_at - time.monotonic())
            if time.monotonic() >= deadline:
                return False
            if self._left is not None:
                self._left -= 1
            self._under_way += 1
            return True

    def leave(self, headers: Mapping[str, str] | None, *, is_refused: bool = False) -> float | None:
        """Take in the headers of an answer, or None when there was no answer.

        Args:
            headers: of the answer.
            is_refused: the call came one too many (429).

        Returns:
            Seconds until calls are allowed again, or None when they are allowed now.
        """
        with self._changed:
            self._under_way -= 1
            wait_s = self._learn(headers or {}, is_refused=is_refused)
            self._changed.notify_all()
        return wait_s

    def _has_room(self) -> bool:
        if self._left is not None and time.monotonic() >= self._resets_at:
            self._left = None
        return self._left is None or self._left > 0

    def _learn(self, headers: Mapping[str, str], *, is_refused: bool) -> float | None:
        try:
            remaining = int(headers.get("X-RateLimit-Remaining", ""))
            wait_s = float(headers.get("X-RateLimit-Reset", "")) - time.time()
        except ValueError:
            if not is_refused:
                return None
            remaining, wait_s = 0, 0.0
        if is_refused:
            remaining, wait_s = 0, max(wait_s, 1.0)
        if wait_s <= 0:
            return None
        self._left = remaining - self._under_way
        self._resets_at = time.monotonic() + wait_s
        return wait_s if remaining <= 0 else None

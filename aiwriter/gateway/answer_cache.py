"""Answers that may be given again, and one call for callers who ask the same at the same time.

LangChain's own cache does not cover streams and would book the tokens a second time (AI.md 1.7). Here a repeat costs
nothing and says so in the audit row. Keys hold the workspace: no answer crosses a tenant. Valkey keeps them; without it
every question is asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from pulsequill.core.valkey import AWAY, counters_client

KEEP_S = 24 * 3600
LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A complete answer as a provider gave it."""

    text: str
    provider: str
    model: str
    finish_reason: str


def _name(workspace_id: Any, digest: str) -> str:
    return f"ai:answer:{workspace_id}:{digest}"


def find(*, workspace_id: Any, digest: str) -> CachedAnswer | None:
    """Return the answer to a question that was asked before, or None.

    Args:
        workspace_id: whose question.
        digest: `LLMRequest.sha256()` with the model that answers.
    """
    try:
        stored = counters_client().get(_name(workspace_id, digest))
        return CachedAnswer(**json.loads(stored)) if stored else None
    except (*AWAY, TypeError):
        return None


def keep(answer: CachedAnswer, *, workspace_id: Any, digest: str) -> None:
    """Keep an answer for a day."""
    try:
        counters_client().set(_name(workspace_id, digest), json.dumps(asdict(answer)), ex=KEEP_S)
    except AWAY:
        return


@contextmanager
def single_flight(
    *, workspace_id: Any, digest: str, longest_s: float, patience_s: float, checkpoint: Callable[[], None]
) -> Iterator[CachedAnswer | None]:
    """Let one caller ask and the others wait for its answer.

    Args:
        workspace_id: whose question.
        digest: of the question.
        longest_s: how long the one who asks may take; then the next one asks.
        patience_s: how long to wait for somebody else, who may have died; then we ask ourselves.
        checkpoint: called while waiting; raises to stop.

    Yields:
        The answer that somebody else brought meanwhile, or None: it is ours to ask.
    """
    flight = f"{_name(workspace_id, digest)}:asking"
    is_ours = False
    impatient_at = time.monotonic() + patience_s
    try:
        while True:
            if answer := find(workspace_id=workspace_id, digest=digest):
                break
            if (is_ours := _take(flight, longest_s)) or time.monotonic() > impatient_at:
                break
            checkpoint()
            time.sleep(LOOK_EVERY_S)
        yield answer
    finally:
        if is_ours:
            _give_back(flight)


def _take(flight: str, longest_s: float) -> bool:
    try:
        return bool(counters_client().set(flight, 1, nx=True, ex=max(1, round(longest_s))))
    except AWAY:
        return True


def _give_back(flight: str) -> None:
    try:
        counters_client().delete(flight)
    except AWAY:
        return

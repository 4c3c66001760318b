"""Money: whole micro-USD, never floats. A price is micro-USD per million tokens."""

from __future__ import annotations

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.types import Usage

PER = 1_000_000


def cost_micro_usd(entry: ModelEntry, usage: Usage) -> int:
    """Return what a call cost, rounded up to the next micro-USD; cached input has its own price."""
    fresh = max(0, usage.input_tokens - usage.cached_tokens)
    total = (
        fresh * entry.input_price
        + usage.cached_tokens * entry.cached_input_price
        + usage.output_tokens * entry.output_price
    )
    return -(-total // PER)

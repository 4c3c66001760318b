"""Money: whole micro-USD, never floats. A price is micro-USD per million tokens."""

from __future__ import annotations

from aiwriter.gateway.catalog import ModelEntry
from aiwriter.gateway.types import Usage

PER = 1_000_000
#: Anthropic takes a quarter more for tokens that it puts into its cache; OpenAI's cache stores at no charge and reports
#: no such tokens (https://docs.claude.com/en/docs/build-with-claude/prompt-caching#pricing).
STORING_PERCENT = 125


def cost_micro_usd(entry: ModelEntry, usage: Usage) -> int:
    """Return what a call cost, rounded up to the next micro-USD; input from and into a cache has prices of its own."""
    fresh = max(0, usage.input_tokens - usage.cached_tokens - usage.stored_tokens)
    total = (
        fresh * entry.input_price
        + usage.stored_tokens * entry.input_price * STORING_PERCENT // 100
        + usage.cached_tokens * entry.cached_input_price
        + usage.output_tokens * entry.output_price
    )
    return -(-total // PER)

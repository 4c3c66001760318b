"""Whom it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity


def find(examined: Examined) -> Iterator[Finding]:
    """Find a campaign whose mail comes from nobody: it has no sender, and not every variant has its own."""
    if any(variant.comes_from is None for variant in examined.variants):
        yield Finding(
            "sender_missing",
            Severity.BLOCK,
            "No sender is chosen",
            examined.page("campaigns:review", "sender"),
            detail="Choose the name and address that readers see.",
        )

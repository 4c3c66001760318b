"""Whom it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity


def find(examined: Examined) -> Iterator[Finding]:
    """Find a campaign without a sender."""
    if examined.campaign.sender is None:
        yield Finding(
            "sender_missing",
            Severity.BLOCK,
            "No sender is chosen",
            examined.page("campaigns:review", "sender"),
            detail="Choose the name and address that readers see.",
        )

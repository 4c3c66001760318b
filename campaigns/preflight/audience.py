"""Does anybody get it?"""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity


def find(examined: Examined) -> Iterator[Finding]:
    """Find an audience that is not chosen, empty, or wholly unreachable."""
    if not examined.has_audience:
        yield Finding(
            "audience_missing",
            Severity.BLOCK,
            "Nobody is chosen to get it",
            examined.review,
            detail="Choose at least one list or segment.",
        )
        return
    count = examined.count
    skipped = sum(count.skipped.values())
    if count.included == 0 and skipped == 0:
        yield Finding("audience_empty", Severity.BLOCK, "The chosen lists are empty", examined.review, 0)
    elif count.included == 0:
        yield Finding(
            "audience_suppressed",
            Severity.BLOCK,
            "Nobody chosen may be mailed",
            examined.review,
            skipped,
            "Everybody on the chosen lists has unsubscribed, bounced, or is excluded.",
        )

"""Does anybody get it?"""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from audiences.selectors import find_missing_parts
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity


def find(examined: Examined) -> Iterator[Finding]:
    """Find an audience that is not chosen, empty or wholly unreachable, and segments that have lost what they ask."""
    if not examined.has_audience:
        yield Finding(
            "audience_missing",
            Severity.BLOCK,
            "Nobody is chosen to get it",
            examined.review,
            detail="Choose at least one list or segment.",
        )
        return
    chosen = examined.chosen
    for segment, what in find_missing_parts(
        chosen["workspace_id"], [*chosen["segments"], *chosen["exclude_segments"]]
    ):  # excluding, it would let people through
        yield Finding(
            "segment_broken",
            Severity.BLOCK,
            f"The segment “{segment.name}” asks for a {what} that was deleted",
            reverse("audiences:segment_detail", args=[segment.pk]),
            detail="Nobody can say whom it means now. Mend the segment, or leave it out.",
        )
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

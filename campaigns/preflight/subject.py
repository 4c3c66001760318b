"""What readers see in the inbox."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

#: About what a phone shows.
LONG_SUBJECT = 70


def find(examined: Examined) -> Iterator[Finding]:
    """Find missing or overlong subjects, and missing preview texts."""
    for variant in examined.variants:
        where = examined.naming(variant.label)
        subject = variant.subject.strip()
        if not subject:
            yield Finding("subject_missing", Severity.BLOCK, f"The subject{where} is missing", examined.composer)
        elif len(subject) > LONG_SUBJECT:
            yield Finding(
                "subject_long",
                Severity.INFO,
                f"The subject{where} has {len(subject)} characters",
                examined.composer,
                detail="Phones show about 40 to 50 of them.",
            )
        if not variant.preview_text.strip():
            yield Finding(
                "preview_text_missing",
                Severity.WARN,
                f"The preview text{where} is missing",
                examined.composer,
                detail="Inboxes show the first words of the mail instead.",
            )

"""Gmail shows the first 102 KB of the HTML and hides the rest, the unsubscribe link with it."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

CLIP_BYTES = 102 * 1024
#: Tracked links and merge values make a finished mail a little larger than its source.
NEAR_CLIP_BYTES = 90 * 1024


def find(examined: Examined) -> Iterator[Finding]:
    """Find mails at or near the clip."""
    for label, compiled in examined.compiled.items():
        size = len(compiled.html.encode())
        if size >= NEAR_CLIP_BYTES:
            over = size >= CLIP_BYTES
            yield Finding(
                "size_over_clip" if over else "size_near_clip",
                Severity.WARN,
                f"{size // 1024} KB{examined.naming(label)}: Gmail {'clips' if over else 'may clip'} it at 102 KB",
                examined.composer,
                detail="Shorten the mail; the end of it, with the unsubscribe link, would be hidden.",
            )

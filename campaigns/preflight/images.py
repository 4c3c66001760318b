"""Pictures: can everybody know what they show, and is there text beside them?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_IMG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt=(\"|')\s*(?!\1)\S", re.IGNORECASE)
_FEW_CHARACTERS = 80


def find(examined: Examined) -> Iterator[Finding]:
    """Find pictures without an alternative text, and mails that are little but pictures."""
    for label, compiled in examined.compiled.items():
        where = examined.naming(label)
        pictures = _IMG.findall(compiled.html)
        mute = sum(not _ALT.search(picture) for picture in pictures)
        if mute:
            noun = "picture has" if mute == 1 else "pictures have"
            yield Finding(
                "image_without_alt",
                Severity.WARN,
                f"{mute} {noun} no alternative text{where}",
                examined.composer,
                detail="Screen readers and readers with pictures switched off get nothing.",
            )
        words = compiled.text.partition("-" * 24)[0].strip()
        if pictures and len(words) < _FEW_CHARACTERS:
            yield Finding(
                "image_only",
                Severity.WARN,
                f"The mail{where} is almost only pictures",
                examined.composer,
                detail="Filters distrust mail without text, and many readers see no pictures.",
            )

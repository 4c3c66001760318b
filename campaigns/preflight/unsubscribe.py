"""Can everybody get out again? RFC 8058 and the mailbox providers' rules ask for it in HTML and text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.content import mustache
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

#: Stands in for the link; it must come out for a contact of whom nothing is known, sections and all.
_MARK = "https://unsubscribe.invalid/x"
_NEEDLE = re.compile(re.escape(_MARK))


def find(examined: Examined) -> Iterator[Finding]:
    """Find mails whose rendered HTML or text has no unsubscribe link."""
    context = {"unsubscribe_url": _MARK}
    for label, compiled in examined.compiled.items():
        missing = [
            part
            for part, source in (("HTML", compiled.html), ("plain text", compiled.text))
            if not _NEEDLE.search(mustache.compile(source).render(context))
        ]
        if missing:
            yield Finding(
                "unsubscribe_missing",
                Severity.BLOCK,
                f"The {' and the '.join(missing)}{examined.naming(label)} has no unsubscribe link",
                examined.composer,
                detail="Put {{unsubscribe_url}} where every reader sees it, outside of sections.",
            )

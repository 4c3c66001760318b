"""Is there a body, and can it be compiled?"""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.content.blocks import Block, walk
from campaigns.models import Variant
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_WORDS = ("text", "html", "label", "title", "src", "image")


def is_empty(variant: Variant) -> bool:
    """Return whether a body shows nothing."""
    if variant.format != Variant.Format.BLOCKS:
        return not isinstance(variant.body, str) or not variant.body.strip()
    return not any(_says_something(block) for block in walk(variant.body))


def _says_something(block: Block) -> bool:
    return any(str(block.get(name) or "").strip() not in ("", "<p></p>") for name in _WORDS)


def find(examined: Examined) -> Iterator[Finding]:
    """Find empty bodies, and what cannot be compiled."""
    if not examined.variants:
        yield Finding("content_missing", Severity.BLOCK, "The campaign has no content", examined.composer)
    _ = examined.compiled  # fills `broken`
    for variant in examined.variants:
        where = examined.naming(variant.label)
        if refusal := examined.broken.get(variant.label):
            yield Finding(
                "content_invalid",
                Severity.BLOCK,
                f"The mail{where} cannot be built",
                examined.composer,
                detail=refusal.detail,
            )
        elif is_empty(variant):
            yield Finding(
                "content_empty",
                Severity.BLOCK,
                f"The mail{where} is empty",
                examined.composer,
                detail="Adopt a draft or add a block.",
            )

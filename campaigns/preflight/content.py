"""Is there a body, and can it be compiled?"""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.content.blocks import Block, walk
from campaigns.models import Variant
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_WORDS = ("text", "html", "label", "title", "src", "image")
_LEFT_OVER = ("{{", "}}")


def is_empty(variant: Variant) -> bool:
    """Return whether a body shows nothing."""
    if variant.format != Variant.Format.BLOCKS:
        return not isinstance(variant.body, str) or not variant.body.strip()
    return not any(_says_something(block) for block in walk(variant.body))


def _says_something(block: Block) -> bool:
    return any(str(block.get(name) or "").strip() not in ("", "<p></p>") for name in _WORDS)


def find(examined: Examined) -> Iterator[Finding]:
    """Find empty bodies, what cannot be compiled, and braces that are left over."""
    if not examined.variants:
        yield Finding("content_missing", Severity.BLOCK, "The campaign has no content", examined.composer)
    compiled = examined.compiled
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
        elif _has_bare_braces(compiled[variant.label].text):
            yield Finding(
                "braces_left",
                Severity.WARN,
                f"Single or extra braces{where}",
                examined.composer,
                detail="A merge tag has exactly two braces on each side: {{first_name}}.",
            )


def _has_bare_braces(source: str) -> bool:
    """Return whether readers would see braces: what is left when all tags are taken out."""
    rest = source
    for raw in ("{{{", "}}}"):
        rest = rest.replace(raw, "{{" if raw == "{{{" else "}}")
    parts = [part.partition("}}")[2] if number else part for number, part in enumerate(rest.split("{{"))]
    return any("{" in part or "}" in part for part in parts)

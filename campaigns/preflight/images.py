"""Pictures: can everybody know what they show, is there text beside them, and how much has a phone to load?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from campaigns.models import Asset
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_IMG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"\salt=(\"|')\s*(?!\1)\S", re.IGNORECASE)
_SRC = re.compile(r"\ssrc=(\"|')(?P<url>.*?)\1", re.IGNORECASE)
_OWN = re.compile(r"/m/(?P<id>[0-9a-f-]{36})\.\w+$")
_FEW_CHARACTERS = 80
#: A phone on a slow line takes about five seconds for so much.
HEAVY_BYTES = 1024 * 1024
HEAVY_PICTURE_BYTES = 400 * 1024


def find(examined: Examined) -> Iterator[Finding]:
    """Find pictures without an alternative text, mails that are little but pictures, and heavy ones."""
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
        yield from _heavy(examined, where, pictures)


def _heavy(examined: Examined, where: str, pictures: list[str]) -> Iterator[Finding]:
    sizes = _sizes(examined, {unescape(found["url"]) for picture in pictures if (found := _SRC.search(picture))})
    total, largest = sum(sizes.values()), max(sizes.values(), default=0)
    if total < HEAVY_BYTES and largest < HEAVY_PICTURE_BYTES:
        return
    yield Finding(
        "images_heavy",
        Severity.WARN,
        f"Pictures of {total / 1024 / 1024:.1f} MB{where}",
        examined.composer,
        detail=f"The largest is {largest // 1024:,} KB. On a phone the mail stays empty until they are loaded.",
    )


def _sizes(examined: Examined, urls: set[str]) -> dict[str, int]:
    """Return the bytes of each picture: our own by the library, others as their servers said when they were asked."""
    ids = {found["id"]: url for url in urls if (found := _OWN.search(url))}
    own = Asset.objects.for_workspace(examined.workspace).filter(pk__in=ids).values_list("pk", "size_bytes")
    sizes = {ids[str(pk)]: size for pk, size in own}
    for url, answer in examined.answers.items():
        if url in urls and url not in sizes and answer.size_bytes is not None:
            sizes[url] = answer.size_bytes
    return sizes

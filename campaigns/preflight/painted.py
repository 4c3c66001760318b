"""Which words of a mail stand in which colours, as its inline styles say: mail programs read little else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

#: Elements without an end tag.
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNREAD = frozenset({"style", "script", "title", "head"})
#: Classes whose colours our own rules for dark mode set (`content.mjml`).
_OWN_DARK = frozenset({"pq-ink", "pq-muted"})
_COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|rgba?\(\s*(\d+)[ ,]+(\d+)[ ,]+(\d+)", re.IGNORECASE)
_NAMED = {
    "white": "#ffffff",
    "black": "#000000",
    "red": "#ff0000",
    "blue": "#0000ff",
    "gray": "#808080",
    "grey": "#808080",
}
_SIZE = re.compile(r"([\d.]+)px")
_TAG = re.compile(r"\{\{.*?\}\}")


@dataclass(frozen=True, slots=True)
class Painted:
    """Words with their colours as `#rrggbb`, size in CSS pixels, and whether our dark rules set their colour."""

    words: str = ""
    colour: str = "#000000"
    background: str = "#ffffff"
    size: float = 16.0
    is_bold: bool = False
    is_hidden: bool = False
    has_own_dark: bool = False

    @property
    def is_large(self) -> bool:
        """Whether WCAG counts it as large text: 24 px, or 18.66 px in bold."""
        return self.size >= 24 or (self.is_bold and self.size >= 18.66)


def read_colour(text: str) -> str | None:
    """Return the first colour in a CSS value as `#rrggbb`; None when it names none that is known."""
    found = _COLOUR.search(text)
    if found is None:
        return _NAMED.get(text.strip().lower())
    if found[1] is not None:
        return "#" + "".join(f"{min(int(found[channel]), 255):02x}" for channel in (1, 2, 3))
    digits = found[0][1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def painted(html: str) -> list[Painted]:
    """Return the words of a mail in their order, with the colours that reach them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Painted] = []
        self._open: list[tuple[str, Painted]] = []

    @property
    def _now(self) -> Painted:
        return self._open[-1][1] if self._open else Painted()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = {name: value or "" for name, value in attrs}
        look = self._now
        if tag in _UNREAD:
            look = replace(look, is_hidden=True)
        if tag in ("b", "strong", "h1", "h2", "h3"):
            look = replace(look, is_bold=True)
        if _OWN_DARK & set(given.get("class", "").split()):
            look = replace(look, has_own_dark=True)
        if ground := read_colour(given.get("bgcolor", "")):
            look = replace(look, background=ground, has_own_dark=False)
        self._open.append((tag, _styled(look, given.get("style", ""))))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        words = _TAG.sub("", data).strip("\u00a0\u200c\u034f \n\r\t")
        if words and not self._now.is_hidden:
            self.found.append(replace(self._now, words=words))


def _styled(look: Painted, style: str) -> Painted:
    for name, value in _declarations(style):
        if name == "color" and (colour := read_colour(value)):
            look = replace(look, colour=colour)
        elif name in ("background", "background-color") and (ground := read_colour(value)):
            look = replace(look, background=ground)
        elif name == "font-size" and (size := _SIZE.search(value)):
            look = replace(look, size=float(size[1]))
        elif name == "font-weight":
            look = replace(look, is_bold=value in ("bold", "bolder", "600", "700", "800", "900"))
        elif name == "display" and value == "none":
            look = replace(look, is_hidden=True)
    return look


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for part in style.split(";"):
        name, _, value = part.partition(":")
        yield name.strip().lower(), value.replace("!important", "").strip()

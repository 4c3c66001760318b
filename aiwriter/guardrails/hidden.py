"""Words that readers do not see, in the markup of a mail: found, and taken out before anything is read."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

#: Style declarations that take an element out of sight.
_OUT_OF_SIGHT = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|opacity\s*:\s*0(?:\.0\d*)?\s*(?:;|!|$)|(?:max-)?(?:height|width)\s*:\s*0(?:px)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3}"
    r"|mso-hide\s*:\s*all|(?<![-\w])color\s*:\s*transparent|clip(?:-path)?\s*:\s*(?:rect\(0|inset\(100%)"
    r"|(?:left|top)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*([^;!]+)", re.IGNORECASE)
_NAMED = {"white": "ffffff", "black": "000000", "snow": "fffafa", "ivory": "fffff0", "red": "ff0000"}
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})")
#: Colours that differ by less than this in every channel look the same.
_SAME = 12
_EMPTY = frozenset({"br", "img", "hr", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"})
_UNREAD = frozenset({"script", "style", "title", "template", "noscript", "head"})


def _channels(value: str) -> tuple[int, int, int] | None:
    text = value.strip().lower()
    text = _NAMED.get(text.split(" ")[0], text).removeprefix("#")
    if found := _RGB.match(text):
        return int(found[1]), int(found[2]), int(found[3])
    if re.fullmatch(r"[0-9a-f]{3}", text):
        text = "".join(sign * 2 for sign in text)
    if not re.fullmatch(r"[0-9a-f]{6}(?:[0-9a-f]{2})?", text):
        return None
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


class _Seeing(HTMLParser):
    """Keeps the markup that is seen, and says whether words were left out."""

    def __init__(self, paper: str) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self.hides_words = False
        self._paper = [_channels(paper)]
        self._open: list[tuple[str, bool]] = []

    @property
    def _is_out_of_sight(self) -> bool:
        return any(is_hidden for _, is_hidden in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        is_hidden = self._hides(tag, values)
        if not (is_hidden or self._is_out_of_sight):
            self.kept.append(self.get_starttag_text() or "")
        if tag not in _EMPTY:
            self._open.append((tag, is_hidden))

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self._open):
            return
        if not self._is_out_of_sight:
            self.kept.append(f"</{tag}>")
        while self._open:
            name, _ = self._open.pop()
            self._paper.pop()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._is_out_of_sight:
            self.kept.append(escape(data, quote=False))
        elif any(sign.isalnum() for sign in data) and not any(name in _UNREAD for name, _ in self._open):
            self.hides_words = True

    def handle_comment(self, data: str) -> None:
        if any(sign.isalnum() for sign in data) and not data.lower().startswith(("[if", "<![endif")):
            self.hides_words = True

    def _hides(self, tag: str, values: dict[str, str]) -> bool:
        style = values.get("style", "")
        colours = {name.lower(): value for name, value in _COLOUR.findall(style)}
        ink = colours.get("color") or values.get("color", "")
        paper = colours.get("background-color") or colours.get("background") or values.get("bgcolor", "")
        own = _channels(paper) if paper else self._paper[-1]
        if tag not in _EMPTY:
            self._paper.append(own)
        shown = _channels(ink) if ink else None
        is_invisible = shown is not None and own is not None and _look_alike(shown, own)
        return tag in _UNREAD or "hidden" in values or bool(_OUT_OF_SIGHT.search(style)) or is_invisible


def _look_alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < _SAME for a, b in zip(one, other, strict=True))


def without_hidden(markup: str, *, paper: str = "#ffffff") -> tuple[str, bool]:
    """Return markup without what readers do not see, and whether words were among it.

    Args:
        paper: the colour that it is printed on, where the markup names none.
    """
    if "<" not in markup:
        return markup, False
    seeing = _Seeing(paper)
    seeing.feed(markup)
    seeing.close()
    return "".join(seeing.kept), seeing.hides_words

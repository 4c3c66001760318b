"""The plain text part: written from the blocks, not scraped from their tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from campaigns.content.blocks import NETWORK_NAMES, Block

_RULE = "-" * 24
_BLANK_LINES = re.compile(r"\n{3,}")
_BULLET = re.compile(r"\n(-|\d+\.) ")
_TRAILING_SPACE = re.compile(r"[ \t]+(?=\n|$)")

FOOTER = (
    f"{_RULE}\n"
    "{{#workspace.reason_line}}{{workspace.reason_line}}\n{{/workspace.reason_line}}"
    "{{workspace.name}}{{#workspace.postal_address}}, {{workspace.postal_address}}{{/workspace.postal_address}}\n"
    "Unsubscribe: {{{unsubscribe_url}}}\n"
    "Preferences: {{{preferences_url}}}\n"
)


def link(label: str, url: str) -> str:
    """Return how a link reads in plain text."""
    label = label.strip()
    if not url:
        return label
    return f"<{url}>" if label in ("", url) else f"{label} <{url}>"


class _Reader(HTMLParser):
    """Turns sanitised rich text or an article into lines."""

    _PARAGRAPHS = frozenset({"p", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.lists: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            self.links.append((values.get("href") or "", len(self.out)))
        elif tag == "br":
            self.out.append("\n")
        elif tag == "hr":
            self.out.append(f"\n\n{_RULE}\n\n")
        elif tag == "img" and values.get("alt"):
            self.out.append(f"[{values['alt']}]")
        elif tag == "li":
            number = self.lists[-1] if self.lists else None
            self.out.append("\n- " if number is None else f"\n{number}. ")
            if number is not None:
                self.lists[-1] = number + 1
        elif tag in self._PARAGRAPHS:
            if tag in ("ul", "ol"):
                self.lists.append(1 if tag == "ol" else None)
            if tag == "p" and self.lists:
                # The editor puts a paragraph into every list item: the first one stands beside the bullet.
                self.out.append("" if _BULLET.fullmatch(self.out[-1]) else "\n")
            else:
                self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.links:
            url, start = self.links.pop()
            label = "".join(self.out[start:])
            self.out[start:] = [link(label, url)]
        elif tag in self._PARAGRAPHS:
            if tag in ("ul", "ol") and self.lists:
                self.lists.pop()
            self.out.append("" if tag == "p" and self.lists else "\n\n")

    def handle_data(self, data: str) -> None:
        self.out.append(re.sub(r"[ \t\r\n\xa0]+", " ", data))


def rich_to_text(markup: str) -> str:
    """Return sanitised rich text as plain text: paragraphs, lists, and links with their address."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = [line.strip() for line in "".join(reader.out).split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _product(block: Block) -> str:
    lines = [block["title"], block["text"], block["price"], link(block["label"], block["url"])]
    return "\n".join(line for line in lines if line)


def _quote(block: Block) -> str:
    quoted = "\n".join(f"> {line}" for line in rich_to_text(block["html"]).split("\n"))
    return f"{quoted}\n  {block['attribution']}" if block["attribution"] else quoted


def _image(block: Block) -> str:
    return link(f"[{block['alt']}]", block["href"]) if block["alt"] else link("", block["href"])


_WRITERS: dict[str, Callable[[Block], str]] = {
    "heading": lambda block: (
        block["text"].upper() if block["level"] == 1 and "{{" not in block["text"] else block["text"]
    ),
    "text": lambda block: rich_to_text(block["html"]),
    "button": lambda block: link(block["label"], block["url"]) if block["label"] else "",
    "image": _image,
    "divider": lambda _block: _RULE,
    "spacer": lambda _block: "",
    "quote": _quote,
    "social": lambda block: "\n".join(
        link(NETWORK_NAMES[one["network"]], one["url"]) for one in block["links"] if one["url"]
    ),
    "product": _product,
    "html": lambda block: html_to_text(block["html"]),
}


def blocks_to_text(blocks: list[Block]) -> str:
    """Return a validated body as plain text with merge tags."""
    parts: list[str] = []
    for block in blocks:
        if block["type"] == "columns":
            parts += [blocks_to_text(column) for column in block["columns"]]
        else:
            parts.append(_WRITERS[block["type"]](block))
    return "\n\n".join(part for part in parts if part.strip())


_LINK = re.compile(r"<a\b[^>]*?\shref=(\"|')(?P<url>.*?)\1[^>]*>(?P<label>.*?)</a>", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(style|title|head)\b.*?</\1>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def html_to_text(markup: str) -> str:
    """Return imported HTML as plain text (inscriptis lays tables out); links keep their address."""
    markup = _HIDDEN.sub("", markup)
    markup = _LINK.sub(lambda found: f"{found['label']} &lt;{found['url']}&gt;", markup)
    words = get_text(f"<html><body>{markup}</body></html>", ParserConfig(display_links=False))
    lines = [re.sub(r"[ \t\xa0]{2,}", "  ", line).strip() for line in _TRAILING_SPACE.sub("", words).split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()

"""Markdown: to HTML, to blocks, and from blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from campaigns.content.blocks import Block, validate_blocks
from campaigns.content.sanitising import clean_article
from pulsequill.core.errors import FieldError, Invalid

_PERCENT_TAG = re.compile(r"%7B%7B(%7B)?([\w.]+)(?(1)%7D)%7D%7D")
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
_LOSSY = frozenset({"table_open", "fence", "code_block"})


#: Some hostile texts take time that grows faster than their length.
MAX_BYTES = 64 * 1024


def check_markdown(source: str, *, field: str = "body") -> None:
    """Check Markdown that somebody wrote.

    Raises:
        Invalid: it is longer than 64 KB.
    """
    if len(source.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        detail = "The Markdown is longer than 64 KB."
        raise Invalid(detail, code="too_long", errors=[FieldError(field, "too_long", detail)])


def _with_tags(markup: str) -> str:
    """Return HTML with the merge tags that Markdown percent-encoded in addresses."""
    return _PERCENT_TAG.sub(lambda found: "{{" + found[2] + "}}", markup)


def markdown_to_html(source: str) -> str:
    """Return Markdown as sanitised HTML; merge tags stay as they are.

    Raises:
        Invalid: as `check_markdown`.
    """
    check_markdown(source)
    return _with_tags(clean_article(_MARKDOWN.render(source)))


# --- to blocks -------------------------------------------------------------------------------------------------------
def _groups(tokens: Sequence[Token]) -> list[list[Token]]:
    """Return the top-level elements: each with everything inside it."""
    groups: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            groups.append([])
        groups[-1].append(token)
        depth += token.nesting
    return groups


def _only_picture(group: Sequence[Token]) -> Block | None:
    """Return the picture of a paragraph that holds nothing else, with the link around it."""
    if len(group) != 3 or group[0].type != "paragraph_open":
        return None
    inner = [one for one in group[1].children or [] if not (one.type == "text" and not one.content.strip())]
    href = ""
    if len(inner) == 3 and inner[0].type == "link_open" and inner[2].type == "link_close":
        href, inner = str(inner[0].attrs.get("href", "")), inner[1:2]
    if len(inner) != 1 or inner[0].type != "image":
        return None
    return {
        "type": "image",
        "src": _with_tags(str(inner[0].attrs.get("src", ""))),
        "alt": inner[0].content[:300],
        "href": _with_tags(href),
    }


def markdown_to_blocks(source: str) -> tuple[list[Block], bool]:
    """Return Markdown as blocks, and whether it held what blocks cannot show (tables, code).

    Raises:
        Invalid: as `check_markdown`, or something in it is too long for a block.
    """
    check_markdown(source)
    blocks: list[Block] = []
    has_losses = False
    for group in _groups(_MARKDOWN.parse(source)):
        kind = group[0].type
        has_losses = has_losses or any(token.type in _LOSSY for token in group)
        if kind == "heading_open":
            words = _plain(group[1].children or [])
            blocks.append({"type": "heading", "text": words[:300], "level": min(int(group[0].tag[1]), 3)})
        elif kind == "hr":
            blocks.append({"type": "divider"})
        elif picture := _only_picture(group):
            blocks.append(picture)
        else:
            markup = _with_tags(_MARKDOWN.renderer.render(list(group), _MARKDOWN.options, {}))
            if kind == "blockquote_open":
                blocks.append({"type": "quote", "html": markup})
            elif blocks and blocks[-1]["type"] == "text":
                blocks[-1]["html"] += markup
            else:
                blocks.append({"type": "text", "html": markup})
    return validate_blocks(blocks), has_losses


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(one.content if one.type != "softbreak" else " " for one in tokens)


# --- from blocks -----------------------------------------------------------------------------------------------------
class _Writer(HTMLParser):
    """Writes sanitised rich text as Markdown."""

    _MARKS = {"strong": "**", "em": "*", "u": "", "s": ""}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.links: list[str] = []
        self.lists: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._MARKS:
            self.out.append(self._MARKS[tag])
        elif tag == "a":
            self.links.append(dict(attrs).get("href") or "")
            self.out.append("[")
        elif tag == "br":
            self.out.append("  \n")
        elif tag == "li":
            number = self.lists[-1] if self.lists else None
            self.out.append("\n- " if number is None else f"\n{number}. ")
            if number is not None:
                self.lists[-1] = number + 1
        elif tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else None)
            self.out.append("\n\n")
        elif tag == "p" and not self.lists:
            self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._MARKS:
            self.out.append(self._MARKS[tag])
        elif tag == "a" and self.links:
            self.out.append(f"](<{self.links.pop()}>)")
        elif tag in ("ul", "ol") and self.lists:
            self.lists.pop()
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        # Characters that would begin markup; merge tags hold none of them but `#` and `_`, which are left alone.
        self.out.append(re.sub(r"([\\*`\[\]<>])", r"\\\1", re.sub(r"[ \t\r\n\xa0]+", " ", data)))


def _rich(markup: str) -> str:
    writer = _Writer()
    writer.feed(markup)
    writer.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(writer.out)).strip()


def _linked(label: str, url: str) -> str:
    return f"[{label}](<{url}>)" if url else label


def _picture(src: str, alt: str, href: str) -> str:
    shown = f"![{alt}](<{src}>)" if src else ""
    return _linked(shown, href) if shown else ""


_WRITERS: dict[str, Callable[[Block], str]] = {
    "heading": lambda block: f"{'#' * block['level']} {block['text']}" if block["text"] else "",
    "text": lambda block: _rich(block["html"]),
    "button": lambda block: f"**{_linked(block['label'], block['url'])}**" if block["label"] else "",
    "image": lambda block: _picture(block["src"], block["alt"], block["href"]),
    "divider": lambda _block: "---",
    "spacer": lambda _block: "",
    "quote": lambda block: "\n".join(
        f"> {line}".rstrip() for line in f"{_rich(block['html'])}\n\n{block['attribution']}".strip().split("\n")
    ),
    "social": lambda block: " · ".join(_linked(one["network"].title(), one["url"]) for one in block["links"]),
    "product": lambda block: "\n\n".join(
        part
        for part in (
            _picture(block["image"], block["title"], block["url"]), f"### {block['title']}", block["text"],
            block["price"], _linked(block["label"], block["url"]) if block["label"] else "",
        )
        if part
    ),
    "html": lambda block: _rich(block["html"]),
}  # fmt: skip


def blocks_to_markdown(blocks: Sequence[Block]) -> str:
    """Return a validated body as Markdown: columns follow each other, buttons become links."""
    parts: list[str] = []
    for block in blocks:
        if block["type"] == "columns":
            parts += [blocks_to_markdown(column).strip() for column in block["columns"]]
        else:
            parts.append(_WRITERS[block["type"]](block))
    return "\n\n".join(part for part in parts if part) + "\n"

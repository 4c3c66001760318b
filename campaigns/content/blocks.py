"""Blocks v1: the JSON that the composer, the AI writer and templates share.

A body is a list of objects with a short unique `id` and a `type`. `FIELDS` is the whole schema: what is not named there
does not survive, and what is wrong is reported with its path (`body.3.url`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from campaigns.content import mustache
from campaigns.content.sanitising import SCHEMES, clean_inline, clean_mail_html, without_control_characters
from pulsequill.core.errors import FieldError, Invalid

Block = dict[str, Any]

MAX_BLOCKS = 200
MAX_COLUMNS = 3
#: Network -> what it calls itself.
NETWORK_NAMES = {
    "facebook": "Facebook",
    "instagram": "Instagram",
    "x": "X",
    "linkedin": "LinkedIn",
    "youtube": "YouTube",
    "tiktok": "TikTok",
    "threads": "Threads",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "website": "Website",
}

_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ANY_TAG = re.compile(r"\{\{\{?.*?\}?\}\}", re.DOTALL)
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.\-]*):")


class _Problem(ValueError):
    """One field is wrong: code and sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a block: how it is cleaned, and what stands there when it is absent."""

    clean: Callable[[Any], Any]
    default: Any = ""


def _string(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        raise _Problem("not_text", "This must be text.")
    if len(value) > limit:
        raise _Problem("too_long", f"This is longer than {limit:,} characters.")
    return without_control_characters(value)


def _with_valid_tags(text: str) -> str:
    try:
        mustache.validate(text)
    except Invalid as refusal:
        raise _Problem(refusal.code, refusal.detail) from refusal
    return text


def _text(limit: int) -> Field:
    return Field(lambda value: _with_valid_tags(_string(value, limit)))


def _rich(limit: int) -> Field:
    return Field(lambda value: _with_valid_tags(clean_inline(_string(value, limit))))


def _clean_url(value: Any) -> str:
    url = _with_valid_tags(_string(value, 2_000).strip())
    scheme = _SCHEME.match(_ANY_TAG.sub("", url))
    if scheme and scheme[1].lower() not in SCHEMES:
        raise _Problem("bad_url", "An address begins with https://, http://, mailto: or tel:.")
    return url


def _number(least: int, most: int, default: int) -> Field:
    def clean(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _Problem("out_of_range", f"This must be a whole number from {least} to {most}.")
        return value

    return Field(clean, default)


def _choice(*words: str) -> Field:
    def clean(value: Any) -> str:
        if value not in words:
            raise _Problem("not_a_choice", f"This must be one of {', '.join(words)}.")
        return str(value)

    return Field(clean, words[0])


def _clean_social(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > 12:
        raise _Problem("not_a_list", "This must be a list of at most 12 links.")
    links = []
    for item in value:
        if not isinstance(item, dict) or item.get("network") not in NETWORK_NAMES:
            raise _Problem("unknown_network", f"A link needs a network: one of {', '.join(NETWORK_NAMES)}.")
        links.append({"network": item["network"], "url": _clean_url(item.get("url", ""))})
    return links


_TEXT, _URL = _text(300), Field(_clean_url)
_ALIGN = _choice("left", "center", "right")

#: Block type -> field -> rule. `columns` is handled by `_Checker`, because it holds blocks.
FIELDS: dict[str, dict[str, Field]] = {
    "heading": {"text": _TEXT, "level": _number(1, 3, 2), "align": _ALIGN},
    "text": {"html": _rich(20_000), "align": _ALIGN},
    "button": {"label": _text(120), "url": _URL, "align": _ALIGN},
    "image": {"src": _URL, "alt": _TEXT, "href": _URL, "align": _choice("center", "left", "right")},
    "divider": {},
    "spacer": {"height": _number(4, 80, 24)},
    "quote": {"html": _rich(5_000), "attribution": _text(200)},
    "columns": {},
    "social": {"links": Field(_clean_social, [])},
    "product": {
        "title": _TEXT, "text": _text(1_000), "price": _text(60), "image": _URL, "url": _URL, "label": _text(120),
    },
    "html": {"html": Field(lambda value: _with_valid_tags(clean_mail_html(_string(value, 100_000))))},
}  # fmt: skip


class _Checker:
    def __init__(self, path: str) -> None:
        self.path = path
        self.errors: list[FieldError] = []
        self.ids: set[str] = set()
        self.count = 0

    def blocks(self, value: Any, path: str, *, is_nested: bool = False) -> list[Block]:
        if not isinstance(value, list):
            self.errors.append(FieldError(path, "not_a_list", "The body must be a list of blocks."))
            return []
        return [
            block
            for number, item in enumerate(value)
            if (block := self.block(item, f"{path}.{number}", is_nested=is_nested)) is not None
        ]

    def block(self, value: Any, path: str, *, is_nested: bool) -> Block | None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in FIELDS:
            self.errors.append(FieldError(f"{path}.type", "unknown_block", f"A block is one of {', '.join(FIELDS)}."))
            return None
        self.count += 1
        if self.count > MAX_BLOCKS:
            if self.count == MAX_BLOCKS + 1:
                self.errors.append(FieldError(path, "too_many_blocks", f"A mail has at most {MAX_BLOCKS} blocks."))
            return None
        block: Block = {"id": self.free_id(value.get("id")), "type": kind}
        if kind == "columns":
            if is_nested:
                self.errors.append(FieldError(path, "nested_columns", "Columns cannot stand inside columns."))
                return None
            block["columns"] = self.columns(value.get("columns"), f"{path}.columns")
        for name, field in FIELDS[kind].items():
            given = value.get(name)
            if given is None:
                block[name] = field.default
                continue
            try:
                block[name] = field.clean(given)
            except _Problem as problem:
                self.errors.append(FieldError(f"{path}.{name}", problem.code, problem.detail))
        return block

    def columns(self, value: Any, path: str) -> list[list[Block]]:
        if not isinstance(value, list) or not 2 <= len(value) <= MAX_COLUMNS:
            self.errors.append(FieldError(path, "wrong_columns", f"There are 2 to {MAX_COLUMNS} columns."))
            return []
        return [self.blocks(column, f"{path}.{number}", is_nested=True) for number, column in enumerate(value)]

    def free_id(self, wish: Any) -> str:
        """Return the wished id when it is well-formed and not taken, else a new one."""
        chosen = wish if isinstance(wish, str) and _ID.fullmatch(wish) and wish not in self.ids else new_id()
        self.ids.add(chosen)
        return chosen


def new_id() -> str:
    """Return a short block id."""
    return uuid4().hex[:10]


def validate_blocks(value: Any, *, field: str = "body") -> list[Block]:
    """Return a body with every field present, cleaned and inside its limits; unknown fields are left out.

    Raises:
        Invalid: `errors` names each wrong field by its path.
    """
    checker = _Checker(field)
    blocks = checker.blocks(value, field)
    if checker.errors:
        first = checker.errors[0]
        raise Invalid(f"{first.field}: {first.detail}", code="invalid_body", errors=checker.errors)
    return blocks


def walk(blocks: list[Block]) -> Iterator[Block]:
    """Yield every block, those inside columns too, in reading order."""
    for block in blocks:
        yield block
        for column in block.get("columns", ()):
            yield from walk(column)


def used_tags(blocks: list[Block]) -> set[str]:
    """Return the merge tags of a validated body."""
    tags: set[str] = set()
    for block in walk(blocks):
        for name in FIELDS[block["type"]]:
            value = block.get(name)
            texts = [link["url"] for link in block["links"]] if name == "links" else [value]
            for text in texts:
                if isinstance(text, str):
                    tags |= mustache.validate(text)
    return tags

"""What changed between two states of a mail: row by row, for showing side by side.

Blocks are compared block by block, by their ids; source texts line by line. Within a row that changed, the words that
differ are marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Protocol

from campaigns.content.blocks import FIELDS, Block

#: The words on screen for each kind of block.
BLOCK_NAMES: dict[str, str] = {
    "heading": "Heading", "text": "Text", "button": "Button", "image": "Picture", "divider": "Line", "spacer": "Space",
    "quote": "Quote", "columns": "Columns", "social": "Social links", "product": "Product", "html": "HTML",
}  # fmt: skip
#: The content of a block, which reads without its field's name before it.
_PLAIN = frozenset({"text", "html", "title", "label"})
_PARAGRAPH = re.compile(r"</p>\s*<p>|<br\s*/?>")
_EDGES = re.compile(r"^\s*<p>|</p>\s*$")
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
#: Longer texts are shown as changed without looking for the words: comparing takes quadratic time. (So do lines that
#: occur very often; difflib's own rule about popular elements keeps those cheap.)
_MOST_WORDS = 1_000


class Content(Protocol):
    """A variant, a template, or a kept version of one."""

    subject: str
    preview_text: str
    format: str
    body: Any


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a row's text; `is_changed` when the other side does not have it."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a comparison.

    `kind` is same, changed, added, removed or moved; `place` says what it is ("Subject", "Heading", "Line 3"). `before`
    and `after` are plain text, '' on the side where there is nothing.
    """

    kind: str
    place: str
    before: str = ""
    after: str = ""
    before_parts: tuple[Part, ...] = field(default=(), compare=False)
    after_parts: tuple[Part, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One block or line: what makes it the same one, where it stands, and how it reads."""

    key: str
    place: str
    text: str


def diff(older: Content, newer: Content) -> list[DiffRow]:
    """Return the rows in which two states differ or agree: subject, preview text, then the body in reading order."""
    rows = [
        _pair("Subject", older.subject, newer.subject),
        _pair("Preheader", older.preview_text, newer.preview_text),
    ]
    if older.format != newer.format:
        rows.append(_pair("Format", older.format, newer.format))
    before, after = list(_pieces(older.body)), list(_pieces(newer.body))
    return [*rows, *(_by_key(before, after) if _has_blocks(older, newer) else _by_line(before, after))]


def _has_blocks(*contents: Content) -> bool:
    return all(isinstance(content.body, list) for content in contents)


def is_same(one: Content, other: Content) -> bool:
    """Return whether two states say the same."""
    return all(getattr(one, name) == getattr(other, name) for name in ("subject", "preview_text", "format", "body"))


def _pieces(body: Any, prefix: str = "") -> Iterator[_Piece]:
    if not isinstance(body, list):
        for number, line in enumerate(str(body or "").splitlines(), start=1):
            yield _Piece(line, f"Line {number}", line)
        return
    for block in body:
        yield _Piece(block["id"], f"{prefix}{BLOCK_NAMES[block['type']]}", readable(block))
        for number, column in enumerate(block.get("columns", ()), start=1):
            yield from _pieces(column, f"Column {number}: ")


def readable(block: Block) -> str:
    """Return a block as lines of text: its content, then every other field that is not as it comes."""
    lines = []
    for name, rule in FIELDS[block["type"]].items():
        value = block.get(name)
        if value in ("", None) or (value == rule.default and name not in _PLAIN):
            continue
        if name == "links":
            lines += [f"{link['network']}: {link['url']}" for link in block["links"]]
        elif name in _PLAIN:
            lines += _PARAGRAPH.sub("\n", _EDGES.sub("", str(value))).split("\n")
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _by_key(before: Sequence[_Piece], after: Sequence[_Piece]) -> list[DiffRow]:
    """Compare blocks: by id as long as ids survive, by kind where all of them are new (another draft was adopted)."""
    old = {piece.key: piece for piece in before}
    new_keys = {piece.key for piece in after}
    rows: list[DiffRow] = []
    matcher = SequenceMatcher(None, [piece.key for piece in before], [piece.key for piece in after], autojunk=False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            rows += [
                _pair(two.place, one.text, two.text)
                for one, two in zip(before[old_start:old_end], after[new_start:new_end], strict=True)
            ]
            continue
        gone = [piece for piece in before[old_start:old_end] if piece.key not in new_keys]
        for piece in after[new_start:new_end]:
            if piece.key in old:
                row = _pair(piece.place, old[piece.key].text, piece.text)
                rows.append(row if row.kind == "changed" else DiffRow("moved", piece.place, piece.text, piece.text))
            elif gone and gone[0].place == piece.place:
                rows.append(_pair(piece.place, gone.pop(0).text, piece.text))
            else:
                rows.append(_one_sided("added", piece))
        rows += [_one_sided("removed", piece) for piece in gone]
    return rows


def _by_line(before: Sequence[_Piece], after: Sequence[_Piece]) -> list[DiffRow]:
    rows: list[DiffRow] = []
    matcher = SequenceMatcher(None, [piece.text for piece in before], [piece.text for piece in after])
    for _tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        old, new = before[old_start:old_end], after[new_start:new_end]
        rows += [_pair(two.place, one.text, two.text) for one, two in zip(old, new, strict=False)]
        rows += [_one_sided("removed", piece) for piece in old[len(new) :]]
        rows += [_one_sided("added", piece) for piece in new[len(old) :]]
    return rows


def _one_sided(kind: str, piece: _Piece) -> DiffRow:
    if kind == "added":
        return DiffRow(kind, piece.place, after=piece.text, after_parts=(Part(piece.text),))
    return DiffRow(kind, piece.place, before=piece.text, before_parts=(Part(piece.text),))


def _pair(place: str, before: str, after: str) -> DiffRow:
    if before == after:
        return DiffRow("same", place, before, after, (Part(before),), (Part(after),))
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return DiffRow(
            "changed", place, before, after, (Part(before, is_changed=True),), (Part(after, is_changed=True),)
        )
    before_parts, after_parts = [], []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if old_end > old_start:
            before_parts.append(Part("".join(old[old_start:old_end]), is_changed=tag != "equal"))
        if new_end > new_start:
            after_parts.append(Part("".join(new[new_start:new_end]), is_changed=tag != "equal"))
    return DiffRow("changed", place, before, after, tuple(before_parts), tuple(after_parts))

"""What an editor changed, in words short enough for a line on the page."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypedDict

from aiwriter.agents.contract import Block, DraftContent
from aiwriter.models.draft import readable_text

#: Words that stay on each side of what changed, and the longest piece that is shown, in characters.
CONTEXT_WORDS = 4
LONGEST = 160
KINDS = {"heading": "Heading", "text": "Text", "button": "Button", "quote": "Quote", "divider": "Divider"}


class Change(TypedDict):
    """One part before and after; empty where the part was added or taken out."""

    part: str
    before: str
    after: str


def list_changes(before: DraftContent, after: DraftContent) -> list[Change]:
    """Return what is different between two states of a draft, from top to bottom. Ids and styles do not count."""
    pairs = [("Subject", before.subject, after.subject), ("Preview text", before.preview_text, after.preview_text)]
    old, new = _parts(before.blocks), _parts(after.blocks)
    moves = SequenceMatcher(None, [text for _, text in old], [text for _, text in new], autojunk=False).get_opcodes()
    for move, start, end, new_start, new_end in moves:
        if move != "equal":
            for was, became in zip_longest(old[start:end], new[new_start:new_end]):
                name = (became or was)[0]
                pairs.append((name, was[1] if was else "", became[1] if became else ""))
    return [_change(part, was, became) for part, was, became in pairs if was != became]


def _parts(blocks: list[Block]) -> list[tuple[str, str]]:
    """Return name and words of every block; blocks of a kind that stands there once go without a number."""
    kinds = [str(block.get("type")) for block in blocks]
    seen: dict[str, int] = {}
    parts = []
    for kind, block in zip(kinds, blocks, strict=True):
        seen[kind] = seen.get(kind, 0) + 1
        name = KINDS.get(kind, kind)
        parts.append((f"{name} {seen[kind]}" if kinds.count(kind) > 1 else name, _words(block)))
    return parts


def _words(block: Block) -> str:
    more = str(block.get("url") or block.get("attribution") or "")
    return f"{readable_text([block])} ({more})" if more else readable_text([block])


def _change(part: str, before: str, after: str) -> Change:
    """Return both states cut to what differs, with a few words around it."""
    old, new = before.split(), after.split()
    same = [a == b for a, b in zip(old, new, strict=False)]
    head = same.index(False) if False in same else len(same)
    rest = min(len(old), len(new)) - head
    same_at_end = [a == b for a, b in zip(old[::-1], new[::-1], strict=False)][:rest]
    tail = same_at_end.index(False) if False in same_at_end else len(same_at_end)
    return {"part": part, "before": _around(old, head, tail), "after": _around(new, head, tail)}


def _around(words: list[str], head: int, tail: int) -> str:
    start, end = max(0, head - CONTEXT_WORDS), min(len(words), len(words) - tail + CONTEXT_WORDS)
    text = ("… " if start else "") + " ".join(words[start:end])
    if len(text) > LONGEST:
        return f"{text[:LONGEST].rstrip()} …"
    return f"{text} …" if end < len(words) else text

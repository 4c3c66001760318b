"""The shapes of models' answers, and how they become blocks of the composer.

Flat and all fields required: what both providers' strict modes take. Limits are checked here and not sent.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.contract import Block, DraftContent

BLOCK_TYPES = ("heading", "text", "button", "quote", "divider")
_BULLET = re.compile(r"^\s*[-•*]\s+")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlannedAngle(_Answer):
    """One angle of the strategist."""

    label: str = Field(min_length=1, max_length=80)
    idea: str = Field(min_length=1, max_length=600)
    facts: list[str] = Field(max_length=20)


class StrategyAnswer(_Answer):
    """The strategist's plan."""

    angles: list[PlannedAngle] = Field(min_length=1, max_length=6)


class WrittenBlock(_Answer):
    """One block of the writer; fields that a type does not need are empty."""

    type: Literal["heading", "text", "button", "quote", "divider"]
    text: str = Field(max_length=6000)
    title: str = Field(max_length=300)
    url: str = Field(max_length=2000)


class WriterAnswer(_Answer):
    """A whole draft."""

    subject: str = Field(min_length=1, max_length=200)
    preview_text: str = Field(max_length=250)
    blocks: list[WrittenBlock] = Field(min_length=1, max_length=40)


class Verdict(_Answer):
    """What a reviewer thinks of one draft."""

    position: int
    problems: list[str] = Field(max_length=20)


class BrandAnswer(_Answer):
    """Where the brand reviewer does not hear the brand."""

    reviews: list[Verdict] = Field(max_length=10)


class CriticAnswer(_Answer):
    """What the critic thinks of all drafts."""

    verdicts: list[Verdict] = Field(max_length=10)


class SubjectLine(_Answer):
    """One line of the subject lab."""

    subject: str = Field(min_length=1, max_length=200)
    preview_text: str = Field(max_length=250)


class SubjectLinesAnswer(_Answer):
    """Lines of the subject lab."""

    lines: list[SubjectLine] = Field(min_length=1, max_length=20)


class RewriteAnswer(_Answer):
    """An edited passage."""

    text: str = Field(min_length=1, max_length=20_000)


def text_to_html(text: str) -> str:
    """Return plain text as the rich text of a block. Everything is escaped: a model cannot write markup."""
    html: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        bullets = [line for line in lines if _BULLET.match(line)]
        prose = [line for line in lines if not _BULLET.match(line)]
        if prose:
            html.append("<p>" + "<br>".join(escape(line, quote=False) for line in prose) + "</p>")
        if bullets:
            items = (escape(_BULLET.sub("", line), quote=False) for line in bullets)
            html.append("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
    return "".join(html)


def _block(number: int, position: int, written: dict[str, Any], *, is_first_heading: bool) -> Block | None:
    kind = written.get("type")
    text, title, url = (str(written.get(name) or "").strip() for name in ("text", "title", "url"))
    block: Block = {"id": f"{chr(ord('a') + position)}{number}", "type": kind}
    if kind == "heading" and text:
        return {**block, "text": text[:300], "level": 1 if is_first_heading else 2}
    if kind == "text" and text:
        return {**block, "html": text_to_html(text)}
    if kind == "button" and text:
        return {**block, "label": text[:120], "url": url, "align": "left"}
    if kind == "quote" and text:
        return {**block, "html": text_to_html(text), "attribution": title[:200]}
    return block if kind == "divider" else None


def to_blocks(written: list[Any], position: int) -> list[Block]:
    """Return the composer's blocks; also takes the half-finished list of an answer that is still arriving."""
    blocks: list[Block] = []
    has_heading = False
    for number, item in enumerate(written, start=1):
        if not isinstance(item, dict):
            continue
        block = _block(number, position, item, is_first_heading=not has_heading)
        if block is not None:
            has_heading = has_heading or block["type"] == "heading"
            blocks.append(block)
    return blocks


def to_draft(answer: WriterAnswer, *, position: int, angle: str) -> DraftContent:
    """Return a writer's answer as a draft."""
    return DraftContent(
        position=position,
        angle=angle,
        subject=answer.subject.strip(),
        preview_text=answer.preview_text.strip(),
        blocks=to_blocks([block.model_dump() for block in answer.blocks], position),
    )

"""Drafts for briefs that the English rules cannot read: the sentence stands as it is, in a frame of its language."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from aiwriter.agents.contract import Block, BriefData, DraftContent
from aiwriter.agents.offline import words
from aiwriter.agents.offline.angles import FACTS_BY_LENGTH, bullets, paragraph
from aiwriter.agents.offline.grammar import sentence, upper_first
from aiwriter.agents.offline.languages import FRAMES, Frame, core_of, language_name
from aiwriter.agents.offline.phrasing import SUBJECT_LIMIT, fit_subject
from aiwriter.guardrails import finding


def write_quoted(brief: BriefData, language: str) -> tuple[DraftContent, ...]:
    """Return the three angles around the brief's own sentence, with the remark that nobody checked its grammar."""
    frame = FRAMES.get(language, FRAMES["en"])
    core = upper_first(core_of(words.EMOJI.sub("", brief.goal).strip().rstrip("."), language))
    facts = [fact.strip() for fact in (brief.offer, *brief.facts) if fact.strip()][
        : FACTS_BY_LENGTH.get(brief.length, 5)
    ]
    subjects = (
        fit_subject(core, _signed(frame, 0, frame.previews[0], brief).rstrip(".")),
        *(_signed(frame, position, text, brief) for position, text in enumerate(frame.subjects, start=1)),
    )
    bodies = (
        [_heading(subjects[0]), _text(frame, core, facts, 0, with_opening=False)],
        [_heading(frame.angles[1]), _text(frame, core, facts, 1, with_opening=True)],
        [_text(frame, core, facts, 2, with_opening=True)],
    )
    name = language_name(language)
    known = "only their frame is" if language in FRAMES else "not even their frame is"
    text = f"Template drafts are written in English; {known} in {name}, and the brief is quoted as it stands."
    remark = finding("language_not_offered", "warn", text, "blocks")
    drafts = []
    for position, (subject, body) in enumerate(zip(subjects, bodies, strict=True)):
        button = {
            "type": "button",
            "label": brief.cta_label or frame.buttons[position],
            "url": brief.cta_url,
            "align": "left",
        }
        blocks: list[Block] = [
            *body,
            button,
            {"type": "text", "html": paragraph(f"{frame.closing},<br>{{{{workspace.name}}}}")},
        ]
        for number, block in enumerate(blocks, start=1):
            block["id"] = f"{chr(ord('a') + position)}{number}"
        preview = (
            _signed(frame, position, frame.previews[position], brief)
            if position == 0
            else sentence(fit_subject(core, frame.previews[1]))
        )
        drafts.append(DraftContent(position, frame.angles[position], subject, preview, blocks, (remark,)))
    return tuple(drafts[: brief.angles])


def _signed(frame: Frame, position: int, template: str, brief: BriefData) -> str:
    """Return a line with the sender's name, or the angle's name where there is no sender or no room for one."""
    text = template.format(brand=brief.workspace_name)
    return text if brief.workspace_name and len(text) <= SUBJECT_LIMIT else frame.angles[position]


def _heading(text: str) -> Block:
    return {"type": "heading", "text": text, "level": 1}


def _text(frame: Frame, core: str, facts: Sequence[str], position: int, *, with_opening: bool) -> Block:
    said = [frame.openings[position]] if with_opening else []
    html = "".join(paragraph(escape(text, quote=False)) for text in (*said, sentence(core)))
    return {"type": "text", "html": paragraph(frame.greeting) + html + (bullets(facts) if facts else "")}

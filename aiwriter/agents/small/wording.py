"""Editing a passage, and writing subject lines."""

from __future__ import annotations

from typing import Any

from aiwriter.agents.answers import RewriteAnswer, SubjectLinesAnswer
from aiwriter.agents.given import brief_for_model
from aiwriter.agents.offline.rewriting import NeedsModel, rewrite_by_rules, subject_lines_by_rules
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.guardrails.edits import check_edit
from aiwriter.subjects import score_line

MOST_LINES = 10


def background(asked: Asked) -> dict[str, Any]:
    """Return the brief as what a short text is written against: it need not say everything that a mail must."""
    return {name: value for name, value in brief_for_model(asked.brief, asked.voice).items() if name != "must_say"}


def _passage(asked: Asked) -> dict[str, Any]:
    # A passage stays in its own language, whatever that of the brief, unless it is to be translated.
    given = {name: value for name, value in background(asked).items() if name != "language"}
    return {**given, **asked.request}


def _edited(asked: Asked, text: str) -> dict[str, Any]:
    """Return the edit with what it lost and made up."""
    request, brief = asked.request, asked.brief
    is_translation = request["instruction"] == "translate"
    checks = check_edit(
        before=str(request["text"]),
        after=text,
        instruction=str(request["instruction"]),
        evidence=(*brief.evidence, str(request.get("wish", ""))),
        brand_facts=brief.brand_facts,
        allowed_tags=brief.allowed_tags,
        allowed_links=filter(None, (brief.cta_url, *brief.allowed_links)),
        language=brief.language,
        translated_into=str(request.get("language", "")) if is_translation else "",
        must_not_say=brief.must_not_say,
        banned_phrases=asked.voice.banned_phrases,
    )
    return {"text": text, "checks": checks}


def _passage_by_rules(asked: Asked) -> dict[str, Any]:
    request = asked.request
    if request.get("earlier"):
        raise NeedsModel  # rules have one answer
    return _edited(asked, rewrite_by_rules(str(request["text"]), str(request["instruction"])))


def _line_count(asked: Asked) -> int:
    return int(asked.request.get("count", MOST_LINES))


def _lines_data(asked: Asked) -> dict[str, Any]:
    return {**background(asked), **asked.request, "count": _line_count(asked)}


def _scored(asked: Asked, lines: list[dict[str, str]]) -> dict[str, Any]:
    """Return new lines, each with what rules say of it."""
    language = asked.brief.language
    earlier = {str(line).strip().lower() for line in asked.request.get("earlier", ())}
    new = [line for line in lines if line["subject"].strip().lower() not in earlier][: _line_count(asked)]
    return {
        "lines": [{**line, **score_line(line["subject"], line["preview_text"], language).as_json()} for line in new]
    }


def _lines_by_rules(asked: Asked) -> dict[str, Any]:
    # All that the rules can think of, so that another ten are others.
    result = _scored(asked, subject_lines_by_rules(asked.brief, _line_count(asked) + MOST_EVER))
    if not result["lines"]:
        raise NeedsModel
    return result


#: More lines than the rules ever find in one brief.
MOST_EVER = 100

REWRITE = SmallTask(
    prompt="rewrite",
    answer=RewriteAnswer,
    data=_passage,
    result=lambda asked, answer: _edited(asked, answer.text),
    by_rules=_passage_by_rules,
    is_shown=True,
)
SUBJECT_LINES = SmallTask(
    prompt="subject_lines",
    answer=SubjectLinesAnswer,
    data=_lines_data,
    result=lambda asked, answer: _scored(asked, [line.model_dump() for line in answer.lines]),
    by_rules=_lines_by_rules,
    is_short=True,
    max_output_tokens=2000,
)

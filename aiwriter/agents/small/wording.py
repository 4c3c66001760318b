"""Editing a passage, and writing subject lines."""

from __future__ import annotations

from typing import Any

from aiwriter.agents.answers import RewriteAnswer, SubjectLinesAnswer
from aiwriter.agents.given import brief_for_model
from aiwriter.agents.offline.rewriting import rewrite_by_rules, subject_lines_by_rules
from aiwriter.agents.small.task import Asked, SmallTask

MOST_LINES = 10


def _passage(asked: Asked) -> dict[str, Any]:
    return {**brief_for_model(asked.brief, asked.voice), **asked.request}


def _passage_by_rules(asked: Asked) -> dict[str, Any]:
    return {"text": rewrite_by_rules(str(asked.request["text"]), str(asked.request["instruction"]))}


def _line_count(asked: Asked) -> int:
    return int(asked.request.get("count", MOST_LINES))


def _lines_data(asked: Asked) -> dict[str, Any]:
    return {**brief_for_model(asked.brief, asked.voice), "count": _line_count(asked)}


def _lines(asked: Asked, answer: SubjectLinesAnswer) -> dict[str, Any]:
    return {"lines": [line.model_dump() for line in answer.lines[: _line_count(asked)]]}


def _lines_by_rules(asked: Asked) -> dict[str, Any]:
    return {"lines": subject_lines_by_rules(asked.brief, _line_count(asked))}


REWRITE = SmallTask(
    prompt="rewrite",
    answer=RewriteAnswer,
    data=_passage,
    result=lambda _asked, answer: {"text": answer.text},
    by_rules=_passage_by_rules,
)
SUBJECT_LINES = SmallTask(
    prompt="subject_lines",
    answer=SubjectLinesAnswer,
    data=_lines_data,
    result=_lines,
    by_rules=_lines_by_rules,
    is_short=True,
)

"""From a sentence to the rules of a segment: a model fills in a form, and the audience's own grammar checks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.small.task import Asked, SmallTask


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnsweredCondition(_Answer):
    """One condition; numbers and dates are written as texts, so that the shape stays flat."""

    kind: Literal["field", "list", "engagement", "campaign"]
    name: str = Field(max_length=200)
    op: str = Field(max_length=40)
    values: list[str] = Field(max_length=100)


class AnsweredGroup(_Answer):
    """Conditions that belong together; `is_excluded` turns the whole group round."""

    match: Literal["all", "any"]
    is_excluded: bool
    conditions: list[AnsweredCondition] = Field(min_length=1, max_length=20)


class SegmentAnswer(_Answer):
    """Groups of conditions, and the words of the sentence that none of them stands for."""

    match: Literal["all", "any"]
    groups: list[AnsweredGroup] = Field(max_length=12)
    not_understood: list[str] = Field(max_length=20)


#: Makes rules of an answer for a workspace, or raises ValueError that says what is wrong with it.
Builder = Callable[[UUID, dict[str, Any], dict[str, Any]], dict[str, Any]]
_builders: list[Builder] = []


def register_builder(build: Builder) -> None:
    """Make the grammar of rules known; called once, when the app that owns it is ready.

    Args:
        build: takes workspace id, request and answer as plain values.
    """
    _builders[:] = [build]


def _build(asked: Asked, answer: SegmentAnswer) -> dict[str, Any]:
    return _builders[0](asked.generation.workspace_id, asked.request, answer.model_dump())


def _check(asked: Asked, answer: SegmentAnswer) -> None:
    if answer.groups:
        _build(asked, answer)


def _data(asked: Asked) -> dict[str, Any]:
    return {"sentence": asked.request["text"], **asked.request["grammar"]}


def _result(asked: Asked, answer: SegmentAnswer) -> dict[str, Any]:
    missed = [" ".join(words.split())[:100] for words in answer.not_understood]
    return {
        "rules": _build(asked, answer) if answer.groups else None,
        "not_understood": list(dict.fromkeys(filter(None, missed))),
    }


SEGMENT = SmallTask(prompt="segment", answer=SegmentAnswer, data=_data, result=_result, check=_check, is_short=True)

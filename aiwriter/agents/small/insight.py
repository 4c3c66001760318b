"""Two lines about a finished campaign, from its figures and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.guardrails.statements import read_statements

LANGUAGE = "en"
#: What figures cannot show: why something happened, and amounts that are said without a number.
_WHY = re.compile(
    r"\b(?:because|due to|thanks to|caused?|drove|driven by|led to|as a result|resonat\w+|loved?)\b", re.IGNORECASE
)
_AMOUNT_IN_WORDS = re.compile(
    r"\b(?:twice|thrice|doubl\w+|tripl\w+|half|halv\w+|(?:a|one|two)[\s-](?:third|quarter|fifth)s?|majority|dozens?"
    r"|hundreds|thousands|most (?:of|people|readers|recipients|subscribers)|(?:nearly|almost) all|everyone|everybody"
    r"|nobody)\b",
    re.IGNORECASE,
)
#: Words that compare -> the verdict that allows them.
_COMPARES = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), verdict)
    for verdict, words in (
        ("above", r"above|higher|better|stronger|beats?|outperform\w*|exceed\w*|improv\w+|record|best"),
        ("below", r"below|lower|worse|weaker|under(?:perform\w*)?|declin\w+|dropp?\w*|poor\w*|worst"),
    )
)


class InsightAnswer(BaseModel):
    """What happened, and what stands out."""

    model_config = ConfigDict(extra="forbid")

    happened: str = Field(min_length=1, max_length=240)
    stands_out: str = Field(min_length=1, max_length=240)


def faults_of(lines: list[str], request: dict[str, Any]) -> Iterator[str]:
    """Yield what two lines say that the figures do not.

    Args:
        request: `figures`, `derived` and `comparisons`: texts that may be repeated, the last ones with a `verdict`.
    """
    compared = [one["text"] for one in request["comparisons"]]
    known = [str(text) for text in (*request["figures"], *request["derived"], *compared)]
    allowed = {key for text in known for statement in read_statements(text, LANGUAGE) for key in statement.keys}
    verdicts = {one["verdict"] for one in request["comparisons"]}
    for line in lines:
        for statement in read_statements(line.replace(str(request["campaign"]), ""), LANGUAGE):
            if statement.keys.isdisjoint(allowed):
                yield f"“{statement.text}” is none of the figures"
        for pattern in (_WHY, _AMOUNT_IN_WORDS):
            if match := pattern.search(line):
                yield f"“{match[0]}” cannot be told from the figures"
        for pattern, verdict in _COMPARES:
            if (match := pattern.search(line)) and verdict not in verdicts:
                yield f"“{match[0]}” is no verdict that was given"


def _check(asked: Asked, answer: InsightAnswer) -> None:
    if faults := list(faults_of([answer.happened, answer.stands_out], asked.request)):
        raise ValueError("; ".join(faults))


def _data(asked: Asked) -> dict[str, Any]:
    return {name: asked.request[name] for name in ("campaign", "figures", "derived", "comparisons")}


def _result(_asked: Asked, answer: InsightAnswer) -> dict[str, Any]:
    return {"lines": [" ".join(answer.happened.split()), " ".join(answer.stands_out.split())]}


INSIGHT = SmallTask(prompt="insight", answer=InsightAnswer, data=_data, result=_result, check=_check, is_short=True)

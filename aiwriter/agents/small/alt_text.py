"""Alternative texts, from words alone: nobody looks at the picture, and the answer says so."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field

from aiwriter.agents.offline.grammar import upper_first
from aiwriter.agents.offline.rewriting import NeedsModel
from aiwriter.agents.small.task import Asked, SmallTask
from aiwriter.agents.small.wording import background

MOST_CHARACTERS = 125
#: Words of a file's name that say how it was made, and nothing of what it shows.
_NO_MEANING = re.compile(
    r"(?:img|image|dsc|dscn|pxl|photo|pic|picture|screenshot|screen|shot|scan|untitled|unnamed|final|copy|edit|edited|"
    r"new|v?\d+|\d+x\d*|px|web|small|large|hero|banner|header|thumb|thumbnail|download|whatsapp|at|mail|email|"
    r"[0-9a-f]{6,})\Z",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s_\-+.,()]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
FEWEST_WORDS = 2


class AltTextAnswer(BaseModel):
    """What a model thinks that the picture shows; empty when the words do not tell."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=300)


def words_of_file(name: str) -> str:
    """Return what a file's name says of its picture ("harvest-roast_2x.jpg": "Harvest roast"), or ""."""
    stem = unquote(name).rsplit("/", 1)[-1].split("?")[0]
    stem = re.sub(r"\.[A-Za-z]{3,4}\Z", "", stem)
    words = [word for word in _BETWEEN.split(_CAMEL.sub(" ", stem)) if word and not _NO_MEANING.match(word)]
    readable = [word for word in words if any(letter.isalpha() for letter in word)]
    return upper_first(" ".join(readable)) if len(readable) >= FEWEST_WORDS else ""


def _result(asked: Asked, text: str, basis: str) -> dict[str, Any]:
    earlier = {str(one).strip().lower() for one in asked.request.get("earlier", ())}
    clean = " ".join(text.split()).strip("\"“”'").rstrip(".")[:MOST_CHARACTERS]
    return {"text": "" if clean.lower() in earlier else clean, "basis": basis}


def _by_rules(asked: Asked) -> dict[str, Any]:
    caption = str(asked.request.get("caption", ""))
    for text, basis in ((words_of_file(str(asked.request.get("file_name", ""))), "file_name"), (caption, "caption")):
        result = _result(asked, text, basis)
        if result["text"]:
            return result
    raise NeedsModel


ALT_TEXT = SmallTask(
    prompt="alt_text",
    answer=AltTextAnswer,
    data=lambda asked: {**background(asked), **asked.request},
    result=lambda asked, answer: _result(asked, answer.text, "words"),
    by_rules=_by_rules,
    is_short=True,
    max_output_tokens=300,
)

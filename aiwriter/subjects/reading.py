"""A subject line as inboxes and readers see it."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from aiwriter.guardrails.languages import language as lexicon

_FALLBACK = re.compile(
    r"\{\{#\s*([\w.]+)\s*\}\}(?:(?!\{\{/).)*?\{\{/\s*\1\s*\}\}\{\{\^\s*\1\s*\}\}(.*?)\{\{/\s*\1\s*\}\}", re.DOTALL
)
_TAG = re.compile(r"\{\{\{?\s*[#^/]?\s*([\w.]+)\s*\}?\}\}")
#: What stands for a merge tag when a line is measured: names are about this long.
STAND_IN = "Someone"
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_EMOJI = re.compile(
    r"(?:[\U0001F1E6-\U0001F1FF]{2}"
    r"|[\U0001F300-\U0001FAFF\u2600-\u27BF\u2B50\u2B55](?:\uFE0F|[\U0001F3FB-\U0001F3FF])?"
    r"(?:\u200D[\U0001F300-\U0001FAFF\u2600-\u27BF](?:\uFE0F|[\U0001F3FB-\U0001F3FF])?)*)"
)
_SCRIPTS_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f]")


def as_read(text: str) -> str:
    """Return a line with its merge tags as readers see them: the fallback, or a name of usual length."""
    return " ".join(_TAG.sub(STAND_IN, _FALLBACK.sub(lambda found: found[2] or STAND_IN, text)).split())


def width(text: str) -> int:
    """Return how much room a text takes, in characters: wide ones (Chinese, Japanese, Korean, emoji) count twice."""
    return sum(
        0 if unicodedata.combining(one) or unicodedata.category(one) == "Cf" or one == "\ufe0f"
        else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )  # fmt: skip


@cache
def _cues() -> dict[str, dict[str, list[str]]]:
    read: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("cues.json").read_text("utf-8"))
    return read


@cache
def _pattern(code: str, kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(_cues()[code][kind])})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """A subject with its preview text, read once.

    Attributes:
        subject: as readers see it; merge tags are replaced.
        preview: the same of the preview text.
        language: the code of the language, such as `en` or `pt-BR`.
        has_tag: whether the subject names something about its reader.
    """

    subject: str
    preview: str
    language: str
    has_tag: bool

    @classmethod
    def of(cls, subject: str, preview_text: str, language: str) -> Line:
        """Read a line as it is stored."""
        code = language.lower().replace("_", "-").split("-")[0]
        return cls(as_read(subject), as_read(preview_text), code, bool(_TAG.search(subject)))

    @property
    def has_cues(self) -> bool:
        """Whether urgency and spam words of this language are known."""
        return self.language in _cues()

    @property
    def has_spaces(self) -> bool:
        """Whether words can be counted."""
        return not _SCRIPTS_WITHOUT_SPACES.search(self.subject)

    @cached_property
    def words(self) -> list[str]:
        """The words of the subject."""
        return _WORD.findall(self.subject)

    @cached_property
    def emoji(self) -> list[str]:
        """The emoji of the subject; a family of joined ones is one."""
        return _EMOJI.findall(self.subject)

    def cues(self, kind: str) -> list[str]:
        """Return the words of a kind (`urgency`, `spam`) that stand in the subject."""
        found = (match[0].lower() for match in _pattern(self.language, kind).finditer(self.subject))
        return list(dict.fromkeys(found))

    @cached_property
    def shouted(self) -> list[str]:
        """Words of four letters and more in capitals; codes with digits are none."""
        return [word for word in self.words if len(word) > 3 and word.isupper() and word.isalpha()]

    @cached_property
    def names(self) -> list[str]:
        """Words with a capital inside the line, which are names where only names have one."""
        if self.language == "de" or (len(self.words) > 3 and all(word[0].isupper() for word in self.words)):
            return []
        found = []
        for match in _WORD.finditer(self.subject):
            before = self.subject[: match.start()].rstrip(" “\"'(")
            begins = not any(one.isalnum() for one in before) or before[-1] in ".!?:–—-"
            if match[0][0].isupper() and len(match[0]) > 1 and not begins and match[0] != STAND_IN:
                found.append(match[0])
        return found

    def meaning(self, text: str) -> frozenset[str]:
        """Return the words of a text that carry meaning, in lower case."""
        spoken = lexicon(self.language)
        common = spoken.stop_words if spoken else frozenset()
        words = (word.lower() for word in _WORD.findall(text))
        return frozenset(word for word in words if word not in common and len(word) > 2)

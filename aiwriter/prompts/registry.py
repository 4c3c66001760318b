"""Reading prompts from `v1/*.md`. Their text is sent as it is: nothing is ever formatted into it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSION = "v1"
FOLDER = Path(__file__).parent / VERSION


@dataclass(frozen=True)
class Prompt:
    """One instruction: `id` is `writer@v1`."""

    id: str
    text: str
    sha256: str


@cache
def get_prompt(name: str) -> Prompt:
    """Return a prompt by the name of its file.

    Raises:
        FileNotFoundError: there is no such prompt.
    """
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(f"{name}@{VERSION}", text, hashlib.sha256(text.encode()).hexdigest())

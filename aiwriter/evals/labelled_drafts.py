"""Drafts written by hand, good and bad, and how well the guardrails tell them apart.

Two collections, each written before the checks were changed for it. Every third good and every third bad draft of the
first is held out, every second of the second: the checks were improved without looking at those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiwriter.agents.contract import BriefData, DraftContent, VoiceData, check_content

_FOLDER = Path(__file__).parent / "labelled"
#: Neighbours: a length of time is a number or a date, a promise an offer or a claim. Either points at the words.
SAME_TO_READERS = (
    frozenset({"number_unsupported", "date_unsupported"}),
    frozenset({"offer_unsupported", "claim_unsupported"}),
)
COLLECTIONS = ("first", "second", "third")
_LISTS = ("facts", "allowed_links", "allowed_tags", "must_say", "must_not_say")


@dataclass(frozen=True)
class LabelledDraft:
    """A draft, its brief, and the codes of the findings that must block it; none when it is good.

    A label such as `offer_unsupported/number_unsupported` is one fault that either code may name; see `SAME_TO_READERS`
    for codes that are always so close.
    """

    id: str
    collection: str
    brief: BriefData
    content: DraftContent
    must_block: frozenset[str]
    is_held_out: bool


@dataclass(frozen=True)
class Score:
    """How the checks did on some drafts."""

    drafts: int
    good: int
    good_blocked: tuple[str, ...]
    faults: int
    missed: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Which share of the faults blocks."""
        return 1 - len(self.missed) / self.faults if self.faults else 1.0

    @property
    def good_blocked_share(self) -> float:
        """Which share of the good drafts blocks."""
        return len(self.good_blocked) / self.good if self.good else 0.0


def brief_from(values: dict[str, Any]) -> BriefData:
    """Return a brief as it stands in a JSON file."""
    fields: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in values.items()}
    return BriefData(**fields)


def _content(row: dict[str, Any], brief: BriefData) -> DraftContent:
    blocks = [
        {"id": f"a{number}", "type": "text", "html": f"<p>{paragraph}</p>"}
        for number, paragraph in enumerate(row["text"], start=1)
    ]
    if row.get("has_button", True):
        blocks.append({"id": "a0", "type": "button", "label": brief.cta_label or "→", "url": brief.cta_url})
    return DraftContent(0, "", row["subject"], row["preview_text"], blocks)


@cache
def labelled_drafts() -> tuple[LabelledDraft, ...]:
    """Return all of them, in the order of the files."""
    return tuple(draft for collection in COLLECTIONS for draft in _read(collection))


def _read(collection: str) -> list[LabelledDraft]:
    folder = _FOLDER / collection
    stored = json.loads((folder / "briefs.json").read_text("utf-8"))
    briefs = {name: brief_from(values) for name, values in stored.items()}
    return [
        LabelledDraft(
            row["id"],
            collection,
            briefs[row["brief"]],
            _content(row, briefs[row["brief"]]),
            frozenset(row["must_block"]),
            row["is_held_out"],
        )
        for row in json.loads((folder / "drafts.json").read_text("utf-8"))
    ]


def _codes(label: str) -> set[str]:
    """Return the codes that find a labelled fault."""
    named = set(label.split("/"))
    return named.union(*(family for family in SAME_TO_READERS if family & named))


def measure(drafts: Iterable[LabelledDraft]) -> Score:
    """Check every draft and compare what blocks with the labels."""
    seen = good = faults = 0
    good_blocked: list[str] = []
    missed: list[str] = []
    for draft in drafts:
        seen += 1
        report = check_content(draft.content, draft.brief, VoiceData())
        blocking = {finding["code"] for finding in report["findings"] if finding["severity"] == "block"}
        if not draft.must_block:
            good += 1
            good_blocked += [draft.id] if blocking else []
        faults += len(draft.must_block)
        missed += [f"{draft.id}: {label}" for label in sorted(draft.must_block) if not blocking & _codes(label)]
    return Score(seen, good, tuple(good_blocked), faults, tuple(missed))

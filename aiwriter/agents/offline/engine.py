"""The template engine: the same stream and the same guardrails as the model engines, no model and no cost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from aiwriter.agents.contract import BriefData, DraftContent, DraftPackage, Emit, ExemplarData, VoiceData, draft_frame
from aiwriter.agents.offline.angles import AngleWriter
from aiwriter.agents.offline.languages import detect_language
from aiwriter.agents.offline.quoted import write_quoted
from aiwriter.agents.offline.reading import read_brief
from aiwriter.gateway.router import OFFLINE, TEMPLATE_MODEL
from aiwriter.models.draft import readable_text

#: Between two frames, so that the page shows the drafts growing side by side.
PAUSE_S = 0.03
_PARAGRAPHS = re.compile(r"(?<=</p>)|(?<=</ul>)")


def write_drafts(brief: BriefData) -> tuple[DraftContent, ...]:
    """Return the angles of a brief: arranged by rules in English, quoted in other languages."""
    language = detect_language(" ".join((brief.goal, brief.offer)), brief.language)
    return AngleWriter(brief, read_brief(brief)).write() if language == "en" else write_quoted(brief, language)


class TemplateEngine:
    """Fills three skeletons with the brief's own words; the same brief gives the same drafts."""

    name = "template"

    def __init__(self, *, pause_s: float = PAUSE_S) -> None:
        self._pause_s = pause_s

    def run(
        self,
        *,
        brief: BriefData,
        voice: VoiceData,  # noqa: ARG002 - the same call as every engine
        exemplars: Sequence[ExemplarData],  # noqa: ARG002
        emit: Emit,
        checkpoint: Callable[[], None],
    ) -> DraftPackage:
        """Return the drafts of the brief. `voice` and `exemplars` need a model and are not used."""
        drafts = write_drafts(brief)
        for draft in drafts:
            emit(_stage(draft, "started", ""))
        for growing in zip_longest(*(_growth(draft) for draft in drafts)):
            checkpoint()
            for state in filter(None, growing):
                emit(draft_frame(state, is_ai_generated=False))
            time.sleep(self._pause_s)
        for draft in drafts:
            emit(_stage(draft, "done", f"{len(readable_text(draft.blocks).split())} words"))
        return DraftPackage(drafts=drafts, provider=OFFLINE, model=TEMPLATE_MODEL)


def _stage(draft: DraftContent, state: str, summary: str) -> dict[str, object]:
    letter = chr(ord("A") + draft.position)
    return {
        "type": "stage",
        "role": "writer",
        "label": f"Template {letter}",
        "task": f"writer:{letter}",
        "state": state,
        "model": TEMPLATE_MODEL,
        "tokens": 0,
        "cost_micro_usd": 0,
        "summary": summary,
    }


def _growth(draft: DraftContent) -> Iterator[DraftContent]:
    """Yield the draft as it grows: subject, preview text, then paragraph by paragraph."""
    yield replace(draft, preview_text="", blocks=[])
    yield replace(draft, blocks=[])
    done: list[dict[str, object]] = []
    for block in draft.blocks:
        parts = [part for part in _PARAGRAPHS.split(str(block.get("html", ""))) if part]
        for count in range(1, len(parts)):
            yield replace(draft, blocks=[*done, {**block, "html": "".join(parts[:count])}])
        done.append(block)
        yield replace(draft, blocks=list(done))

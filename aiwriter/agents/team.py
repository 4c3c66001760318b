"""The writing team: what each role is asked, what it is given, what becomes of its answer and what the page is told.

    strategist -> writers, one an angle -> brand reviewer -> compliance critic -> editors, one a draft -> a second look

Who speaks when is an engine's business (`langgraph_engine`, `crew_engine`); every word comes through the gateway, so
budget, audit, fallback and cancelling are the same whoever drives the team.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django.db import connection
from langchain_core.utils.json import parse_partial_json

from aiwriter.agents.answers import (
    BrandAnswer,
    CriticAnswer,
    PlannedAngle,
    StrategyAnswer,
    Verdict,
    WriterAnswer,
    to_blocks,
    to_draft,
)
from aiwriter.agents.changes import Change, list_changes
from aiwriter.agents.contract import (
    BriefData,
    DraftContent,
    DraftPackage,
    Emit,
    ExemplarData,
    VoiceData,
    check_content,
    draft_frame,
)
from aiwriter.agents.given import brief_for_model
from aiwriter.agents.roles import ROLES
from aiwriter.gateway.types import LLMRequest, LLMResult
from aiwriter.models.draft import readable_text
from aiwriter.prompts.messages import build_messages
from aiwriter.prompts.registry import get_prompt

if TYPE_CHECKING:
    from aiwriter.gateway.gateway import LLMGateway


#: Times the reviewers look at drafts, each followed by mending. What is still found after that is shown to people.
MAX_LOOKS = 2
#: Characters between two frames of a draft: smooth to the eye, kind to the socket.
FRAME_EVERY = 40


class Team:
    """The roles at work on one brief, and what they have so far.

    Writers may speak side by side, and so may editors: each touches only its own draft. What a role brings stays here;
    engines see none of it.

    Raises:
        GatewayError: from every role, when it got no usable answer or the work must stop.
    """

    def __init__(
        self,
        gateway: LLMGateway,
        *,
        brief: BriefData,
        voice: VoiceData,
        exemplars: Sequence[ExemplarData],
        emit: Emit,
    ) -> None:
        self._gateway = gateway
        self._brief = brief
        self._voice = voice
        self._examples = [{"title": exemplar.title, "text": exemplar.text[:1500]} for exemplar in exemplars]
        self._given = brief_for_model(brief, voice)
        self._emit = emit
        self._thread = threading.get_ident()
        self._looks = 0
        self._angles: list[PlannedAngle] = []
        self._drafts: dict[int, DraftContent] = {}
        self._authors: dict[int, tuple[str, str]] = {}
        #: By position of the draft: what the reviewers of this look found, and those of the look before.
        self._problems: dict[int, list[str]] = {}
        self._asked_before: dict[int, list[str]] = {}

    # --- who has something to do ---------------------------------------------------------------------------------
    @property
    def to_write(self) -> range:
        """Positions of the drafts that writers write."""
        return range(len(self._angles))

    @property
    def to_mend(self) -> list[int]:
        """Positions of the drafts that editors mend after this look."""
        return [position for position, problems in self._problems.items() if problems]

    @property
    def looks_again(self) -> bool:
        """Whether the reviewers look at what the editors mended."""
        return self._looks < MAX_LOOKS

    # --- roles ---------------------------------------------------------------------------------------------------
    def strategist(self) -> None:
        """Plan the angles."""
        data = {**self._given, "angle_count": self._brief.angles, "examples": self._examples}
        result = self._ask("strategist", "strategist", data)
        self._angles = cast("StrategyAnswer", result.parsed).angles[: self._brief.angles]
        self._done("strategist", "strategist", result, " · ".join(angle.label for angle in self._angles))

    def writer(self, position: int) -> None:
        """Write one angle, showing it as it grows."""
        angle = self._angles[position]
        task = f"writer:{_letter(position)}"
        data = {**self._given, "angle": angle.model_dump(), "examples": self._examples}
        result = self._ask("writer", task, data, show=lambda text: self._show_partial(text, position, angle.label))
        draft = to_draft(cast("WriterAnswer", result.parsed), position=position, angle=angle.label)
        self._hand_in(draft, result)
        self._done("writer", task, result, f"{len(readable_text(draft.blocks).split())} words")

    def brand_reviewer(self) -> None:
        """Begin a look at the drafts: what the rules find, then what does not sound like the brand."""
        self._begin_look()
        task = self._look_task("brand_reviewer")
        if not self._voice.profile:
            if self._looks == 1:
                self._tell("brand_reviewer", task, "skipped", summary="no voice")
            return
        data = {name: self._given[name] for name in ("brand", "voice", "tone", "language", "merge_tags")}
        result = self._ask("brand_reviewer", task, {**data, "drafts": self._for_reviewers()})
        self._take_verdicts(cast("BrandAnswer", result.parsed).reviews, "brand_reviewer", task, result)

    def critic(self) -> None:
        """Find what the sender could not stand by; asks the other family than the one that wrote."""
        task = self._look_task("critic")
        data = {**self._given, "voice": {}, "drafts": self._for_reviewers()}
        wrote, _ = self._authors[min(self._problems)]
        result = self._ask("critic", task, data, avoid=wrote)
        self._take_verdicts(cast("CriticAnswer", result.parsed).verdicts, "critic", task, result)

    def editor(self, position: int) -> None:
        """Mend what was found in one draft, and tell what changed."""
        draft, problems = self._drafts[position], self._problems[position]
        task = f"editor:{_letter(position)}{self._looks if self._looks > 1 else ''}"
        result = self._ask("editor", task, {**self._given, "draft": _for_model(draft), "problems": problems})
        better = to_draft(cast("WriterAnswer", result.parsed), position=position, angle=draft.angle)
        changes = list_changes(draft, better)
        self._hand_in(better, result)
        parts = ", ".join(change["part"] for change in changes) or "nothing"
        self._done("editor", task, result, f"{len(problems)} to mend, changed: {parts}", changes)

    def package(self) -> DraftPackage:
        """Return what the team has, signed by who wrote the first draft last."""
        positions = sorted(self._drafts)
        provider, model = self._authors[positions[0]]
        drafts = tuple(replace(self._drafts[position], position=number) for number, position in enumerate(positions))
        return DraftPackage(drafts=drafts, provider=provider, model=model)

    # --- a look at the drafts ------------------------------------------------------------------------------------
    def _begin_look(self) -> None:
        """Lay out the drafts for the reviewers (all, later those that were mended), with what the rules find."""
        self._looks += 1
        self._asked_before = {position: self._problems[position] for position in self.to_mend}
        laid_out = self._asked_before if self._looks > 1 else self._drafts
        self._problems = {position: self._blocking(self._drafts[position]) for position in sorted(laid_out)}

    def _look_task(self, role: str) -> str:
        return role if self._looks == 1 else f"{role}:{self._looks}"

    def _blocking(self, draft: DraftContent) -> list[str]:
        report = check_content(draft, self._brief, self._voice)
        return [f"{found['where']}: {found['message']}" for found in report["findings"] if found["severity"] == "block"]

    def _for_reviewers(self) -> list[dict[str, Any]]:
        return [
            {
                "position": position,
                "angle": self._drafts[position].angle,
                **_for_model(self._drafts[position]),
                "already_found": found,
                "asked_to_mend": self._asked_before.get(position, []),
            }
            for position, found in self._problems.items()
        ]

    def _take_verdicts(self, verdicts: Sequence[Verdict], role: str, task: str, result: LLMResult) -> None:
        """Add what a reviewer found; verdicts on drafts that nobody laid before it do not count."""
        for verdict in verdicts:
            if verdict.position in self._problems:
                self._problems[verdict.position].extend(text[:400] for text in verdict.problems)
        found = sum(map(len, self._problems.values()))
        self._done(role, task, result, f"{found} to mend" if found else "nothing to mend")

    # --- asking and telling --------------------------------------------------------------------------------------
    def _ask(
        self,
        role: str,
        task: str,
        data: dict[str, Any],
        *,
        show: Callable[[str], None] | None = None,
        avoid: str = "",
    ) -> LLMResult:
        prompt = get_prompt(role)
        request = LLMRequest(
            role=role,
            task=task,
            messages=build_messages(role, data),
            schema=ROLES[role].answer,
            max_output_tokens=ROLES[role].output_tokens,
            complexity=self._brief.complexity or "medium",  # type: ignore[arg-type]
            needs_brand_alignment=bool(self._voice.profile),
            prompt_id=prompt.id,
            prompt_sha256=prompt.sha256,
            prefer_other_than=avoid,
        )
        self._tell(role, task, "started")
        shown = 0
        result: LLMResult | None = None
        try:
            for event in self._gateway.stream(request):
                if isinstance(event, LLMResult):
                    result = event
                elif show is not None and (abs(len(event.text) - shown) >= FRAME_EVERY):
                    shown = len(event.text)
                    show(event.text)
        except Exception:
            self._tell(role, task, "failed")
            raise
        finally:
            if threading.get_ident() != self._thread:
                connection.close()  # a thread of an engine's own ends unseen: its connection goes back to the pool
        assert result is not None
        return result

    def _hand_in(self, draft: DraftContent, result: LLMResult) -> None:
        self._drafts[draft.position] = draft
        self._authors[draft.position] = (result.provider, result.model)
        self._emit(draft_frame(draft))

    def _show_partial(self, text: str, position: int, angle: str) -> None:
        try:
            partial = parse_partial_json(text)
        except ValueError:
            return
        if not isinstance(partial, dict):
            return
        blocks = partial.get("blocks")
        subject, preview = (str(partial.get(name) or "") for name in ("subject", "preview_text"))
        written = to_blocks(blocks, position) if isinstance(blocks, list) else []
        self._emit(draft_frame(DraftContent(position, angle, subject, preview, written)))

    def _done(self, role: str, task: str, result: LLMResult, summary: str, changes: Sequence[Change] = ()) -> None:
        if result.fallback_from:
            summary = f"{summary} · instead of {result.fallback_from}"
        tokens = result.usage.input_tokens + result.usage.output_tokens
        self._tell(
            role,
            task,
            "done",
            summary=summary,
            model=result.model,
            tokens=tokens,
            cost_micro_usd=result.cost_micro_usd,
            changes=changes,
        )

    def _tell(
        self,
        role: str,
        task: str,
        state: str,
        *,
        summary: str = "",
        model: str = "",
        tokens: int = 0,
        cost_micro_usd: int = 0,
        changes: Sequence[Change] = (),
    ) -> None:
        self._emit(
            {
                "type": "stage",
                "role": role,
                "label": f"{ROLES[role].label} {task.partition(':')[2]}".strip(),
                "task": task,
                "state": state,
                "model": model,
                "tokens": tokens,
                "cost_micro_usd": cost_micro_usd,
                "summary": summary,
                "changes": list(changes),
            }
        )


def _letter(position: int) -> str:
    return chr(ord("A") + position)


def _for_model(draft: DraftContent) -> dict[str, Any]:
    blocks = [{key: value for key, value in block.items() if key not in ("id", "align")} for block in draft.blocks]
    return {"subject": draft.subject, "preview_text": draft.preview_text, "blocks": blocks}

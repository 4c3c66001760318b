"""The writing team on LangGraph: strategist -> writers (one an angle) -> critic -> editor, with one round of mending.

The graph only says who comes next. Every word comes through the gateway, so budget, audit, fallback and cancelling are
the same as everywhere.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from django.db import connection
from langchain_core.utils.json import parse_partial_json
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from aiwriter.agents.answers import CriticAnswer, PlannedAngle, StrategyAnswer, WriterAnswer, to_blocks, to_draft
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
from aiwriter.gateway.types import LLMRequest, LLMResult
from aiwriter.prompts.messages import build_messages
from aiwriter.prompts.registry import get_prompt

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aiwriter.gateway.gateway import LLMGateway

#: Rounds of mending; a draft that still has findings is shown with them.
MAX_REVISIONS = 1
OUTPUT_TOKENS = {"strategist": 1200, "writer": 2000, "critic": 1500, "editor": 2000}
#: Characters between two frames of a draft: smooth to the eye, kind to the socket.
FRAME_EVERY = 40
LABELS = {"strategist": "Strategist", "writer": "Writer", "critic": "Critic", "editor": "Editor"}


class _State(TypedDict):
    angles: list[PlannedAngle]
    written: Annotated[list[DraftContent], operator.add]
    problems: dict[int, list[str]]
    revisions: int
    answered_by: Annotated[list[tuple[str, str]], operator.add]


class _WriterInput(TypedDict):
    position: int
    angle: PlannedAngle


@dataclass
class _Team:
    """The roles at work on one brief."""

    gateway: LLMGateway
    brief: BriefData
    voice: VoiceData
    exemplars: Sequence[ExemplarData]
    emit: Emit

    # --- roles ---------------------------------------------------------------------------------------------------
    def strategist(self, _state: _State) -> dict[str, Any]:
        """Plan the angles."""
        data = {**self._given(), "angle_count": self.brief.angles, "examples": self._examples()}
        result = self._ask("strategist", "strategist", data, StrategyAnswer)
        angles = cast("StrategyAnswer", result.parsed).angles[: self.brief.angles]
        self._stage("strategist", "strategist", "done", result, " · ".join(angle.label for angle in angles))
        return {"angles": angles, "answered_by": [(result.provider, result.model)]}

    def writer(self, given: _WriterInput) -> dict[str, Any]:
        """Write one angle; runs beside the other writers, in a thread of its own."""
        position, angle = given["position"], given["angle"]
        task = f"writer:{chr(ord('A') + position)}"
        data = {**self._given(), "angle": angle.model_dump(), "examples": self._examples()}

        def show(text: str) -> None:
            self._show_partial(text, position, angle.label)

        try:
            result = self._ask("writer", task, data, WriterAnswer, show=show)
        finally:
            connection.close()  # this thread ends with the node: its connection goes back to the pool
        draft = to_draft(cast("WriterAnswer", result.parsed), position=position, angle=angle.label)
        self.emit(draft_frame(draft))
        self._stage("writer", task, "done", result, f"{len(result.text.split())} words")
        return {"written": [draft], "answered_by": [(result.provider, result.model)]}

    def critic(self, state: _State) -> dict[str, Any]:
        """Find what must be mended: the rules' findings, and those of a model of the other family."""
        drafts = _latest(state["written"])
        findings = {draft.position: self._blocking(draft) for draft in drafts}
        data = {
            **self._given(),
            "drafts": [
                {
                    "position": draft.position,
                    "angle": draft.angle,
                    "subject": draft.subject,
                    "preview_text": draft.preview_text,
                    "blocks": _for_model(draft),
                    "found_by_rules": findings[draft.position],
                }
                for draft in drafts
            ],
        }
        wrote = state["answered_by"][-1][0]
        result = self._ask("critic", "critic", data, CriticAnswer, avoid=wrote)
        problems = {position: list(texts) for position, texts in findings.items()}
        for verdict in cast("CriticAnswer", result.parsed).verdicts:
            problems.setdefault(verdict.position, []).extend(text[:400] for text in verdict.problems)
        found = sum(map(len, problems.values()))
        self._stage("critic", "critic", "done", result, f"{found} to mend" if found else "nothing to mend")
        return {"problems": problems}

    def editor(self, state: _State) -> dict[str, Any]:
        """Mend the drafts that have problems."""
        mended: list[DraftContent] = []
        answered: list[tuple[str, str]] = []
        for draft in _latest(state["written"]):
            problems = state["problems"].get(draft.position)
            if not problems:
                continue
            task = f"editor:{chr(ord('A') + draft.position)}"
            current = {"subject": draft.subject, "preview_text": draft.preview_text, "blocks": _for_model(draft)}
            data = {**self._given(), "draft": current, "problems": problems}
            result = self._ask("editor", task, data, WriterAnswer)
            better = to_draft(cast("WriterAnswer", result.parsed), position=draft.position, angle=draft.angle)
            self.emit(draft_frame(better))
            self._stage("editor", task, "done", result, f"{len(problems)} mended")
            mended.append(better)
            answered.append((result.provider, result.model))
        return {"written": mended, "revisions": state["revisions"] + 1, "answered_by": answered}

    # --- routing -------------------------------------------------------------------------------------------------
    @staticmethod
    def to_writers(state: _State) -> list[Send]:
        """Send every angle to a writer."""
        return [Send("writer", {"position": i, "angle": angle}) for i, angle in enumerate(state["angles"])]

    @staticmethod
    def after_critic(state: _State) -> str:
        """Mend while there is something to mend and a round left."""
        return "editor" if any(state["problems"].values()) and state["revisions"] < MAX_REVISIONS else END

    # --- parts ---------------------------------------------------------------------------------------------------
    def _given(self) -> dict[str, Any]:
        return brief_for_model(self.brief, self.voice)

    def _examples(self) -> list[dict[str, str]]:
        return [{"title": exemplar.title, "text": exemplar.text[:1500]} for exemplar in self.exemplars]

    def _blocking(self, draft: DraftContent) -> list[str]:
        report = check_content(draft, self.brief, self.voice)
        return [f"{f['where']}: {f['message']}" for f in report["findings"] if f["severity"] == "block"]

    def _ask(
        self,
        role: str,
        task: str,
        data: dict[str, Any],
        schema: type[BaseModel],
        *,
        show: Callable[[str], None] | None = None,
        avoid: str = "",
    ) -> LLMResult:
        prompt = get_prompt(role)
        request = LLMRequest(
            role=role,
            task=task,
            messages=build_messages(role, data),
            schema=schema,
            max_output_tokens=OUTPUT_TOKENS[role],
            complexity=self.brief.complexity or "medium",  # type: ignore[arg-type]
            needs_brand_alignment=bool(self.voice.profile),
            prompt_id=prompt.id,
            prompt_sha256=prompt.sha256,
            prefer_other_than=avoid,
        )
        self._stage(role, task, "started", None, "")
        shown = 0
        result: LLMResult | None = None
        try:
            for event in self.gateway.stream(request):
                if isinstance(event, LLMResult):
                    result = event
                elif show is not None and (abs(len(event.text) - shown) >= FRAME_EVERY):
                    shown = len(event.text)
                    show(event.text)
        except Exception:
            self._stage(role, task, "failed", None, "")
            raise
        assert result is not None
        return result

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
        self.emit(draft_frame(DraftContent(position, angle, subject, preview, written)))

    def _stage(self, role: str, task: str, state: str, result: LLMResult | None, summary: str) -> None:
        letter = task.partition(":")[2]
        tokens = result.usage.input_tokens + result.usage.output_tokens if result else 0
        self.emit(
            {
                "type": "stage",
                "role": role,
                "label": f"{LABELS[role]} {letter}".strip(),
                "task": task,
                "state": state,
                "model": result.model if result else "",
                "tokens": tokens,
                "cost_micro_usd": result.cost_micro_usd if result else 0,
                "summary": summary
                + (f" · instead of {result.fallback_from}" if result and result.fallback_from else ""),
            }
        )


def _latest(written: Sequence[DraftContent]) -> list[DraftContent]:
    """Return the newest state of every draft, by position."""
    newest = {draft.position: draft for draft in written}
    return [newest[position] for position in sorted(newest)]


def _for_model(draft: DraftContent) -> list[dict[str, Any]]:
    return [{key: value for key, value in block.items() if key not in ("id", "align")} for block in draft.blocks]


class LangGraphEngine:
    """Drives the team on a compiled state graph."""

    name = "langgraph"

    def __init__(self, gateway: LLMGateway) -> None:
        self._gateway = gateway

    def run(
        self,
        *,
        brief: BriefData,
        voice: VoiceData,
        exemplars: Sequence[ExemplarData],
        emit: Emit,
        checkpoint: Callable[[], None],
    ) -> DraftPackage:
        """Return the drafts of the brief.

        Raises:
            GatewayError: a role got no usable answer.
        """
        checkpoint()
        team = _Team(self._gateway, brief, voice, exemplars, emit)
        graph: StateGraph[Any, None, Any, Any] = StateGraph(_State)
        graph.add_node("strategist", team.strategist)  # type: ignore[call-overload]  # bound methods
        graph.add_node("writer", team.writer)  # type: ignore[call-overload]
        graph.add_node("critic", team.critic)
        graph.add_node("editor", team.editor)
        graph.add_edge(START, "strategist")
        graph.add_conditional_edges("strategist", team.to_writers, ["writer"])
        graph.add_edge("writer", "critic")
        graph.add_conditional_edges("critic", team.after_critic, ["editor", END])
        graph.add_edge("editor", END)
        start: _State = {"angles": [], "written": [], "problems": {}, "revisions": 0, "answered_by": []}
        end = graph.compile().invoke(start, {"recursion_limit": 12})
        drafts = [replace(draft, position=index) for index, draft in enumerate(_latest(end["written"]))]
        provider, model = next(reversed(end["answered_by"]))
        return DraftPackage(drafts=tuple(drafts), provider=provider, model=model)

"""The writing team on LangGraph. The graph only says who comes next; what everybody does stands in `team`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from aiwriter.agents.contract import BriefData, DraftPackage, Emit, ExemplarData, VoiceData
from aiwriter.agents.team import MAX_LOOKS, Team

if TYPE_CHECKING:
    from aiwriter.gateway.gateway import LLMGateway

#: Steps of the graph: strategist, writers, three for each look, and finding that nobody is next.
MOST_STEPS = 3 + 3 * MAX_LOOKS


class _State(TypedDict):
    """Which draft a writer or an editor is sent to; the drafts themselves are with the team."""

    position: Annotated[int, lambda _old, new: new]


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
        team = Team(self._gateway, brief=brief, voice=voice, exemplars=exemplars, emit=emit)
        _graph(team).invoke({"position": 0}, {"recursion_limit": MOST_STEPS})
        return team.package()


def _graph(team: Team) -> Any:
    def each(role: str, positions: Sequence[int]) -> list[Send]:
        return [Send(role, {"position": position}) for position in positions]

    def speaking(role: Callable[[], None]) -> Any:
        return lambda _state: role()

    def speaking_for_one(role: Callable[[int], None]) -> Any:
        return lambda state: role(state["position"])

    graph: StateGraph[Any, None, Any, Any] = StateGraph(_State)
    graph.add_node("strategist", speaking(team.strategist))
    graph.add_node("writer", speaking_for_one(team.writer))
    graph.add_node("brand_reviewer", speaking(team.brand_reviewer))
    graph.add_node("critic", speaking(team.critic))
    graph.add_node("editor", speaking_for_one(team.editor))
    graph.add_edge(START, "strategist")
    graph.add_conditional_edges("strategist", lambda _state: each("writer", team.to_write), ["writer"])
    graph.add_edge("writer", "brand_reviewer")
    graph.add_edge("brand_reviewer", "critic")
    graph.add_conditional_edges("critic", lambda _state: each("editor", team.to_mend) or END, ["editor", END])
    graph.add_conditional_edges(
        "editor", lambda _state: "brand_reviewer" if team.looks_again else END, ["brand_reviewer", END]
    )
    return graph.compile()

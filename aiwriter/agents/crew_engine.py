"""The writing team on CrewAI. Crews only say who comes next; what everybody does stands in `team`.

An agent's model is a `_Seat`: when CrewAI calls it, the role speaks through the gateway like on every other engine. So
CrewAI is handed neither brief nor answers. It has nothing to send, to store or to fill its `{goal}` templates with, and
no failure to retry behind our back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from aiwriter.agents.contract import BriefData, DraftPackage, Emit, ExemplarData, VoiceData
from aiwriter.agents.quiet_crewai import Agent, BaseLLM, Crew, Process, Task, storage_in
from aiwriter.agents.roles import ROLES
from aiwriter.agents.team import Team

if TYPE_CHECKING:
    from aiwriter.gateway.gateway import LLMGateway

#: What CrewAI gets to know of an answer.
HANDED_IN = "Handed in."


@dataclass(frozen=True)
class _Turn:
    """A role's turn to speak; `is_beside_others` ones do not wait for those before them."""

    role: str
    speak: Callable[[], None]
    is_beside_others: bool = False


class CrewEngine:
    """Drives the team as a row of crews: each is made when it is known what there is to do."""

    name = "crewai"

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
        reviewers = (_Turn("brand_reviewer", team.brand_reviewer), _Turn("critic", team.critic))
        _kick_off(_Turn("strategist", team.strategist))
        _kick_off(*_beside("writer", team.writer, team.to_write), *reviewers)
        while team.to_mend:
            editors = _beside("editor", team.editor, team.to_mend)
            if not team.looks_again:
                _kick_off(*editors)
                break
            _kick_off(*editors, *reviewers)
        return team.package()


def _beside(role: str, speak: Callable[[int], None], positions: Sequence[int]) -> list[_Turn]:
    return [_Turn(role, partial(speak, position), is_beside_others=True) for position in positions]


def _kick_off(*turns: _Turn) -> None:
    """Let a crew take these turns, and come back when the last word is spoken.

    Raises:
        GatewayError: what the first role that failed raised, as it raised it.
    """
    table = _Table()
    tasks = [_task(turn, table, is_last=turn is turns[-1]) for turn in turns]
    with TemporaryDirectory(prefix="pulsequill-crew-") as folder:
        with storage_in(folder):
            crew = Crew(
                agents=[task.agent for task in tasks],
                tasks=tasks,
                process=Process.sequential,
                memory=False,
                cache=False,
                tracing=False,
            )
        try:
            crew.kickoff()
        except Exception as error:  # noqa: BLE001 - CrewAI hands over `_Failed`, in wrappings of its own
            raise table.clear() or error from None
        table.clear()


def _task(turn: _Turn, table: _Table, *, is_last: bool) -> Any:
    seat = _Seat(model="gateway")
    seat._speak = partial(table.speak, turn.speak)
    agent = Agent(
        role=ROLES[turn.role].label,
        goal=turn.role,
        backstory=turn.role,
        llm=seat,
        max_iter=1,
        max_retry_limit=0,
        respect_context_window=False,
    )
    # A crew must not end with several tasks side by side: then the last one waits for the others.
    return Task(
        name=turn.role,
        description=turn.role,
        expected_output=HANDED_IN,
        agent=agent,
        async_execution=turn.is_beside_others and not is_last,
    )


class _Seat(BaseLLM):
    """Where CrewAI expects a model: asked anything, it lets its role speak."""

    _speak: Callable[[], None] = PrivateAttr()

    def call(self, *_conversation: Any, **_options: Any) -> str:
        self._speak()
        return HANDED_IN


class _Failed(Exception):
    """All that CrewAI learns of a failure. After whatever reads like a rate limit it would ask again, seconds later."""


class _Table:
    """Who is speaking in a crew. CrewAI gives up at the first failure and leaves the threads of the others running."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._speaking = 0
        self._is_closed = False
        self._error: Exception | None = None

    def speak(self, role: Callable[[], None]) -> None:
        """Let a role speak, unless the table has been cleared.

        Raises:
            _Failed: the role failed, or came too late.
        """
        with self._changed:
            if self._is_closed:
                raise _Failed
            self._speaking += 1
        error = _error_of(role)
        with self._changed:
            self._speaking -= 1
            self._error = self._error or error
            self._changed.notify_all()
        if error:
            raise _Failed

    def clear(self) -> Exception | None:
        """Wait until nobody speaks, let nobody begin, and return the first failure."""
        with self._changed:
            self._is_closed = True
            self._changed.wait_for(lambda: not self._speaking)
            return self._error


def _error_of(role: Callable[[], None]) -> Exception | None:
    try:
        role()
    except Exception as error:  # noqa: BLE001 - whoever started the crew gets it as it is
        return error
    return None

"""A gateway without a network, a database or a wait, for tests of what CrewAI does around the team."""

from __future__ import annotations

from collections.abc import Iterator

from aiwriter.gateway.types import LLMRequest, LLMResult, Usage
from tests.aiwriter import team
from tests.fakes.llm_server import Request


class StandIn:
    """Answers as the team of the wire fake does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[LLMRequest] = []

    def stream(self, request: LLMRequest) -> Iterator[LLMResult]:
        self.asked.append(request)
        assert request.schema is not None
        body = {
            "messages": [{"content": request.messages[-1].text}],
            "response_format": {"json_schema": {"schema": request.schema.model_json_schema()}},
        }
        text = team.answer(Request("/chat/completions", body, {}), bad_position=1).text
        parsed = request.schema.model_validate_json(text)
        yield LLMResult(text, parsed, "openai", "gpt", Usage(1, 1), 1, "stop")

"""Somebody who asks both providers through the gateway, and what comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from accounts.models import Workspace
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.types import LLMRequest, LLMResult, Message
from aiwriter.models import Generation, GenerationStep
from pulsequill.core.valkey import counters_client
from tests.aiwriter.making import make_workspace
from tests.fakes.llm_server import LLMServer

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-5-5"}
#: 100 tokens in and 50 out at the catalogue's prices.
COSTS = {"openai": 600, "anthropic": 700}
GOOD = json.dumps({"title": "It is back", "points": ["one", "two"]})


def let_time_pass(pattern: str, seconds: float) -> None:
    """Bring the end of what Valkey keeps for a while nearer."""
    client = counters_client()
    for key in client.scan_iter(pattern):
        client.pexpire(key, max(0, client.pttl(key) - round(seconds * 1000)))


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(max_length=40)
    points: list[str]


class Asker:
    """A gateway on the fake, with what it waited and whether it is told to stop.

    Its waiting takes no time, unless it is patient.
    """

    def __init__(
        self,
        server: LLMServer,
        *providers: str,
        workspace: Workspace | None = None,
        key: str = "sk-test",
        is_patient: bool = False,
        config: ProviderConfig | None = None,
    ) -> None:
        self.server = server
        self.generation = Generation.objects.create(workspace=workspace or make_workspace())
        self.waits: list[float] = []
        self.after_wait: Callable[[], None] = lambda: None
        self.is_cancelled = False
        urls = {"openai": server.openai_url, "anthropic": server.url}
        self.gateway = LLMGateway(
            workspace_id=self.generation.workspace_id,
            generation_id=self.generation.pk,
            catalog=load_catalog(timezone.now().date()),
            providers={"openai": config} if config else {name: ProviderConfig(key, urls[name]) for name in providers},
            checkpoint=self._checkpoint,
            wait=time.sleep if is_patient else self._wait,
        )

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        let_time_pass("ai:calls:*:rest:*", seconds)
        self.after_wait()

    @property
    def waited(self) -> float:
        return round(sum(self.waits), 1)

    def _checkpoint(self) -> None:
        if self.is_cancelled:
            raise GatewayError("cancelled")

    def ask(self, provider: str, **options) -> LLMResult:
        return self.gateway.complete(self.request(provider, **options))

    @staticmethod
    def request(provider: str, **options) -> LLMRequest:
        messages = (
            Message("system", "Write {json} for {{first_name}}."),
            Message("user", "The {{harvest}} {roast} 100%"),
        )
        defaults = {"role": "writer", "task": "writer:A", "messages": messages, "schema": Answer, "deadline_s": 10}
        return LLMRequest(**{**defaults, "complexity": "high" if provider == "anthropic" else "medium", **options})

    @property
    def steps(self) -> list[GenerationStep]:
        return list(GenerationStep.objects.filter(generation=self.generation).order_by("created_at"))

    @property
    def cost(self) -> int:
        return sum(step.cost_micro_usd for step in self.steps)

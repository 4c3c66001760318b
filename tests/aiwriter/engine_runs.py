"""Driving one engine over the wire fake, and everything that it leaves: package, frames, requests, audit rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from django.test import override_settings
from django.utils import timezone

from accounts.models import Workspace
from aiwriter.agents.contract import BriefData, DraftPackage, VoiceData
from aiwriter.agents.engines import ENGINES, choose_engine
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.keys import providers_for
from aiwriter.gateway.router import OPENAI, Route
from aiwriter.models import Generation, GenerationStep
from tests.aiwriter import team
from tests.aiwriter.making import SENTENCE, make_workspace
from tests.fakes.llm_server import LLMServer, Request

#: CrewAI needs an environment of its own (`make test-crew`); there both engines are held to the contract.
INSTALLED = [name for name in ENGINES if name != "crewai" or find_spec("crewai")]
BRIEF = BriefData(
    goal=SENTENCE, cta_url=team.LINK, complexity="medium", workspace_name="Northwind Coffee", facts=("{goal} {input}",)
)
VOICE = VoiceData(name="House", profile={"traits": ["warm, not sugary"], "dont_words": ["synergy"]})


@contextmanager
def provider_fake() -> Iterator[LLMServer]:
    """Both families on a wire fake that plays the whole team."""
    with LLMServer(otherwise=team.answer) as server:
        keys = {"OPENAI_API_KEY": "sk-test", "ANTHROPIC_API_KEY": "sk-test"}
        with override_settings(**keys, OPENAI_BASE_URL=server.openai_url, ANTHROPIC_BASE_URL=server.url):
            yield server


@dataclass
class Run:
    """What one run of an engine left."""

    generation: Generation
    package: DraftPackage | None
    error: GatewayError | None
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def steps(self) -> list[GenerationStep]:
        return list(GenerationStep.objects.filter(generation=self.generation).order_by("created_at"))

    @property
    def stages(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == "stage"]

    def done(self, role: str) -> list[dict[str, Any]]:
        """Stages of a role that came to an end, by task."""
        ended = [stage for stage in self.stages if stage["role"] == role and stage["state"] == "done"]
        return sorted(ended, key=lambda stage: stage["task"])


def run_engine(
    name: str,
    *,
    brief: BriefData = BRIEF,
    voice: VoiceData | None = None,
    workspace: Workspace | None = None,
    generation: Generation | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Run:
    """Let an engine write, and return what it left; `generation` is one that another run began."""
    workspace = workspace or (generation.workspace if generation else make_workspace())
    generation = generation or Generation.objects.create(workspace=workspace, kind=Generation.Kind.DRAFTS)
    gateway = LLMGateway(
        workspace_id=workspace.pk,
        generation_id=generation.pk,
        catalog=load_catalog(timezone.now().date()),
        providers=providers_for(workspace.pk),
        checkpoint=checkpoint,
    )
    run = Run(generation, None, None)
    engine = choose_engine(Route(OPENAI, "", "", None), gateway, name)
    try:
        run.package = engine.run(
            brief=brief, voice=voice or VoiceData(), exemplars=(), emit=run.frames.append, checkpoint=checkpoint
        )
    except GatewayError as error:
        run.error = error
    return run


def roles(requests: list[Request]) -> list[str]:
    """Who asked, sorted."""
    return sorted(map(team.role_of, requests))

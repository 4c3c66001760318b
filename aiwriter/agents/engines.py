"""Which engine writes: templates without a model, else the one that AI_ENGINE names."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.conf import settings

from aiwriter.agents.contract import AgentEngine
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.keys import installation_providers
from aiwriter.gateway.router import ANTHROPIC, OFFLINE, OPENAI, Route

if TYPE_CHECKING:
    from aiwriter.gateway.gateway import LLMGateway

PROVIDER_MODULES = {OPENAI: "langchain_openai", ANTHROPIC: "langchain_anthropic"}
#: What AI_ENGINE may name: module and class of an engine, imported when it is first needed, because that takes seconds.
ENGINES = {
    "langgraph": ("aiwriter.agents.langgraph_engine", "LangGraphEngine"),
    "crewai": ("aiwriter.agents.crew_engine", "CrewEngine"),
}


def preload() -> None:
    """Import what a generation needs, which takes seconds; nothing where the installation has no key."""
    modules = [PROVIDER_MODULES[name] for name in installation_providers()]
    if modules and is_installed(settings.AI_ENGINE):
        modules.append(ENGINES[settings.AI_ENGINE][0])
    for module in modules:
        import_module(module)


def is_installed(engine_name: str) -> bool:
    """Return whether an engine can be used here; CrewAI comes with an extra."""
    return engine_name != "crewai" or find_spec("crewai") is not None


def choose_engine(route: Route, gateway: LLMGateway, engine_name: str) -> AgentEngine:
    """Return the engine for a route.

    Raises:
        GatewayError: `ai_not_configured`, the engine that was asked for is not installed.
    """
    if route.provider == OFFLINE:
        from aiwriter.agents.offline.engine import TemplateEngine

        return TemplateEngine()
    if not is_installed(engine_name):
        text = "AI_ENGINE=crewai needs CrewAI: pip install -r requirements-crew.lock. Or set AI_ENGINE=langgraph."
        raise GatewayError("ai_not_configured", detail=text)
    module, name = ENGINES[engine_name]
    engine: AgentEngine = getattr(import_module(module), name)(gateway)
    return engine

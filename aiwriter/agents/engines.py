"""Which engine writes: templates without a model, else the one that AI_ENGINE names."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aiwriter.agents.contract import AgentEngine
from aiwriter.agents.offline.engine import TemplateEngine
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.keys import installation_providers
from aiwriter.gateway.router import ANTHROPIC, OFFLINE, OPENAI, Route

if TYPE_CHECKING:
    from aiwriter.gateway.gateway import LLMGateway

PROVIDER_MODULES = {OPENAI: "langchain_openai", ANTHROPIC: "langchain_anthropic"}


def preload() -> None:
    """Import what a generation needs, which takes seconds; nothing where the installation has no key."""
    providers = installation_providers()
    modules = [PROVIDER_MODULES[name] for name in providers]
    for module in (*modules, *(("aiwriter.agents.langgraph_engine",) if modules else ())):
        import_module(module)


def choose_engine(route: Route, gateway: LLMGateway, engine_name: str) -> AgentEngine:
    """Return the engine for a route.

    Raises:
        GatewayError: `ai_not_configured`, the engine that was asked for is not installed.
    """
    if route.provider == OFFLINE:
        return TemplateEngine()
    if engine_name == "crewai":
        if find_spec("crewai") is None:
            text = "AI_ENGINE=crewai needs the extra: pip install pulsequill[crew]. Or set AI_ENGINE=langgraph."
        else:
            text = "This version drives its agents with LangGraph: set AI_ENGINE=langgraph."
        raise GatewayError("ai_not_configured", detail=text)
    from aiwriter.agents.langgraph_engine import LangGraphEngine  # the graph's imports are heavy

    return LangGraphEngine(gateway)

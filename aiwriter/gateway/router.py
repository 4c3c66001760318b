"""Which model answers: a pure function of the question and of what is available (AI.md 10.4). First hit wins.

    short texts (subject lines, preview texts, calls to action, alt texts)   -> the GPT family's small model
    high complexity, or the brand's voice must be met                        -> the Claude family
    everything else                                                          -> the GPT family's main model

A family without a key is left out and the other one takes over, with the reason said. Without any key template drafts
stand in, unless the operator forbids them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from aiwriter.gateway.catalog import Catalog, ModelEntry, UnknownModel
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.types import Complexity

OPENAI, ANTHROPIC, OFFLINE = "openai", "anthropic", "offline"
PROVIDERS = (OPENAI, ANTHROPIC)
TEMPLATE_MODEL = "template-v1"
SHORT_TASKS = frozenset({"subject_lines", "preview_text", "cta", "short_variant", "alt_text"})


@dataclass(frozen=True)
class Route:
    """Who answers and why; `entry` is None exactly for the offline templates."""

    provider: str
    model: str
    reason: str
    entry: ModelEntry | None


def other_family(provider: str) -> str:
    """Return the provider that steps in for another."""
    return ANTHROPIC if provider == OPENAI else OPENAI


def _wish(task: str, complexity: Complexity, needs_brand_alignment: bool) -> tuple[str, str, str]:
    """Return provider, role and reason, as if everything were available."""
    if task.partition(":")[0] in SHORT_TASKS:
        return OPENAI, "small", "a short text"
    if complexity == "high":
        return ANTHROPIC, "main", "a complex brief"
    if needs_brand_alignment:
        return ANTHROPIC, "main", "the brand voice must be met"
    return OPENAI, "main", "the usual choice"


def route(
    *,
    task: str,
    complexity: Complexity,
    needs_brand_alignment: bool,
    available: Collection[str],
    catalog: Catalog,
    model: str = "",
    avoid: str = "",
    is_offline_allowed: bool = True,
) -> Route:
    """Return the route of one question.

    Args:
        task: what is asked for; the word before a colon counts.
        available: providers that have a key.
        model: a model asked for by name; it wins over the table.
        avoid: a provider to stay away from if another one is available.
        is_offline_allowed: whether templates may stand in when no provider is available.

    Raises:
        GatewayError: `ai_not_configured`, or `provider_rejected` for a model that cannot be used.
    """
    if not available:
        if is_offline_allowed and not model:
            return Route(OFFLINE, TEMPLATE_MODEL, "no provider key is set", None)
        raise GatewayError("ai_not_configured")
    if model:
        try:
            entry = catalog.serving(model)
        except UnknownModel as error:
            raise GatewayError("provider_rejected", detail=f"The model {model} is not in the catalogue.") from error
        if entry.provider not in available:
            raise GatewayError("provider_rejected", detail=f"There is no key for the model {model}.")
        return Route(entry.provider, entry.model, "asked for by name", entry)
    provider, role, reason = _wish(task, complexity, needs_brand_alignment)
    if provider == avoid and other_family(provider) in available:
        provider, reason = other_family(provider), "a second opinion from the other family"
    if provider not in available:
        provider, reason = other_family(provider), f"{reason}; {provider} has no key"
    served_by = catalog.for_role(provider, role) or catalog.for_role(provider, "main")
    if served_by is None:
        raise GatewayError("ai_not_configured", detail=f"The catalogue has no {role} model of {provider}.")
    return Route(provider, served_by.model, reason, served_by)


def fallback_route(current: Route, *, task: str, available: Collection[str], catalog: Catalog) -> Route | None:
    """Return who steps in when `current` failed: the same role in the other family, or None."""
    provider = other_family(current.provider)
    if provider not in available:
        return None
    role = "small" if task.partition(":")[0] in SHORT_TASKS else "main"
    entry = catalog.for_role(provider, role)
    return Route(provider, entry.model, f"{current.provider} failed", entry) if entry else None

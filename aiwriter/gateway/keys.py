"""Whose key a call is made with: the workspace's own, else the installation's."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings

from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.router import ANTHROPIC, OPENAI
from aiwriter.models import ProviderKey
from pulsequill.core.signing import BadSignature, decrypt

logger = structlog.get_logger(__name__)

#: Stands where the SDK insists on a key and the server does not look at it.
NO_KEY = "none"


def installation_providers() -> dict[str, ProviderConfig]:
    """Return the providers that the installation itself has a key for; a server of its own needs none."""
    is_own_server = bool(settings.OPENAI_MODEL)
    configured = {
        OPENAI: ProviderConfig(
            settings.OPENAI_API_KEY or (NO_KEY if is_own_server else ""), settings.OPENAI_BASE_URL, is_own_server
        ),
        ANTHROPIC: ProviderConfig(settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL),
    }
    return {name: config for name, config in configured.items() if config.api_key}


def providers_for(workspace_id: Any) -> dict[str, ProviderConfig]:
    """Return the providers that a workspace can ask, each with the key to use.

    Addresses are the operator's alone, so a workspace cannot point our network at a host of its choice.
    A key that cannot be decrypted (SECRET_KEY has changed) leaves its provider out: using the
    installation's instead would send the bill to somebody else.
    """
    addresses = {OPENAI: settings.OPENAI_BASE_URL, ANTHROPIC: settings.ANTHROPIC_BASE_URL}
    rows = ProviderKey.objects.for_workspace(workspace_id).values_list("provider", "key_encrypted")
    providers = installation_providers()
    for provider, stored in rows:
        try:
            own_server = provider == OPENAI and bool(settings.OPENAI_MODEL)
            providers[provider] = ProviderConfig(decrypt(bytes(stored)), addresses[provider], own_server)
        except BadSignature:
            logger.error("ai_key_unreadable", provider=provider, workspace_id=str(workspace_id))
            providers.pop(provider, None)
    return providers

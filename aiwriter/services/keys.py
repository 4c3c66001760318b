"""A workspace's own keys at the providers: written, replaced and removed, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import activity
from aiwriter.gateway.router import PROVIDERS
from aiwriter.models import ProviderKey
from pulsequill.core.errors import FieldError, Invalid, NotFound
from pulsequill.core.signing import encrypt

if TYPE_CHECKING:
    from accounts.models import User, Workspace

LONGEST_KEY = 400
HINT_LENGTH = 4


@transaction.atomic
def set_provider_key(*, workspace: Workspace, actor: User | None, provider: str, key: str) -> ProviderKey:
    """Store a workspace's key, in place of the one before.

    Raises:
        Invalid: no such provider, or something that cannot be a key.
    """
    if provider not in PROVIDERS:
        detail = f"One of {', '.join(PROVIDERS)}."
        raise Invalid(detail, errors=[FieldError("provider", "not_a_choice", detail)])
    key = key.strip()
    if not 16 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        detail = "This does not look like a key: 16 to 400 characters without spaces."
        raise Invalid(detail, errors=[FieldError("key", "bad_key", detail)])
    row, _ = ProviderKey.objects.for_workspace(workspace).update_or_create(
        workspace=workspace,
        provider=provider,
        defaults={"key_encrypted": encrypt(key), "hint": key[-HINT_LENGTH:], "set_by": actor},
    )
    activity.record(
        workspace=workspace, kind="ai_key.set", summary=f"Set the key for {row.get_provider_display()}.", actor=actor,
        subject=row,
    )  # fmt: skip
    return row


@transaction.atomic
def remove_provider_key(*, workspace: Workspace, actor: User | None, provider: str) -> None:
    """Remove a workspace's key; the installation's is used again, where there is one.

    Raises:
        NotFound: there is no key of this provider.
    """
    row = ProviderKey.objects.for_workspace(workspace).filter(provider=provider).first()
    if row is None:
        raise NotFound
    activity.record(
        workspace=workspace, kind="ai_key.removed", summary=f"Removed the key for {row.get_provider_display()}.",
        actor=actor, subject=row,
    )  # fmt: skip
    row.delete()

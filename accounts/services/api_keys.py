"""Keys for programs: shown once, kept as prefix and SHA-256."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts import tokens
from accounts.activity import record
from accounts.models import ApiKey, User, Workspace
from pulsequill.core.errors import WrongState
from pulsequill.core.signing import sha256

_LAST_USED_PRECISION = timedelta(minutes=1)


def find_api_key(text: str) -> ApiKey:
    """Return the live key of this text: one query, and one write a minute at most.

    Raises:
        tokens.BadToken: unknown, expired or revoked: the answer is the same.
    """
    prefix = tokens.read_api_key(text)
    key = ApiKey.objects.across_workspaces().select_related("workspace").filter(prefix=prefix).first()
    now = timezone.now()
    if (
        key is None
        or not hmac.compare_digest(key.secret_hash, sha256(text))
        or key.revoked_at is not None
        or (key.expires_at is not None and key.expires_at <= now)
    ):
        raise tokens.BadToken("This API key is not valid.")
    if key.last_used_at is None or key.last_used_at < now - _LAST_USED_PRECISION:
        ApiKey.objects.for_workspace(key.workspace_id).filter(pk=key.pk).update(last_used_at=now)
    return key


def create_api_key(
    *,
    workspace: Workspace,
    actor: User | None,
    name: str,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key and its text, which cannot be read again."""
    prefix, text = tokens.make_api_key()
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=prefix,
        secret_hash=sha256(text),
        scopes=sorted(set(scopes)),
        created_by=actor,
        expires_at=expires_at,
    )
    record(workspace=workspace, actor=actor, kind="api_key.created", summary=f"Made the API key {name}.", subject=key)
    return key, text


def revoke_api_key(*, key: ApiKey, actor: User | None) -> None:
    """End a key at once.

    Raises:
        WrongState: it has ended already.
    """
    now = timezone.now()
    if not ApiKey.objects.for_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        raise WrongState("This key was revoked before.")
    key.revoked_at = now
    record(
        workspace=key.workspace,
        actor=actor,
        kind="api_key.revoked",
        summary=f"Revoked the API key {key.name}.",
        subject=key,
    )

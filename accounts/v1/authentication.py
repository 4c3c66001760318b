"""Who calls `/v1`: an access token of a person, or an API key of a workspace. Sessions are DRF's own class."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import ApiKey, RefreshToken, User
from pulsequill.core.signing import sha256

_LAST_USED_PRECISION = timedelta(minutes=1)


def find_person(text: str) -> tuple[User, tokens.AccessClaims]:
    """Return the person of a valid access token: one query.

    Raises:
        tokens.BadToken: invalid, or its session, its version or its person is no longer good.
    """
    claims = tokens.read_access(text)
    session = RefreshToken.objects.filter(
        family_id=claims.session_id, user_id=OuterRef("pk"), revoked_at=None, expires_at__gt=timezone.now()
    )
    user = User.objects.filter(Exists(session), pk=claims.user_id, is_active=True, token_version=claims.version).first()
    if user is None:
        raise tokens.BadToken("This session has ended.")
    return user, claims


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


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access JWT>` or `Authorization: Bearer pq_live_...`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the person and the token's claims, or nobody and the API key; None without a Bearer header.

        Raises:
            AuthenticationFailed: a Bearer header that proves nothing.
        """
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            if text.startswith(tokens.KEY_MARK):
                return AnonymousUser(), find_api_key(text.strip())
            return find_person(text.strip())
        except tokens.BadToken as error:
            raise AuthenticationFailed(str(error)) from error

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's interface
        """What a 401 offers."""
        return 'Bearer realm="pulsequill"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How OpenAPI describes the header."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """The security scheme object."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token from `/v1/auth/token`, or an API key `pq_live_...`.",
        }

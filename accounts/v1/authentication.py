"""Who calls `/v1`: an access token of a person, or an API key of a workspace. Sessions are DRF's own class."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.services.api_keys import find_api_key
from accounts.services.sessions import find_person


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

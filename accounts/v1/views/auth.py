"""`/v1/auth/...`: proving who you are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import people, sessions
from accounts.v1 import serializers
from accounts.v1.base import PublicView
from pulsequill.core.rest.idempotency import idempotent
from pulsequill.core.rest.throttling import client_address

_SIGN_IN = OpenApiExample(
    "Maya signs in", value={"email": "maya@northwind.example", "password": "pour-over-at-dawn"}, request_only=True
)
_SIGN_UP = OpenApiExample(
    "A new team",
    value={
        "email": "jo@roastery.example",
        "password": "a long and quiet password",
        "name": "Jo",
        "workspace_name": "Roastery",
    },
    request_only=True,
)


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _user_agent(request: Request) -> str:
    return request.headers.get("User-Agent", "")


class Register(PublicView):
    """Sign up: a person, their first workspace, and a session."""

    @extend_schema(
        tags=["auth"],
        summary="Sign up",
        operation_id="auth_register",
        request=serializers.RegisterSerializer,
        responses={201: serializers.RegisteredSerializer},
        examples=[_SIGN_UP],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make the account."""
        fields = _validated(serializers.RegisterSerializer(data=request.data))
        user, workspace = people.register_account(**fields, address=client_address(request))
        pair = sessions.start_session(user=user, user_agent=_user_agent(request))
        body = {"user": user, "workspace": workspace, **asdict(pair)}
        return Response(serializers.RegisteredSerializer(body).data, status=status.HTTP_201_CREATED)


class Token(PublicView):
    """Sign in with address and password."""

    @extend_schema(
        tags=["auth"],
        summary="Sign in",
        operation_id="auth_token",
        request=serializers.SignInSerializer,
        responses={200: serializers.TokenPairSerializer},
        examples=[_SIGN_IN],
    )
    def post(self, request: Request) -> Response:
        """Answer a pair of tokens."""
        fields = _validated(serializers.SignInSerializer(data=request.data))
        user = people.check_credentials(
            email=fields["email"], password=fields["password"], address=client_address(request)
        )
        return Response(asdict(sessions.start_session(user=user, user_agent=_user_agent(request))))


class TokenRefresh(PublicView):
    """Exchange a refresh token, which is good for one use."""

    @extend_schema(
        tags=["auth"],
        summary="Refresh a session",
        operation_id="auth_token_refresh",
        request=serializers.RefreshSerializer,
        responses={200: serializers.TokenPairSerializer},
    )
    def post(self, request: Request) -> Response:
        """Answer the next pair. Using a token twice ends its whole session."""
        fields = _validated(serializers.RefreshSerializer(data=request.data))
        return Response(asdict(sessions.refresh_session(**fields, user_agent=_user_agent(request))))


class Logout(PublicView):
    """End a session."""

    @extend_schema(
        tags=["auth"],
        summary="Sign out",
        operation_id="auth_logout",
        request=serializers.RefreshSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """End the session of this refresh token; its access tokens end with it."""
        sessions.end_session(**_validated(serializers.RefreshSerializer(data=request.data)))
        return Response(status=status.HTTP_204_NO_CONTENT)

"""`/v1/provider-settings`: how mail leaves. Secrets are written and never read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField, WorkspaceView
from campaigns.models import Sender, SmtpServer
from campaigns.selectors.providers import KINDS, ProviderState, get_state, get_states
from campaigns.services import provider_input, providers
from campaigns.tokens import sendgrid_endpoint_url
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["provider-settings"]
PROVIDER = OpenApiParameter("provider", str, OpenApiParameter.PATH, enum=list(KINDS))


class SmtpServerSerializer(serializers.Serializer[Any]):
    """A mail server. It is known by host and port; a password that is left out stays."""

    host = serializers.CharField(max_length=253)
    port = serializers.IntegerField(min_value=1, max_value=65535, default=587)
    security = serializers.ChoiceField(choices=SmtpServer.Security.choices, default="starttls")
    username = serializers.CharField(max_length=254, allow_blank=True, default="")
    password = serializers.CharField(
        max_length=500, allow_blank=True, required=False, write_only=True, trim_whitespace=False
    )
    password_set_at = serializers.DateTimeField(read_only=True)
    weight = serializers.IntegerField(min_value=1, max_value=100, default=1, help_text="Its share, relative to others.")
    max_connections = serializers.IntegerField(min_value=1, max_value=64, default=8)
    messages_per_connection = serializers.IntegerField(
        min_value=0, max_value=1_000_000, default=0, help_text="0: as many as there are."
    )


class ProviderSettingsSerializer(serializers.Serializer[Any]):
    """One way for mail to leave. Fields that are left out of a PUT keep their value."""

    provider = serializers.ChoiceField(choices=list(KINDS), read_only=True)
    is_used = serializers.BooleanField(
        required=False, help_text="New mail leaves this way. True switches to it; it cannot be set to false."
    )
    is_installations = serializers.BooleanField(read_only=True, help_text="Used because the installation says so.")
    is_ready = serializers.BooleanField(read_only=True, help_text="Nothing is missing.")
    rate_per_second = serializers.IntegerField(
        min_value=1, max_value=provider_input.MOST_PER_SECOND, allow_null=True, required=False
    )
    warm_up_start_date = serializers.DateField(allow_null=True, required=False)
    warm_up_plan = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=provider_input.MOST_A_DAY),
        max_length=provider_input.MOST_WARM_UP_DAYS,
        required=False,
        help_text="Most messages for each day from the first on; empty: no warm-up.",
    )
    api_key = serializers.CharField(
        max_length=200, required=False, write_only=True, help_text="SendGrid's key. Written, never read."
    )
    secret_set_at = serializers.DateTimeField(read_only=True, allow_null=True)
    region = serializers.ChoiceField(choices=provider_input.REGIONS, required=False, help_text="SendGrid only.")
    webhook_public_key = serializers.CharField(
        max_length=2000, allow_blank=True, required=False, help_text="SendGrid's verification key of its events."
    )
    webhook_url = serializers.CharField(read_only=True, help_text="What SendGrid is given to report to.")
    servers = SmtpServerSerializer(
        many=True, required=False, help_text="SMTP only. A PUT makes the servers exactly these."
    )
    tested_at = serializers.DateTimeField(read_only=True, allow_null=True)
    test_error = serializers.CharField(read_only=True, help_text="Empty: the last test worked.")


class TrialSerializer(serializers.Serializer[Any]):
    """Whom a test goes to, and whom it comes from."""

    to = serializers.EmailField(
        max_length=254, required=False, default="", help_text="Somebody of the workspace; your own address otherwise."
    )
    sender = WorkspaceRelatedField(
        queryset=Sender.objects,
        allow_null=True,
        required=False,
        default=None,
        help_text="The workspace's first sender when left out.",
    )


class TrialLineSerializer(serializers.Serializer[Any]):
    """One step of a hand-over."""

    state = serializers.ChoiceField(choices=["done", "failed", "open", "note"])
    text = serializers.CharField()


class TrialReportSerializer(serializers.Serializer[Any]):
    """What a test found out about one server, or about the provider."""

    way = serializers.CharField()
    is_right = serializers.BooleanField()
    lines = TrialLineSerializer(many=True)
    code = serializers.CharField(help_text="`accepted`, or why not.")
    meaning = serializers.CharField(help_text="What happened, in plain words.")
    remedy = serializers.CharField(help_text="What to do about it.")
    said = serializers.CharField(help_text="The provider's own words.")
    duration_ms = serializers.IntegerField()


class TrialAnswerSerializer(serializers.Serializer[Any]):
    """All reports of one test."""

    is_right = serializers.BooleanField()
    reports = TrialReportSerializer(many=True)


def _shown(state: ProviderState) -> dict[str, Any]:
    """Return a way as it is shown: no secret is in here, only when it was set."""
    own = state.own
    options = own.options if own else {}
    shown: dict[str, Any] = {
        "provider": state.kind.key,
        "is_used": state.is_used,
        "is_installations": state.is_installations,
        "is_ready": state.is_ready,
        "rate_per_second": own.rate_per_second if own else None,
        "warm_up_start_date": own.warm_up_start_date if own else None,
        "warm_up_plan": own.warm_up_plan if own else [],
        "tested_at": own.tested_at if own else None,
        "test_error": own.test_error if own else "",
        "secret_set_at": own.secret_set_at if own else None,
        "region": options.get("region", "global"),
        "webhook_public_key": options.get("webhook_public_key", ""),
        "servers": [row.server for row in state.servers],
        "webhook_url": "",
    }
    return shown


class _ProviderView(WorkspaceView):
    def shown(self, provider: str) -> dict[str, Any]:
        """Return one way as it stands.

        Raises:
            NotFound: there is none of that name.
        """
        if provider not in KINDS:
            raise NotFound
        shown = _shown(get_state(self.workspace, provider))
        if provider == "sendgrid":
            shown["webhook_url"] = sendgrid_endpoint_url(self.workspace.pk)
        return dict(ProviderSettingsSerializer(shown).data)


class ProviderListView(_ProviderView):
    """All ways for mail to leave."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "provider.view"}

    @extend_schema(
        tags=TAGS,
        summary="List how mail can leave",
        operation_id="provider_settings_list",
        responses=ProviderSettingsSerializer(many=True),
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return the three ways, each with what is stored for it."""
        return Response([self.shown(state.kind.key) for state in get_states(self.workspace)])


class ProviderView(_ProviderView):
    """One way for mail to leave."""

    permissions_by_action: ClassVar[dict[str, str]] = {
        "get": "provider.view",
        "put": "provider.edit",
        "delete": "provider.edit",
    }

    @extend_schema(
        tags=TAGS,
        summary="Read one way",
        operation_id="provider_settings_retrieve",
        parameters=[PROVIDER],
        responses=ProviderSettingsSerializer,
    )
    def get(self, request: Request, provider: str) -> Response:  # noqa: ARG002
        """Return what is stored, without secrets."""
        return Response(self.shown(provider))

    @extend_schema(
        tags=TAGS,
        summary="Change one way",
        operation_id="provider_settings_update",
        parameters=[PROVIDER],
        request=ProviderSettingsSerializer,
        responses=ProviderSettingsSerializer,
        examples=[
            OpenApiExample(
                "An own mail server",
                value={
                    "is_used": True,
                    "rate_per_second": 50,
                    "servers": [{"host": "smtp.example.com", "port": 587, "username": "maya", "password": "…"}],
                },
                request_only=True,
            )
        ],
    )
    def put(self, request: Request, provider: str) -> Response:
        """Store settings and servers, all of it or nothing; what is left out stays as it is."""
        if provider not in KINDS:
            raise NotFound
        body = ProviderSettingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        servers, use = changes.pop("servers", None), changes.pop("is_used", None)
        if use is False and get_state(self.workspace, provider).is_used:
            raise provider_input.refuse("is_used", "not_allowed", "Switch another way on in its place.")
        if servers is not None and provider != "smtp":
            raise provider_input.refuse("servers", "not_allowed", "Only SMTP has servers.")
        with transaction.atomic():
            if changes or (servers is None and not use):
                providers.save_provider(workspace=self.workspace, actor=self.actor, provider=provider, **changes)
            if servers is not None:
                providers.replace_servers(workspace=self.workspace, actor=self.actor, servers=servers)
            if use:
                providers.use_provider(workspace=self.workspace, actor=self.actor, provider=provider)
        return Response(self.shown(provider))

    @extend_schema(
        tags=TAGS,
        summary="Forget the own account",
        operation_id="provider_settings_destroy",
        parameters=[PROVIDER],
        responses={204: None},
    )
    def delete(self, request: Request, provider: str) -> Response:  # noqa: ARG002
        """Forget keys and servers; was it used, new mail leaves as the installation says."""
        providers.remove_provider(workspace=self.workspace, actor=self.actor, provider=provider)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ProviderTestView(_ProviderView):
    """Try it."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "provider.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Send a test mail",
        operation_id="provider_settings_test",
        parameters=[PROVIDER],
        request=TrialSerializer,
        responses={200: TrialAnswerSerializer},
    )
    @idempotent
    def post(self, request: Request, provider: str) -> Response:
        """Hand one real mail over by exactly these settings, and tell step by step what came of it."""
        body = TrialSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        reports = providers.send_trial(
            workspace=self.workspace, actor=self.actor, provider=provider, **body.validated_data
        )
        answer = {"is_right": all(report.is_right for report in reports), "reports": [r.as_json() for r in reports]}
        return Response(answer)

"""`/v1/api-keys`, `/v1/webhooks`, `/v1/notifications`: what programs of the customer work with."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey, Notification, WebhookAttempt, WebhookEndpoint
from accounts.services import api_keys, notifications, webhooks
from accounts.v1 import serializers
from accounts.v1.base import WorkspaceViewSet
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent


@extend_schema_view(
    list=extend_schema(tags=["api-keys"], summary="List the API keys", operation_id="api_keys_list"),
    retrieve=extend_schema(tags=["api-keys"], summary="Read an API key", operation_id="api_keys_retrieve"),
)
class ApiKeys(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Keys for programs. People make them; a key cannot make keys."""

    queryset = ApiKey.objects.select_related("created_by")
    serializer_class = serializers.ApiKeySerializer
    permissions_by_action = {
        "list": "api_key.view",
        "retrieve": "api_key.view",
        "create": "api_key.edit",
        "destroy": "api_key.edit",
    }
    search_fields = ("name", "prefix")
    sort_fields = ("created_at", "name", "last_used_at")

    @extend_schema(
        tags=["api-keys"],
        summary="Make an API key",
        operation_id="api_keys_create",
        responses={201: serializers.NewApiKeySerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Answer the key; its text cannot be read again."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        key, text = api_keys.create_api_key(workspace=self.workspace, actor=self.actor, **serializer.validated_data)
        return Response({**self.get_serializer(key).data, "key": text}, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["api-keys"], summary="Revoke an API key", operation_id="api_keys_destroy")
    def destroy(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """End the key at once; its row stays for the log."""
        api_keys.revoke_api_key(key=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(tags=["webhooks"], summary="List the webhooks", operation_id="webhooks_list"),
    retrieve=extend_schema(tags=["webhooks"], summary="Read a webhook", operation_id="webhooks_retrieve"),
)
class Webhooks(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """Endpoints that are told what happens (Standard Webhooks 1.0.0)."""

    queryset = WebhookEndpoint.objects
    serializer_class = serializers.WebhookSerializer
    permissions_by_action = {
        "list": "webhook.view",
        "retrieve": "webhook.view",
        "create": "webhook.edit",
        "partial_update": "webhook.edit",
        "destroy": "webhook.edit",
        "rotate": "webhook.edit",
        "test": "webhook.edit",
    }
    filter_fields = {"is_active": ["exact"]}
    search_fields = ("url",)

    @extend_schema(
        tags=["webhooks"],
        summary="Make a webhook",
        operation_id="webhooks_create",
        responses={201: serializers.NewWebhookSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Answer the endpoint with its signing secret, which is shown this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = {key: value for key, value in serializer.validated_data.items() if key in ("url", "kinds")}
        endpoint, secret = webhooks.create_endpoint(workspace=self.workspace, actor=self.actor, **fields)
        body = {**self.get_serializer(endpoint).data, "secret": secret}
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(tags=["webhooks"], summary="Change a webhook", operation_id="webhooks_update")
    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        """Change the address, what it is told, or switch it on again."""
        endpoint = self.get_object()
        serializer = self.get_serializer(endpoint, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        webhooks.update_endpoint(endpoint=endpoint, actor=self.actor, **serializer.validated_data)
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(tags=["webhooks"], summary="Remove a webhook", operation_id="webhooks_destroy")
    def destroy(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Remove it with its log."""
        webhooks.delete_endpoint(endpoint=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=["webhooks"],
        summary="Rotate a webhook's secret",
        operation_id="webhooks_rotate",
        request=None,
        responses={200: serializers.SecretSerializer},
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Answer a new secret; the old one signs too for 24 hours."""
        return Response({"secret": webhooks.rotate_secret(endpoint=self.get_object(), actor=self.actor)})

    @extend_schema(
        tags=["webhooks"],
        summary="Send a test event",
        operation_id="webhooks_test",
        request=None,
        responses={202: serializers.WebhookAttemptSerializer},
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def test(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Send an event of the kind `webhook.test`, whatever the endpoint subscribed to."""
        attempt = webhooks.send_test_event(endpoint=self.get_object())
        return Response(serializers.WebhookAttemptSerializer(attempt).data, status=status.HTTP_202_ACCEPTED)


@extend_schema_view(
    list=extend_schema(tags=["webhooks"], summary="List a webhook's deliveries", operation_id="webhooks_attempts"),
)
class WebhookAttempts(mixins.ListModelMixin, WorkspaceViewSet):
    """The delivery log of an endpoint."""

    queryset = WebhookAttempt.objects.select_related("endpoint")
    serializer_class = serializers.WebhookAttemptSerializer
    permissions_by_action = {"list": "webhook.view", "redeliver": "webhook.edit"}
    filter_fields = {"status": ["exact"], "kind": ["exact"]}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows of the endpoint in the address.

        Raises:
            NotFound: the endpoint is not this workspace's.
        """
        rows = super().get_queryset()
        endpoint_id = self.kwargs.get("endpoint_id")
        if endpoint_id is None or getattr(self, "swagger_fake_view", False):
            return rows
        if not WebhookEndpoint.objects.for_workspace(self.workspace).filter(pk=endpoint_id).exists():
            raise NotFound
        return rows.filter(endpoint_id=endpoint_id)

    @extend_schema(
        tags=["webhooks"],
        summary="Deliver an event again",
        operation_id="webhooks_redeliver",
        request=None,
        responses={202: serializers.WebhookAttemptSerializer},
    )
    @idempotent
    def redeliver(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Send it once more with the same id."""
        attempt = webhooks.redeliver(attempt=self.get_object())
        return Response(self.get_serializer(attempt).data, status=status.HTTP_202_ACCEPTED)


@extend_schema_view(
    list=extend_schema(tags=["notifications"], summary="List my notifications", operation_id="notifications_list"),
    retrieve=extend_schema(tags=["notifications"], summary="Read a line", operation_id="notifications_retrieve"),
)
class Notifications(mixins.ListModelMixin, mixins.RetrieveModelMixin, WorkspaceViewSet):
    """What I am told in this workspace."""

    queryset = Notification.objects
    serializer_class = serializers.NotificationSerializer
    permissions_by_action = {
        "list": "notification.view",
        "retrieve": "notification.view",
        "read": "notification.view",
        "read_all": "notification.view",
    }
    filter_fields = {"kind": ["exact"], "read_at": ["isnull"]}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the lines for everybody and those for the caller."""
        if getattr(self, "swagger_fake_view", False):
            return Notification.objects.none()
        return notifications.notifications_of(workspace=self.workspace, user=self.actor)

    @extend_schema(
        tags=["notifications"],
        summary="Mark a notification as read",
        operation_id="notifications_read",
        request=None,
        responses={200: serializers.NotificationSerializer},
    )
    @action(detail=True, methods=["post"])
    def read(self, request: Request, **_kwargs: Any) -> Response:  # noqa: ARG002
        """Mark one."""
        line = self.get_object()
        notifications.mark_read(workspace=self.workspace, user=self.actor, notification_id=line.pk)
        line.refresh_from_db()
        return Response(self.get_serializer(line).data)

    @extend_schema(
        tags=["notifications"],
        summary="Mark all notifications as read",
        operation_id="notifications_read_all",
        request=None,
        responses={204: None},
    )
    @action(detail=False, methods=["post"], url_path="read")
    def read_all(self, request: Request) -> Response:  # noqa: ARG002
        """Mark all."""
        notifications.mark_read(workspace=self.workspace, user=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

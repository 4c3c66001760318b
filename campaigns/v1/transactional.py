"""`/v1/transactional`: one message to one address, from a template."""

from __future__ import annotations

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField, WorkspaceViewSet
from campaigns.content.merge_tags import MAX_VALUE_CHARACTERS
from campaigns.models import Message, Sender
from campaigns.selectors import ledger
from campaigns.services.transactional import send_transactional
from campaigns.v1.messages import MessageSerializer
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["messages"]


class TextField(serializers.CharField):
    """Text and nothing else: a number or a list would be turned into words that nobody chose."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text.

        Raises:
            ValidationError: it is not text.
        """
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TransactionalSerializer(serializers.Serializer[Any]):
    """What is sent to whom."""

    template = serializers.CharField(max_length=120, help_text="A template's id or name.")
    to = serializers.CharField(max_length=320, help_text="One address. It need not be a contact's.")
    data = serializers.DictField(  # type: ignore[assignment] # a field of ours called data
        child=TextField(allow_blank=True, trim_whitespace=False, max_length=MAX_VALUE_CHARACTERS),
        required=False,
        default=dict,
        help_text="Values of the template's merge tags, all texts. Every tag needs one, here or from the contact.",
    )
    sender = WorkspaceRelatedField(
        queryset=Sender.objects,
        allow_null=True,
        required=False,
        default=None,
        help_text="The workspace's first sender when left out.",
    )


class TransactionalFilter(filters.FilterSet):
    """What transactional messages can be filtered by."""

    status = filters.ChoiceFilter(choices=Message.Status.choices)
    template = filters.UUIDFilter(field_name="template_id")


class TransactionalViewSet(WorkspaceViewSet):
    """Messages that belong to no campaign."""

    queryset = Message.objects
    serializer_class = MessageSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view", "create": "campaign.send"}
    filterset_class = TransactionalFilter
    search_fields = ("email_normalized", "=provider_message_id")
    sort_fields = frozenset({"id"})
    default_sort = "-id"

    def get_queryset(self) -> Any:
        """Return the workspace's transactional messages."""
        if getattr(self, "swagger_fake_view", False):
            return Message.objects.none()
        return ledger.find_transactional(self.workspace)

    @extend_schema(tags=TAGS, summary="List transactional messages", operation_id="transactional_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the newest first; `?status=in_doubt` lists every one nobody can be sure of."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS,
        summary="Send a transactional message",
        operation_id="transactional_create",
        request=TransactionalSerializer,
        responses={202: MessageSerializer},
        examples=[
            OpenApiExample(
                "A receipt",
                value={
                    "template": "Order received",
                    "to": "lena@example.org",
                    "data": {"order_number": "NW-1042", "total": "£24.00"},
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Send a template to one address; poll `/v1/messages/{id}`.

        For mail that somebody is waiting for, not for marketing: there is no unsubscribe link and no tracking, and an
        unsubscribed reader gets it. An address that bounced hard, complained or was blocked by the team does not: the
        answer's `status` is `skipped` then, with the `reason`.
        """
        given = TransactionalSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        message = send_transactional(workspace=self.workspace, **given.validated_data)
        return Response(
            self.get_serializer(message).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/v1/messages/{message.public_id}"},
        )

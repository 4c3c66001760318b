"""`/v1/contacts/{id}/events` and `/v1/events`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from analytics import services
from analytics.models import Event
from analytics.services.conversions import MOST_EVENTS, Reported
from analytics.v1.serializers import EventSerializer
from audiences.models import Contact
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["events"]


class ConversionSerializer(serializers.Serializer[Any]):
    """A goal that somebody reached. Name the mail, or the contact: then the mail is looked for."""

    goal = serializers.SlugField(max_length=60, help_text="The goal's key.")
    message = serializers.UUIDField(required=False, allow_null=True, help_text="The mail that it is owed to.")
    contact = serializers.UUIDField(required=False, allow_null=True, help_text="Who it was.")
    email = serializers.CharField(
        required=False, allow_blank=True, max_length=254, help_text="Who it was, by address; `contact` goes first."
    )
    occurred_at = serializers.DateTimeField(required=False, help_text="Now when left out.")
    value = serializers.IntegerField(required=False, allow_null=True, min_value=-(10**12), max_value=10**12,
                                     help_text="Money in minor units; a refund is below zero.")  # fmt: skip
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, allow_blank=True, help_text="ISO 4217.")
    event_id = serializers.CharField(
        required=False, allow_blank=True, max_length=60, help_text="Your own id; the same again is the same event."
    )


class ContactEvents(WorkspaceViewSet):
    """What one contact did with our mails."""

    queryset = Event.objects
    serializer_class = EventSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "contact.view"}
    default_sort = "-id"
    sort_fields = frozenset({"id"})

    @extend_schema(tags=TAGS, summary="List a contact's events", operation_id="contacts_events")
    def list(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the events, the latest first."""
        if not Contact.objects.for_workspace(self.workspace).filter(pk=id).exists():
            raise NotFound
        events = self.get_queryset().filter(message__contact_id=id).select_related("message", "link")
        page = self.paginate_queryset(events)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Conversions(WorkspaceView):
    """Your own conversion events."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "event.report"}

    @extend_schema(
        tags=TAGS, summary="Report that goals were reached", operation_id="events_create",
        request=PolymorphicProxySerializer(
            component_name="OneOrManyConversions",
            serializers=[ConversionSerializer, ConversionSerializer(many=True)],
            resource_type_field_name=None, many=False,
        ),
        responses={202: ConversionSerializer},
        examples=[
            OpenApiExample(
                "An order",
                value={"goal": "order", "email": "mira@example.com", "value": 4900, "currency": "GBP",
                       "event_id": "order-1007"},
                request_only=True,
            ),
            OpenApiExample(
                "Many at once",
                value=[{"goal": "order", "value": 4900, "currency": "GBP", "event_id": "order-1007"},
                       {"goal": "visit", "email": "mira@example.com"}],
                request_only=True,
            ),
        ],
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep one event, or a list of up to 1,000, all or none; they are counted in the background.

        An event that names a contact is owed to the mail that they clicked last, or else opened last, within the
        goal's window before it. What no mail is owed counts for the workspace.
        """
        is_batch = isinstance(request.data, list)
        limits: dict[str, Any] = {"allow_empty": False, "max_length": MOST_EVENTS} if is_batch else {}
        given = ConversionSerializer(data=request.data, many=is_batch, **limits)
        given.is_valid(raise_exception=True)
        events = given.validated_data if is_batch else [given.validated_data]
        services.report_conversions(
            workspace=self.workspace,
            events=[
                Reported(**{name: value for name, value in event.items() if value is not None}) for event in events
            ],
            is_batch=is_batch,
        )
        return Response(given.data, status=status.HTTP_202_ACCEPTED)

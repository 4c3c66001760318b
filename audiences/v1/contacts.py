"""`/v1/contacts` and `/v1/contact-fields`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from audiences import services
from audiences.models import Contact, ContactField, Suppression
from audiences.selectors import ContactFilter, find_contacts, get_contact_timeline, with_status
from audiences.selectors.contacts import STATUSES
from audiences.v1.serializers import ContactFieldChangeSerializer, ContactFieldSerializer, ContactSerializer
from pulsequill.core.errors import FieldError, Invalid
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["contacts"]
FIELD_TAGS = ["contact-fields"]
FILTERS = [
    OpenApiParameter("q", str, description="Start of an address, a first or a last name."),
    OpenApiParameter("status", str, enum=STATUSES),
    OpenApiParameter("list", UUID, description="Only contacts with a place on this list."),
    OpenApiParameter("segment", UUID, description="Only contacts of this segment."),
]


def contact_filter(query: Any) -> ContactFilter:
    """Return the filter that query parameters ask for.

    Raises:
        Invalid: an unknown status, or an id that is no UUID.
    """
    if (wanted := query.get("status", "")) and wanted not in STATUSES:
        detail = f"Expected one of: {', '.join(STATUSES)}."
        raise Invalid(detail, errors=[FieldError("status", "invalid", detail)])
    ids: dict[str, UUID | None] = {}
    for name in ("list", "segment"):
        try:
            ids[name] = UUID(text) if (text := query.get(name, "")) else None
        except ValueError as error:
            raise Invalid("Expected an id.", errors=[FieldError(name, "invalid", "Expected an id.")]) from error
    return ContactFilter(q=query.get("q", "")[:200], status=wanted, list_id=ids["list"], segment_id=ids["segment"])


class ContactViewSet(WorkspaceViewSet):
    """The people of the audience."""

    queryset = Contact.objects
    serializer_class = ContactSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "contact.view",
        "retrieve": "contact.view",
        "create": "contact.edit",
        "partial_update": "contact.edit",
        "destroy": "contact.edit",
        "export": "contact.view",
        "erase": "contact.erase",
    }
    filter_fields: ClassVar[dict[str, list[str]]] = {
        "created_at": ["gte", "lt"],
        "last_opened_at": ["gte", "lt"],
        "last_clicked_at": ["gte", "lt"],
    }
    sort_fields = frozenset({"created_at", "id"})

    @property
    def default_sort(self) -> str:
        """A list's members go by id, the order of the subscription index; both orders are newest first."""
        return "-id" if self.request.query_params.get("list") else "-created_at"

    def get_queryset(self) -> QuerySet[Contact]:
        """Return the workspace's contacts; lists are narrowed by the indexed filters."""
        if getattr(self, "swagger_fake_view", False) or self.action != "list":
            return super().get_queryset()
        return find_contacts(self.workspace, contact_filter(self.request.query_params))

    def _shown(self, contact: Contact) -> dict[str, Any]:
        with_status([contact])
        shown: dict[str, Any] = self.get_serializer(contact).data
        return shown

    @extend_schema(tags=TAGS, summary="List contacts", operation_id="contacts_list", parameters=FILTERS)
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return contacts, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        with_status(page or [])
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Add a contact", operation_id="contacts_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a contact; a suppressed address stays suppressed."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        contact = services.create_contact(
            workspace=self.workspace, source="api", actor=self.actor, **given.validated_data
        )
        return Response(self._shown(contact), status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a contact", operation_id="contacts_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one contact."""
        return Response(self._shown(self.get_object()))

    @extend_schema(tags=TAGS, summary="Change a contact", operation_id="contacts_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change values; `attributes` are merged, `lists` are the lists that it shall be on."""
        contact = self.get_object()
        given = self.get_serializer(contact, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        changes.pop("consent_source", None)
        lists = changes.pop("lists", None)
        changed = services.update_contact(contact=contact, changes=changes, lists=lists, actor=self.actor)
        return Response(self._shown(changed))

    @extend_schema(tags=TAGS, summary="Delete a contact", operation_id="contacts_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a contact; its suppression stays."""
        services.delete_contact(contact=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        tags=TAGS, summary="Erase a person", operation_id="contacts_erase", request=None, responses={204: None}
    )
    def erase(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Erase everything about a person; only a keyed hash stays, so that no import brings them back."""
        services.erase_contact(contact=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=TAGS, summary="Export a person's data", operation_id="contacts_export")
    def export(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return all that is known about one person: values, places, consents, suppression, history."""
        contact = self.get_object()
        shown = self._shown(contact)
        stop = (
            Suppression.objects.for_workspace(self.workspace)
            .filter(email_normalized=contact.email_normalized)
            .values("reason", "source", "created_at")
            .first()
        )
        return Response(
            {
                "contact": shown,
                "subscriptions": [
                    {"list": place.list.name, "status": place.status, "since": place.created_at}
                    for place in contact.places
                ],
                "consents": list(contact.consents.values("source", "wording", "ip_address", "given_at")),
                "suppression": stop,
                "timeline": [
                    {"at": entry.at, "title": entry.title, "detail": entry.detail}
                    for entry in get_contact_timeline(contact, limit=1000)
                ],
            }
        )


class ContactFieldViewSet(WorkspaceViewSet):
    """What a workspace knows about its contacts beyond name and address."""

    queryset = ContactField.objects
    serializer_class = ContactFieldSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "contact.view",
        "retrieve": "contact.view",
        "create": "contact.edit",
        "partial_update": "contact.edit",
        "destroy": "contact.edit",
    }
    search_fields = ("key", "label")
    filter_fields: ClassVar[dict[str, list[str]]] = {"type": ["exact"]}
    sort_fields = frozenset({"created_at", "key", "label"})

    @extend_schema(tags=FIELD_TAGS, summary="List custom fields", operation_id="contact_fields_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the fields, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=FIELD_TAGS, summary="Add a custom field", operation_id="contact_fields_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a field; its key becomes a merge tag."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        field = services.create_field(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(field).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=FIELD_TAGS, summary="Read a custom field", operation_id="contact_fields_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one field."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        tags=FIELD_TAGS,
        summary="Change a custom field",
        operation_id="contact_fields_partial_update",
        request=ContactFieldChangeSerializer,
    )
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change label or fallback."""
        field = self.get_object()
        given = ContactFieldChangeSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = services.update_field(field=field, changes=dict(given.validated_data), actor=self.actor)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=FIELD_TAGS, summary="Delete a custom field", operation_id="contact_fields_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a field and every contact's value of it."""
        services.delete_field(field=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

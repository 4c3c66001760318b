"""`/v1/lists` and `/v1/suppressions`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from audiences import services
from audiences.models import ContactList, Suppression
from audiences.selectors import count_by_list
from audiences.v1.serializers import ContactListSerializer, SuppressionSerializer
from pulsequill.core.errors import Blocked
from pulsequill.core.rest.idempotency import idempotent

LIST_TAGS = ["lists"]
SUPPRESSION_TAGS = ["suppressions"]


class ContactListViewSet(WorkspaceViewSet):
    """What people subscribe to."""

    queryset = ContactList.objects
    serializer_class = ContactListSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "contact.view",
        "retrieve": "contact.view",
        "create": "contact.edit",
        "partial_update": "contact.edit",
        "destroy": "contact.edit",
    }
    search_fields = ("name",)
    sort_fields = frozenset({"created_at", "name"})

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the counts of all lists, in one query."""
        workspace = getattr(self, "workspace", None)
        return {**super().get_serializer_context(), "counts": count_by_list(workspace) if workspace else {}}

    @extend_schema(tags=LIST_TAGS, summary="List lists", operation_id="lists_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the lists with their counts, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=LIST_TAGS, summary="Add a list", operation_id="lists_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a list."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        list_ = services.create_list(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(list_).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=LIST_TAGS, summary="Read a list", operation_id="lists_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one list with its counts."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=LIST_TAGS, summary="Change a list", operation_id="lists_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change name, description or opt-in."""
        list_ = self.get_object()
        given = self.get_serializer(list_, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = services.update_list(list_=list_, changes=dict(given.validated_data), actor=self.actor)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=LIST_TAGS, summary="Delete a list", operation_id="lists_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a list; its contacts stay."""
        services.delete_list(list_=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SuppressionViewSet(WorkspaceViewSet):
    """Addresses that no campaign reaches."""

    queryset = Suppression.objects
    serializer_class = SuppressionSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "contact.view",
        "retrieve": "contact.view",
        "create": "contact.edit",
        "destroy": "contact.edit",
    }
    search_fields = ("^email_normalized",)
    filter_fields: ClassVar[dict[str, list[str]]] = {"reason": ["exact", "in"], "created_at": ["gte", "lt"]}
    sort_fields = frozenset({"created_at"})

    @extend_schema(tags=SUPPRESSION_TAGS, summary="List suppressions", operation_id="suppressions_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return suppressed addresses, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=SUPPRESSION_TAGS, summary="Suppress an address", operation_id="suppressions_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Suppress an address, whether or not it is a contact; a stronger reason replaces a weaker one."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = services.suppress_email(
            workspace=self.workspace,
            email=given.validated_data["email_normalized"],
            reason=given.validated_data["reason"],
            source=given.validated_data["source"] or "API",
            actor=self.actor,
        )
        if row is None:
            raise Blocked("This person was erased and is suppressed for good.", code="erased")
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=SUPPRESSION_TAGS, summary="Read a suppression", operation_id="suppressions_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one suppressed address."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=SUPPRESSION_TAGS, summary="Lift a suppression", operation_id="suppressions_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Allow an address again; refused (422) when the person themselves said no."""
        services.lift_suppression(suppression=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

"""`/v1/templates`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from campaigns.models import EmailTemplate
from campaigns.services import templates
from campaigns.v1.serializers import TemplateSerializer
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["templates"]


class TemplateViewSet(WorkspaceViewSet):
    """Saved bodies that campaigns start from."""

    queryset = EmailTemplate.objects
    serializer_class = TemplateSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "campaign.view",
        "retrieve": "campaign.view",
        "create": "campaign.edit",
        "partial_update": "campaign.edit",
        "destroy": "campaign.edit",
    }
    search_fields = ("name", "subject")
    filter_fields: ClassVar[dict[str, list[str]]] = {"format": ["exact"]}
    sort_fields = frozenset({"created_at", "updated_at", "name"})

    @extend_schema(tags=TAGS, summary="List templates", operation_id="templates_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the templates, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Save a template", operation_id="templates_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Save a body under a name."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        template = templates.create_template(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(template).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a template", operation_id="templates_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one template."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=TAGS, summary="Change a template", operation_id="templates_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change a template; campaigns that started from it keep their content."""
        template = self.get_object()
        given = self.get_serializer(template, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = templates.update_template(template=template, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a template", operation_id="templates_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a template."""
        templates.delete_template(template=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

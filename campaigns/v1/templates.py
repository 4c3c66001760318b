"""`/v1/templates` and the versions of each."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.selectors.templates import get_template, get_template_version
from campaigns.services import templates, versions
from campaigns.v1.serializers import TemplateSerializer, TemplateVersionSerializer
from pulsequill.core.rest.etags import etag_of, require_match
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
    filter_fields: ClassVar[dict[str, list[str]]] = {"format": ["exact"], "purpose": ["exact"]}
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
        """Return one template, with its ETag."""
        template = self.get_object()
        return Response(self.get_serializer(template).data, headers={"ETag": etag_of(template)})

    @extend_schema(tags=TAGS, summary="Change a template", operation_id="templates_partial_update")
    @transaction.atomic
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Change a template; campaigns that started from it keep their content. `If-Match` guards edits."""
        template = get_template(self.workspace, id, is_locked=True)
        require_match(request, template)
        given = self.get_serializer(template, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = templates.update_template(template=template, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(changed).data, headers={"ETag": etag_of(changed)})

    @extend_schema(tags=TAGS, summary="Delete a template", operation_id="templates_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a template."""
        templates.delete_template(template=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TemplateVersionViewSet(WorkspaceViewSet):
    """What a template said before."""

    queryset = TemplateVersion.objects
    serializer_class = TemplateVersionSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    sort_fields = frozenset({"number"})
    default_sort = "-number"

    def get_queryset(self) -> Any:
        """Return the kept versions of one template, without their bodies."""
        if getattr(self, "swagger_fake_view", False):
            return TemplateVersion.objects.none()
        return versions.list_versions(get_template(self.workspace, self.kwargs["id"]))

    @extend_schema(tags=TAGS, summary="List a template's versions", operation_id="templates_versions_list")
    def list(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return up to a hundred kept versions, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class TemplateVersionRestoreView(WorkspaceView):
    """Going back to a version."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Go back to a version of a template",
        operation_id="templates_versions_restore",
        request=None,
        responses={200: TemplateSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any, number: int) -> Response:  # noqa: A002, ARG002
        """Let the template say again what the version says; what it said until now is kept as a version."""
        version = get_template_version(get_template(self.workspace, id), number)
        template = versions.restore_template_version(version=version, actor=self.actor)
        return Response(
            TemplateSerializer(template, context=self.get_serializer_context()).data,
            headers={"ETag": etag_of(template)},
        )

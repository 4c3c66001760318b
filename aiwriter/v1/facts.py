"""`/v1/ai/facts`: what the brand may always claim."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from aiwriter.models import BrandFact
from aiwriter.services.facts import LONGEST_FACT, delete_fact, save_fact
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["ai"]
COLUMNS = ("text", "valid_until_date", "is_active")


@extend_schema_serializer(component_name="BrandFact")
class FactSerializer(serializers.ModelSerializer[BrandFact]):
    """A fact that every draft may state, until its last day."""

    text = serializers.CharField(max_length=LONGEST_FACT)
    valid_until_date = serializers.DateField(
        required=False, allow_null=True, help_text="The last day on which it is true; null: for good."
    )
    is_active = serializers.BooleanField(required=False, help_text="False retires it.")

    class Meta:
        model = BrandFact
        fields = ("id", *COLUMNS, "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class FactViewSet(WorkspaceViewSet):
    """The brand's knowledge."""

    queryset = BrandFact.objects
    serializer_class = FactSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "draft.view",
        "retrieve": "draft.view",
        "create": "draft.edit",
        "partial_update": "draft.edit",
        "destroy": "draft.edit",
    }
    search_fields = ("text",)
    filter_fields: ClassVar[dict[str, list[str]]] = {"is_active": ["exact"]}
    sort_fields = frozenset({"created_at", "updated_at"})

    @extend_schema(tags=TAGS, summary="List brand facts", operation_id="ai_facts_list")
    def list(self, _request: Request) -> Response:
        """Return the facts, the newest first; retired and expired ones too."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Add a brand fact", operation_id="ai_facts_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Let every draft state something from now on."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fact = save_fact(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(fact).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a brand fact", operation_id="ai_facts_retrieve")
    def retrieve(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one fact."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=TAGS, summary="Change a brand fact", operation_id="ai_facts_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change the words, the last day, or whether drafts may state it."""
        fact = self.get_object()
        given = self.get_serializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        wanted = {name: getattr(fact, name) for name in COLUMNS} | given.validated_data
        saved = save_fact(workspace=self.workspace, actor=self.actor, fact=fact, **wanted)
        return Response(self.get_serializer(saved).data)

    @extend_schema(tags=TAGS, summary="Remove a brand fact", operation_id="ai_facts_destroy")
    def destroy(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Remove a fact. Mails that rest on it are held back before they are sent."""
        delete_fact(fact=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

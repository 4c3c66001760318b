"""`/v1/ai/brand-voices`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from aiwriter.models import BrandVoice
from aiwriter.selectors import list_brand_voices
from aiwriter.services.voices import delete_brand_voice, save_brand_voice
from aiwriter.v1.serializers import BrandVoiceSerializer
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["ai"]


class BrandVoiceViewSet(WorkspaceViewSet):
    """How the brand sounds."""

    queryset = BrandVoice.objects
    serializer_class = BrandVoiceSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "draft.view",
        "retrieve": "draft.view",
        "create": "draft.edit",
        "partial_update": "draft.edit",
        "destroy": "draft.edit",
    }
    sort_fields = frozenset({"created_at", "name"})

    @extend_schema(tags=TAGS, summary="List brand voices", operation_id="ai_brand_voices_list")
    def list(self, _request: Request) -> Response:
        """Return the newest version of every voice."""
        page = self.paginate_queryset(self.filter_queryset(list_brand_voices(self.workspace).order_by()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Add a brand voice", operation_id="ai_brand_voices_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a voice."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        voice = save_brand_voice(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(voice).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a brand voice", operation_id="ai_brand_voices_retrieve")
    def retrieve(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one version of a voice."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=TAGS, summary="Change a brand voice", operation_id="ai_brand_voices_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Store the next version of a voice; it has a new id, and drafts keep the version they were written with."""
        voice = self.get_object()
        given = self.get_serializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        fields = {"name": voice.name, "profile": voice.profile, **given.validated_data}
        saved = save_brand_voice(workspace=self.workspace, actor=self.actor, voice=voice, **fields)
        return Response(self.get_serializer(saved).data)

    @extend_schema(tags=TAGS, summary="Delete a brand voice", operation_id="ai_brand_voices_destroy")
    def destroy(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a voice with all its versions."""
        delete_brand_voice(voice=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

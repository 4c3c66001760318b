"""`/v1/ai/brand-voices` and `/v1/ai/exemplars`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from aiwriter.models import BrandVoice, Exemplar
from aiwriter.retrieval.likeness import like_text
from aiwriter.selectors import generation_json, list_brand_voices
from aiwriter.services.exemplars import forget_exemplar
from aiwriter.services.samples import add_sample, learn_voice
from aiwriter.services.voices import delete_brand_voice, save_brand_voice
from aiwriter.v1.serializers import BrandVoiceSerializer, GenerationSerializer
from aiwriter.v1.voice_serializers import (
    ExemplarSerializer,
    LearnVoiceSerializer,
    SimilarRequestSerializer,
    SimilarSerializer,
)
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


class LearnVoiceView(WorkspaceView):
    """Learn a voice."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Learn a brand voice from samples",
        operation_id="ai_brand_voices_learn",
        request=LearnVoiceSerializer,
        responses={202: GenerationSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep the samples and read the voice in them; the proposal's id arrives in `result.voice`.

        The proposal waits for a person: nothing is written with it until its status is `active`. Without an AI model
        what can be counted is measured, and `result.evidence.method` says `measured`.
        """
        given = LearnVoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        texts = given.validated_data["samples"]
        samples = [
            add_sample(workspace=self.workspace, actor=self.actor, text=one["text"], title=one.get("title", ""))
            for one in texts
        ]
        generation = learn_voice(
            workspace=self.workspace, actor=self.actor, name=given.validated_data["name"], samples=samples
        )
        headers = {"Location": f"/v1/ai/drafts/{generation.pk}"}
        return Response(generation_json(generation), status=status.HTTP_202_ACCEPTED, headers=headers)


class ExemplarViewSet(WorkspaceViewSet):
    """What the writer remembers."""

    queryset = Exemplar.objects
    serializer_class = ExemplarSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "draft.view",
        "similar": "draft.view",
        "destroy": "draft.edit",
    }
    filter_fields = ("origin", "campaign_id")
    sort_fields = frozenset({"created_at"})

    @extend_schema(tags=TAGS, summary="List exemplars", operation_id="ai_exemplars_list")
    def list(self, _request: Request) -> Response:
        """Return accepted drafts and winners of tests, which new drafts are written with in mind."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS,
        summary="Find similar exemplars",
        operation_id="ai_exemplars_similar",
        request=SimilarRequestSerializer,
        responses=SimilarSerializer(many=True),
    )
    def similar(self, request: Request) -> Response:
        """Return the exemplars that are most like a text, by words; `label` says so."""
        given = SimilarRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = like_text(given.validated_data["text"], workspace_id=self.workspace.pk)
        return Response([one.as_json() for one in found])

    @extend_schema(tags=TAGS, summary="Forget an exemplar", operation_id="ai_exemplars_destroy")
    def destroy(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Forget an exemplar; new drafts are written without it."""
        forget_exemplar(exemplar=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

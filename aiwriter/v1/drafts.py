"""`/v1/ai/drafts`: whole mails of a brief, written by a worker and answered with 202."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from aiwriter.models import Draft, Generation
from aiwriter.selectors import generation_json, get_generation, list_generations
from aiwriter.services.drafts import accept_draft, reject_draft
from aiwriter.services.generations import cancel_generation, request_drafts
from aiwriter.v1.serializers import (
    DraftChoiceSerializer,
    DraftRequestSerializer,
    GenerationSerializer,
)
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["ai"]
EXAMPLE = OpenApiExample(
    "One sentence",
    value={"goal": "Tell our subscribers that the harvest roast is back, free shipping until Sunday"},
    request_only=True,
)


class GenerationView(WorkspaceView):
    """An endpoint that answers with a generation."""

    def generation(self, generation_id: Any) -> Generation:
        """Return a generation of this workspace, or refuse with 404."""
        return get_generation(self.workspace, generation_id)

    def accepted(self, generation: Generation) -> Response:
        """Answer 202 with where it can be watched."""
        headers = {"Location": f"/v1/ai/drafts/{generation.pk}"}
        return Response(generation_json(generation), status=status.HTTP_202_ACCEPTED, headers=headers)


class DraftsView(GenerationView):
    """Ask for drafts."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Ask for drafts",
        operation_id="ai_drafts_create",
        request=DraftRequestSerializer,
        responses={202: GenerationSerializer},
        examples=[EXAMPLE],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Write drafts of a brief; poll the generation or watch its socket."""
        given = DraftRequestSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        generation = request_drafts(
            workspace=self.workspace,
            actor=self.actor,
            brief=given.brief_fields(),
            campaign_id=given.validated_data.get("campaign"),
            model=given.validated_data.get("model", ""),
        )
        return self.accepted(generation)


class DraftView(GenerationView):
    """One generation."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "draft.view"}

    @extend_schema(
        tags=TAGS, summary="Read a generation", operation_id="ai_drafts_retrieve", responses=GenerationSerializer
    )
    def get(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Return a generation with its drafts."""
        return Response(generation_json(self.generation(id)))


class _DecisionView(GenerationView):
    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    def choose(self, request: Request, generation_id: Any) -> tuple[Generation, Draft, bool]:
        """Return the generation, the draft that the body names, and whether checks are overridden."""
        given = DraftChoiceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        generation = self.generation(generation_id)
        draft = next((d for d in generation.ordered_drafts if d.pk == given.validated_data["draft"]), None)
        if draft is None:
            raise NotFound
        return generation, draft, given.validated_data["override"]

    def answer(self, generation: Generation) -> Response:
        """Return the generation as it is now."""
        return Response(generation_json(self.generation(generation.pk)))


class AcceptView(_DecisionView):
    """Accept a draft."""

    @extend_schema(
        tags=TAGS,
        summary="Accept a draft",
        operation_id="ai_drafts_accept",
        request=DraftChoiceSerializer,
        responses=GenerationSerializer,
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Accept a draft; later drafts learn from it. 422 when a check blocks it."""
        generation, draft, override = self.choose(request, id)
        accept_draft(draft=draft, actor=self.actor, override=override)
        return self.answer(generation)


class RejectView(_DecisionView):
    """Reject a draft."""

    @extend_schema(
        tags=TAGS,
        summary="Reject a draft",
        operation_id="ai_drafts_reject",
        request=DraftChoiceSerializer,
        responses=GenerationSerializer,
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Say that a draft is not wanted."""
        generation, draft, _override = self.choose(request, id)
        reject_draft(draft=draft, actor=self.actor)
        return self.answer(generation)


class CancelView(GenerationView):
    """Stop a generation."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Stop a generation",
        operation_id="ai_drafts_cancel",
        request=None,
        responses={202: GenerationSerializer},
    )
    def post(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Stop it; what was spent so far stays charged."""
        generation = cancel_generation(generation=self.generation(id), actor=self.actor)
        return self.accepted(self.generation(generation.pk))


class GenerationViewSet(WorkspaceViewSet):
    """Everything that the writer did."""

    queryset = Generation.objects
    serializer_class = GenerationSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "draft.view"}
    filter_fields = ("status", "kind", "origin", "campaign_id")
    sort_fields = frozenset({"created_at", "cost_micro_usd"})

    def get_queryset(self) -> Any:
        """Return the workspace's generations with their drafts."""
        if getattr(self, "swagger_fake_view", False):
            return Generation.objects.none()
        return list_generations(self.workspace)

    @extend_schema(tags=TAGS, summary="List generations", operation_id="ai_generations_list")
    def list(self, _request: Request) -> Response:
        """Return the generations, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

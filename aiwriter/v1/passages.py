"""The small requests of `/v1/ai`: passages, subject lines, buttons and alternative texts; and the score of a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView
from aiwriter.models import Generation
from aiwriter.services.passages import alt_text, call_to_action, rewrite, subject_lines
from aiwriter.subjects import score_line
from aiwriter.v1.drafts import TAGS, GenerationView
from aiwriter.v1.passage_serializers import (
    AltTextRequestSerializer,
    CallToActionRequestSerializer,
    RewriteRequestSerializer,
    SmallRequestSerializer,
    SubjectLinesRequestSerializer,
    SubjectScoreRequestSerializer,
    SubjectScoreSerializer,
)
from aiwriter.v1.serializers import GenerationSerializer
from pulsequill.core.rest.idempotency import idempotent


class SmallView(GenerationView):
    """A small request: its fields go to a service, whose generation is answered with 202."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.edit"}

    def ask(
        self, request: Request, fields: type[SmallRequestSerializer], service: Callable[..., Generation]
    ) -> Response:
        """Check the fields and hand them on."""
        given = fields(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self.accepted(service(workspace=self.workspace, actor=self.actor, **given.asked()))


class SubjectLinesView(SmallView):
    """Ask for subject lines."""

    @extend_schema(
        tags=TAGS, summary="Ask for subject lines", operation_id="ai_subject_lines_create",
        request=SubjectLinesRequestSerializer, responses={202: GenerationSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Write subject lines with preview texts; they arrive in `result.lines`, each with `score` and `reasons`."""
        return self.ask(request, SubjectLinesRequestSerializer, subject_lines)


class RewriteView(SmallView):
    """Ask for an edit of one passage."""

    @extend_schema(
        tags=TAGS, summary="Rewrite a passage", operation_id="ai_rewrite_create",
        request=RewriteRequestSerializer, responses={202: GenerationSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Edit one passage; the new text arrives in `result.text`, what it lost or made up in `result.checks`."""
        return self.ask(request, RewriteRequestSerializer, rewrite)


class CallToActionView(SmallView):
    """Ask for words on a button."""

    @extend_schema(
        tags=TAGS, summary="Ask for button labels", operation_id="ai_cta_create",
        request=CallToActionRequestSerializer, responses={202: GenerationSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Write five labels; they arrive in `result.labels`, each with its reason."""
        return self.ask(request, CallToActionRequestSerializer, call_to_action)


class AltTextView(SmallView):
    """Ask for an alternative text."""

    @extend_schema(
        tags=TAGS, summary="Ask for an alternative text", operation_id="ai_alt_text_create",
        request=AltTextRequestSerializer, responses={202: GenerationSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Guess what a picture shows from the words around it; it arrives in `result.text`."""
        return self.ask(request, AltTextRequestSerializer, alt_text)


class SubjectScoreView(WorkspaceView):
    """Judge a subject line."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "draft.view"}

    @extend_schema(
        tags=TAGS, summary="Score a subject line", operation_id="ai_subject_score_create",
        request=SubjectScoreRequestSerializer, responses=SubjectScoreSerializer,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Return the score by rules, at once and without a model: advice, not fact."""
        given = SubjectScoreRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked: dict[str, Any] = given.validated_data
        score = score_line(asked["subject"], asked.get("preview_text", ""), asked["language"])
        return Response(score.as_json())

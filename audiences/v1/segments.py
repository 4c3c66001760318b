"""`/v1/segments`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Membership
from accounts.permissions import key_allows, role_allows
from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from audiences import services
from audiences.models import Contact, Segment
from audiences.selectors import explain_segment, preview_segment, with_status
from audiences.services.described import Proposal, in_words, propose_rules
from audiences.v1.serializers import (
    ContactSerializer,
    ExplainSerializer,
    ExplanationSerializer,
    PendingRulesSerializer,
    ProposedRulesSerializer,
    RulesSerializer,
    SegmentPreviewSerializer,
    SegmentSerializer,
    SegmentTextSerializer,
)
from pulsequill.core.errors import FieldError, Invalid
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["segments"]
#: A model's usual answer takes two or three seconds; a caller who cannot wait longer is told to come back.
WAIT_FOR_MODEL_S = 8.0
ASK_AGAIN_AFTER_S = 2


class SegmentViewSet(WorkspaceViewSet):
    """Saved questions about contacts."""

    queryset = Segment.objects
    serializer_class = SegmentSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "contact.view",
        "retrieve": "contact.view",
        "create": "contact.edit",
        "partial_update": "contact.edit",
        "destroy": "contact.edit",
    }
    search_fields = ("name",)
    sort_fields = frozenset({"created_at", "name"})

    @extend_schema(tags=TAGS, summary="List segments", operation_id="segments_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the segments, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Save a segment", operation_id="segments_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Save a question."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        segment = services.create_segment(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(segment).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a segment", operation_id="segments_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one question."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(tags=TAGS, summary="Change a segment", operation_id="segments_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change name or rules."""
        segment = self.get_object()
        given = self.get_serializer(segment, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = services.update_segment(segment=segment, changes=dict(given.validated_data), actor=self.actor)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a segment", operation_id="segments_destroy")
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Forget a question."""
        services.delete_segment(segment=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SegmentPreviewView(WorkspaceView):
    """An answer before the question is saved."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "contact.view"}

    @extend_schema(
        tags=TAGS,
        summary="Preview rules",
        operation_id="segments_preview",
        request=RulesSerializer,
        responses={200: SegmentPreviewSerializer},
    )
    def post(self, request: Request) -> Response:
        """Count the contacts that rules hold, and show ten of the newest."""
        given = RulesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rules = given.validated_data["rules"]
        services.check_rules(workspace=self.workspace, rules=rules)
        count, sample = preview_segment(rules, workspace_id=self.workspace.pk)
        context = self.get_serializer_context()
        shown = [ContactSerializer(contact, context=context).data for contact in with_status(sample)]
        return Response({"count": count.value, "estimated": count.is_estimate, "sample": shown})


class SegmentExplainView(WorkspaceView):
    """Why somebody is in or out."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "contact.view"}

    @extend_schema(
        tags=TAGS,
        summary="Explain rules for a contact",
        operation_id="segments_explain",
        request=ExplainSerializer,
        responses={200: ExplanationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Judge every condition for one contact."""
        given = ExplainSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rules, email = given.validated_data["rules"], given.validated_data["email"].strip().lower()
        services.check_rules(workspace=self.workspace, rules=rules)
        contact = Contact.objects.for_workspace(self.workspace).filter(email_normalized=email).first()
        if contact is None:
            detail = "There is no contact with this address."
            raise Invalid(detail, errors=[FieldError("email", "unknown_contact", detail)])
        return Response(explain_segment(rules, contact=contact).as_dict())


class SegmentFromTextView(WorkspaceView):
    """Rules from plain words, to look at."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "contact.view"}

    @extend_schema(
        tags=TAGS,
        summary="Propose rules for a sentence",
        operation_id="segments_from_text",
        request=SegmentTextSerializer,
        responses={200: ProposedRulesSerializer, 202: PendingRulesSerializer},
        examples=[
            OpenApiExample(
                "A sentence", value={"text": "people in Germany who opened in the last 30 days"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Say in rules whom a sentence means, without saving anything.

        The parser answers when it understands every word. Otherwise a model is asked, if one is set up and the caller
        may spend money, and waited for. When that takes longer than a few seconds the answer is 202: ask again with
        the same sentence after `Retry-After`; it is not asked or paid twice.
        """
        given = SegmentTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        proposed = propose_rules(
            workspace=self.workspace,
            actor=self.actor,
            text=given.validated_data["text"],
            may_ask_model=self._may_ask_model(),
            wait_s=WAIT_FOR_MODEL_S,
        )
        if isinstance(proposed, Proposal):
            return Response(in_words(proposed, self.workspace))
        headers = {"Location": f"/v1/ai/drafts/{proposed.pk}", "Retry-After": str(ASK_AGAIN_AFTER_S)}
        body = {"generation": str(proposed.pk), "status": proposed.status}
        return Response(body, status=status.HTTP_202_ACCEPTED, headers=headers)

    def _may_ask_model(self) -> bool:
        if self.api_key is not None:
            return key_allows(self.api_key.scopes, "draft.edit")
        membership: Membership | None = self.membership
        return membership is not None and role_allows(membership.role, "draft.edit")

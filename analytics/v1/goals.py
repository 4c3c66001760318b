"""`/v1/goals`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from analytics import services
from analytics.models import Goal
from analytics.services.goals import LONGEST_PREFIX, MOST_DAYS
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["goals"]
PREFIX_HELP = "A person's click on a link that begins like this reaches the goal; empty: only events do."
WINDOW_HELP = "An event about a contact is owed to the mail that they clicked, or else opened, last in so many days."


class GoalSerializer(serializers.ModelSerializer[Goal]):
    """A conversion that events report, or that a click reaches."""

    key = serializers.SlugField(max_length=60, help_text="What events name it by; it never changes.")
    link_prefix = serializers.CharField(
        max_length=LONGEST_PREFIX, required=False, allow_blank=True, help_text=PREFIX_HELP
    )
    window_days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False, help_text=WINDOW_HELP)

    class Meta:
        model = Goal
        fields = ("id", "key", "name", "link_prefix", "window_days", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")
        validators: list[Any] = []


class GoalChangeSerializer(serializers.Serializer[Any]):
    """What may be changed of a goal."""

    name = serializers.CharField(max_length=120, required=False)
    link_prefix = serializers.CharField(
        max_length=LONGEST_PREFIX, required=False, allow_blank=True, help_text=PREFIX_HELP
    )
    window_days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False, help_text=WINDOW_HELP)


class Goals(WorkspaceViewSet):
    """What events may report."""

    queryset = Goal.objects
    serializer_class = GoalSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "report.view",
        "retrieve": "report.view",
        "create": "report.edit",
        "partial_update": "report.edit",
        "destroy": "report.edit",
    }
    sort_fields = frozenset({"created_at", "name", "key"})

    @extend_schema(tags=TAGS, summary="List goals", operation_id="goals_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the goals, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS, summary="Add a goal", operation_id="goals_create",
        examples=[
            OpenApiExample(
                "An order, and the page behind it",
                value={"key": "order", "name": "Orders", "link_prefix": "https://shop.example/thanks"},
                request_only=True,
            )
        ],
    )  # fmt: skip
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a goal."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        goal = services.create_goal(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(goal).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a goal", operation_id="goals_retrieve")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return one goal."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        tags=TAGS, summary="Change a goal", operation_id="goals_partial_update", request=GoalChangeSerializer
    )
    def partial_update(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Change name, link prefix or window; the key stays, and what was counted stays counted."""
        goal = self.get_object()
        given = GoalChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changed = services.update_goal(goal=goal, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a goal", operation_id="goals_destroy")
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Remove a goal with its counts; its events stay."""
        services.delete_goal(goal=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

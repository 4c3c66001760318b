"""`/v1/analytics/reclassifications`: the rules about machines, run again."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from analytics.models import RuleRun
from analytics.services.reclassifying import start_rule_run
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["figures"]


class RuleRunSerializer(serializers.ModelSerializer[RuleRun]):
    """A run, how far it has come, and the figures of each campaign before and after."""

    dry_run = serializers.BooleanField(source="is_dry_run", help_text="Only shows what would change.")
    progress = serializers.FloatField(source="share_done", help_text="From 0 to 1.")
    before = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    after = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    reasons = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = RuleRun
        fields = (
            "id", "rules_version", "dry_run", "status", "progress", "messages", "hits", "changed", "unseen", "reasons",
            "before", "after", "failure", "created_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class StartRuleRunSerializer(serializers.Serializer[Any]):
    """What to do."""

    dry_run = serializers.BooleanField(default=True, help_text="False changes classes and figures.")


class Reclassifications(WorkspaceViewSet):
    """Runs of the rules of today over all opens and clicks that are kept."""

    queryset = RuleRun.objects
    serializer_class = RuleRunSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "report.view",
        "retrieve": "report.view",
        "create": "report.edit",
    }
    sort_fields = frozenset({"created_at"})

    @extend_schema(tags=TAGS, summary="List runs of the rules", operation_id="reclassifications_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the runs, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        tags=TAGS, summary="Judge opens and clicks again", operation_id="reclassifications_create",
        request=StartRuleRunSerializer, responses={202: RuleRunSerializer},
        examples=[OpenApiExample("See what would change", value={"dry_run": True}, request_only=True)],
    )  # fmt: skip
    @idempotent
    def create(self, request: Request) -> Response:
        """Start a run in the background; the answer says where to follow it."""
        given = StartRuleRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        run = start_rule_run(workspace=self.workspace, actor=self.actor, is_dry_run=given.validated_data["dry_run"])
        return Response(self.get_serializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(tags=TAGS, summary="Read a run of the rules", operation_id="reclassifications_retrieve")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return how far it has come, and what it changes."""
        return Response(self.get_serializer(self.get_object()).data)

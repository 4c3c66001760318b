"""`/v1/reports`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from analytics import services
from analytics.models import Report
from analytics.selectors import list_campaign_figures
from analytics.v1 import serializers
from campaigns.models import Campaign
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["reports"]
#: A report that names no campaigns compares the latest ones.
LATEST = 20


class Reports(WorkspaceViewSet):
    """Comparisons of campaigns that are kept."""

    queryset = Report.objects
    serializer_class = serializers.ReportSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "report.view",
        "retrieve": "report.view",
        "create": "report.edit",
        "partial_update": "report.edit",
        "destroy": "report.edit",
    }
    sort_fields = frozenset({"created_at", "name"})

    @extend_schema(tags=TAGS, summary="List reports", operation_id="reports_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the reports, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Keep a report", operation_id="reports_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Keep a comparison under a name."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        report = services.save_report(workspace=self.workspace, actor=self.actor, **_stored(given.validated_data))
        return Response(self.get_serializer(report).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a report", operation_id="reports_retrieve")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the report with the figures of its campaigns as they are now."""
        report = self.get_object()
        campaigns = Campaign.objects.for_workspace(self.workspace).filter(launched_at__isnull=False)
        chosen = report.query.get("campaigns") or []
        campaigns = campaigns.filter(pk__in=chosen) if chosen else campaigns
        rows = [
            {"campaign": str(campaign.pk), "name": campaign.name, "launched_at": campaign.launched_at, **figures}
            for campaign, figures in list_campaign_figures(campaigns.order_by("-launched_at", "-id")[:LATEST])
        ]
        return Response({**self.get_serializer(report).data, "rows": rows})

    @extend_schema(tags=TAGS, summary="Change a report", operation_id="reports_partial_update")
    def partial_update(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Change name or campaigns."""
        report = self.get_object()
        given = self.get_serializer(report, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        fields = {"name": report.name, "query": report.query, **_stored(given.validated_data)}
        changed = services.save_report(workspace=self.workspace, actor=self.actor, report=report, **fields)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a report", operation_id="reports_destroy")
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Remove a kept comparison."""
        services.delete_report(report=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Return validated fields with the campaigns of the query as ids."""
    if "query" not in fields:
        return dict(fields)
    campaigns = fields["query"].get("campaigns", [])
    return {**fields, "query": {"campaigns": [str(campaign.pk) for campaign in campaigns]}}

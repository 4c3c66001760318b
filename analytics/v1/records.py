"""`/v1/contacts/{id}/events`, `/v1/events`, `/v1/goals` and `/v1/reports`."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from analytics import services
from analytics.models import Event, Goal, Report
from analytics.selectors import list_campaign_figures
from analytics.v1 import serializers
from audiences.models import Contact
from campaigns.models import Campaign
from campaigns.selectors.ledger import get_message
from pulsequill.core.errors import FieldError, Invalid, NotFound
from pulsequill.core.rest.idempotency import idempotent

EVENT_TAGS, GOAL_TAGS, REPORT_TAGS = ["events"], ["goals"], ["reports"]
#: A report that names no campaigns compares the latest ones.
LATEST = 20


class ContactEvents(WorkspaceViewSet):
    """What one contact did with our mails."""

    queryset = Event.objects
    serializer_class = serializers.EventSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "contact.view"}
    default_sort = "-id"
    sort_fields = frozenset({"id"})

    @extend_schema(tags=EVENT_TAGS, summary="List a contact's events", operation_id="contacts_events")
    def list(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the events, the latest first."""
        if not Contact.objects.for_workspace(self.workspace).filter(pk=id).exists():
            raise NotFound
        events = self.get_queryset().filter(message__contact_id=id).select_related("message", "link")
        page = self.paginate_queryset(events)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Conversions(WorkspaceView):
    """Your own conversion events."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "event.report"}

    @extend_schema(
        tags=EVENT_TAGS, summary="Report that a goal was reached", operation_id="events_create",
        request=serializers.ConversionSerializer, responses={202: serializers.ConversionSerializer},
        examples=[
            OpenApiExample(
                "An order",
                value={"goal": "order", "value": 4900, "currency": "GBP", "event_id": "order-1007"},
                request_only=True,
            )
        ],
    )  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep the event; it is counted in the background."""
        given = serializers.ConversionSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        goal = Goal.objects.for_workspace(self.workspace).filter(key=fields["goal"]).first()
        if goal is None:
            detail = "There is no goal with this key; add it with POST /v1/goals."
            raise Invalid(detail, errors=[FieldError("goal", "does_not_exist", detail)])
        message = None
        if fields.get("message"):
            try:
                message = get_message(self.workspace, fields["message"])
            except NotFound as error:
                detail = "There is no such message."
                raise Invalid(detail, errors=[FieldError("message", "does_not_exist", detail)]) from error
        contact = fields.get("contact")
        services.report_conversion(
            workspace=self.workspace,
            goal=goal,
            message=message,
            contact_id=contact.pk if contact else message.contact_id if message else None,
            occurred_at=fields.get("occurred_at"),
            value=fields.get("value"),
            currency=fields.get("currency", ""),
            event_id=fields.get("event_id", ""),
        )
        return Response(given.data, status=status.HTTP_202_ACCEPTED)


class Goals(WorkspaceViewSet):
    """What events may report."""

    queryset = Goal.objects
    serializer_class = serializers.GoalSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "report.view",
        "retrieve": "report.view",
        "create": "report.edit",
        "partial_update": "report.edit",
        "destroy": "report.edit",
    }
    sort_fields = frozenset({"created_at", "name", "key"})

    @extend_schema(tags=GOAL_TAGS, summary="List goals", operation_id="goals_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the goals, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=GOAL_TAGS, summary="Add a goal", operation_id="goals_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a goal."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        goal = services.create_goal(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(goal).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=GOAL_TAGS, summary="Read a goal", operation_id="goals_retrieve")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return one goal."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        tags=GOAL_TAGS, summary="Rename a goal", operation_id="goals_partial_update",
        request=serializers.GoalChangeSerializer,
    )  # fmt: skip
    def partial_update(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Change the name; the key stays."""
        goal = self.get_object()
        given = serializers.GoalChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.update_goal(goal=goal, **given.validated_data)).data)

    @extend_schema(tags=GOAL_TAGS, summary="Delete a goal", operation_id="goals_destroy")
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Remove a goal; its events stay."""
        services.delete_goal(goal=self.get_object(), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


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

    @extend_schema(tags=REPORT_TAGS, summary="List reports", operation_id="reports_list")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return the reports, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=REPORT_TAGS, summary="Keep a report", operation_id="reports_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Keep a comparison under a name."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        report = services.save_report(workspace=self.workspace, actor=self.actor, **_stored(given.validated_data))
        return Response(self.get_serializer(report).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=REPORT_TAGS, summary="Read a report", operation_id="reports_retrieve")
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

    @extend_schema(tags=REPORT_TAGS, summary="Change a report", operation_id="reports_partial_update")
    def partial_update(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Change name or campaigns."""
        report = self.get_object()
        given = self.get_serializer(report, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        fields = {"name": report.name, "query": report.query, **_stored(given.validated_data)}
        changed = services.save_report(workspace=self.workspace, actor=self.actor, report=report, **fields)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=REPORT_TAGS, summary="Delete a report", operation_id="reports_destroy")
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

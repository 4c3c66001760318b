"""`/v1/reports`: kept questions, their figures, when they are mailed, and links to them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField, WorkspaceView, WorkspaceViewSet
from analytics import services
from analytics.exporting import FORMATS, choose_table, table_file
from analytics.models import Report, ReportSchedule, ReportShare
from analytics.reports.answering import answer
from analytics.reports.calendar import rhythm_of
from analytics.reports.query import CUSTOM, KINDS, RANGES, read_query
from analytics.selectors import list_campaign_figures
from analytics.selectors.reports import get_report, get_share, list_recipients, list_shares
from analytics.services.report_shares import MOST_DAYS
from analytics.tokens import share_url
from campaigns.models import Campaign
from campaigns.recurrence import LONGEST_LINE
from pulsequill.core.errors import Invalid, NotFound
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["reports"]
#: A report that names no campaigns compares the latest ones.
LATEST = 20


class ReportQuerySerializer(serializers.Serializer[Any]):
    """What a report asks: figures of a time, campaigns side by side, cohorts, or how engagement fades."""

    kind = serializers.ChoiceField(
        list(KINDS), required=False, help_text="Left out: `comparison` when campaigns are named, else `overview`."
    )
    range = serializers.ChoiceField([*RANGES, CUSTOM], required=False)
    to = serializers.DateField(required=False, help_text="Last day of a custom range.")
    compare = serializers.BooleanField(required=False, help_text="Whether the time before is compared with.")
    campaigns = WorkspaceRelatedField(queryset=Campaign.objects, many=True, allow_empty=True, required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is no name in Python."""
        return {**super().get_fields(), "from": serializers.DateField(required=False, help_text="First day of it.")}


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report that is kept."""

    query = ReportQuerySerializer()

    class Meta:
        model = Report
        fields = ("id", "name", "query", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")

    def validate_query(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the question as it is kept."""
        plain = {**given, "campaigns": [str(campaign.pk) for campaign in given.get("campaigns", ())]}
        try:
            return read_query(plain).stored()
        except Invalid as error:
            raise serializers.ValidationError({each.field: [each.detail] for each in error.errors}) from error

    def to_representation(self, report: Report) -> dict[str, Any]:
        """Show the query as it is kept."""
        return {
            "id": str(report.pk),
            "name": report.name,
            "query": report.query,
            "created_at": report.created_at,
            "updated_at": report.updated_at,
        }


class ReportDataSerializer(serializers.Serializer[Any]):
    """The figures of a report as they are now."""

    title = serializers.CharField()
    subtitle = serializers.CharField(help_text="The time, or the campaigns.")
    counted_at = serializers.DateTimeField(
        allow_null=True, help_text="When what is counted in the background (lists, hours, months) was counted."
    )
    figures = serializers.ListField(child=serializers.DictField(), help_text="key, label, value, before, change.")
    tables = serializers.ListField(
        child=serializers.DictField(),
        help_text="key, title, note, columns, rows. Rates are a share of 1, money is in minor units by currency.",
    )


class ReportScheduleSerializer(serializers.ModelSerializer[ReportSchedule]):
    """When a report is mailed, and to whom."""

    crontab = serializers.CharField(
        max_length=LONGEST_LINE,
        help_text="Minute hour day month weekday on the workspace's clocks, once a day at most, as `0 8 * * mon`.",
    )
    members = serializers.ListField(
        child=serializers.UUIDField(), required=False, write_only=True, help_text="Ids of users of the workspace."
    )
    emails = serializers.ListField(
        child=serializers.CharField(max_length=254), required=False, write_only=True,
        help_text="Further addresses; each mail has a link that stops it.",
    )  # fmt: skip
    is_active = serializers.BooleanField(required=False, help_text="False pauses it.")
    rhythm = serializers.SerializerMethodField(help_text="When, in words.")
    recipients = serializers.SerializerMethodField(help_text="email, is_member, stopped_at, last_status, last_at.")

    class Meta:
        model = ReportSchedule
        fields = (
            "crontab", "members", "emails", "is_active", "rhythm", "recipients", "next_run_at", "last_run_at",
        )  # fmt: skip
        read_only_fields = ("next_run_at", "last_run_at")

    def get_rhythm(self, schedule: ReportSchedule) -> str:
        """Return when it runs."""
        return str(rhythm_of(schedule) or "")

    def get_recipients(self, schedule: ReportSchedule) -> list[dict[str, Any]]:
        """Return who gets it, and how their last mail went."""
        return [
            {
                "email": one.email,
                "is_member": one.user_id is not None,
                "stopped_at": one.stopped_at,
                "last_status": one.latest.status if one.latest else None,  # type: ignore[attr-defined]
                "last_at": one.latest.sent_at if one.latest else None,  # type: ignore[attr-defined]
            }
            for one in list_recipients(schedule.report)
        ]


class ReportShareSerializer(serializers.ModelSerializer[ReportShare]):
    """A link to a report for people without an account; its address is told once, when it is made."""

    days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, required=False, write_only=True, help_text="How long it works; 30."
    )
    url = serializers.SerializerMethodField(help_text="Only in the answer that made it.")

    class Meta:
        model = ReportShare
        fields = ("id", "hint", "days", "url", "expires_at", "revoked_at", "last_seen_at", "created_at")
        read_only_fields = ("id", "hint", "expires_at", "revoked_at", "last_seen_at", "created_at")

    def get_url(self, _share: ReportShare) -> str | None:
        """Return the address, when it is known."""
        token = self.context.get("token")
        return share_url(token) if token else None


class Reports(WorkspaceViewSet):
    """Questions about campaigns that are kept."""

    queryset = Report.objects
    serializer_class = ReportSerializer
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

    @extend_schema(
        tags=TAGS, summary="Keep a report", operation_id="reports_create",
        examples=[
            OpenApiExample(
                "The last week against the one before",
                value={"name": "Every Monday’s figures", "query": {"kind": "overview", "range": "7d"}},
                request_only=True,
            )
        ],
    )  # fmt: skip
    @idempotent
    def create(self, request: Request) -> Response:
        """Keep a question under a name."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        report = services.save_report(workspace=self.workspace, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(report).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a report", operation_id="reports_retrieve")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the report with the figures of its campaigns as they are now; `data` has all of its tables."""
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
        """Change name or question."""
        report = self.get_object()
        given = self.get_serializer(report, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        fields = {"name": report.name, "query": report.query, **given.validated_data}
        changed = services.save_report(workspace=self.workspace, actor=self.actor, report=report, **fields)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Delete a report", operation_id="reports_destroy")
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Remove a kept report; its mails stop and its links lead nowhere."""
        services.delete_report(report=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportData(WorkspaceView):
    """The figures of a report."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "report.view"}

    @extend_schema(
        tags=TAGS, summary="Ask a report", operation_id="reports_data",
        parameters=[
            OpenApiParameter("as", str, enum=FORMATS, description="One table as a file, streamed."),
            OpenApiParameter("table", str, description="Which one; the first when left out."),
        ],
        responses={(200, "application/json"): ReportDataSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response | StreamingHttpResponse:  # noqa: A002
        """Return the figures as they are now: all tables, or one as a file."""
        report = get_report(self.workspace, id)
        found = answer(self.workspace, read_query(report.query), now=timezone.now())
        kind = request.query_params.get("as")
        if kind is None:
            return Response(found.as_json())
        return table_file(choose_table(found, request.query_params.get("table", "")), kind)


class ReportScheduleView(WorkspaceView):
    """When a report is mailed."""

    permissions_by_action: ClassVar[dict[str, str]] = {
        "get": "report.view", "put": "report.edit", "delete": "report.edit",
    }  # fmt: skip

    @extend_schema(
        tags=TAGS, summary="Read when a report is mailed", operation_id="reports_schedule_retrieve",
        responses=ReportScheduleSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return its rhythm, its recipients and how their last mails went."""
        return Response(ReportScheduleSerializer(self._schedule(id)).data)

    @extend_schema(
        tags=TAGS, summary="Mail a report", operation_id="reports_schedule_update",
        request=ReportScheduleSerializer, responses=ReportScheduleSerializer,
        examples=[
            OpenApiExample(
                "Mondays at eight", value={"crontab": "0 8 * * 1", "emails": ["board@northwind.example"]},
                request_only=True,
            )
        ],
    )  # fmt: skip
    def put(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Mail it from now on, or change when and to whom."""
        report = get_report(self.workspace, id)
        given = ReportScheduleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        schedule = services.schedule_report(report=report, actor=self.actor, **given.validated_data)
        return Response(ReportScheduleSerializer(schedule).data)

    @extend_schema(
        tags=TAGS, summary="Mail a report no more", operation_id="reports_schedule_destroy",
        responses={204: OpenApiResponse(description="It is not mailed any more.")},
    )  # fmt: skip
    def delete(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Stop it for everybody."""
        services.unschedule_report(report=self._schedule(id).report, actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _schedule(self, report_id: UUID) -> ReportSchedule:
        schedule: ReportSchedule | None = getattr(get_report(self.workspace, report_id), "schedule", None)
        if schedule is None:
            raise NotFound
        return schedule


class ReportShares(WorkspaceView):
    """Links to a report."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "report.view", "post": "report.edit"}

    @extend_schema(
        tags=TAGS, summary="List links to a report", operation_id="reports_shares_list",
        responses=ReportShareSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return its links, the newest first; their addresses are not known any more."""
        report = get_report(self.workspace, id)
        return Response({"results": ReportShareSerializer(list_shares(report), many=True).data})

    @extend_schema(
        tags=TAGS, summary="Share a report", operation_id="reports_shares_create", request=ReportShareSerializer,
        responses={201: ReportShareSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Make a link; `url` is told this once."""
        given = ReportShareSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        share, token = services.share_report(
            report=get_report(self.workspace, id), actor=self.actor, **given.validated_data
        )
        return Response(ReportShareSerializer(share, context={"token": token}).data, status=status.HTTP_201_CREATED)


class ReportShareView(WorkspaceView):
    """One link to a report."""

    permissions_by_action: ClassVar[dict[str, str]] = {"delete": "report.edit"}

    @extend_schema(
        tags=TAGS, summary="Take a link back", operation_id="reports_shares_destroy",
        responses={204: OpenApiResponse(description="It leads nowhere now.")},
    )  # fmt: skip
    def delete(self, request: Request, id: UUID, share_id: UUID) -> Response:  # noqa: A002, ARG002
        """Take it back, at once and for good."""
        services.revoke_share(share=get_share(self.workspace, share_id, report_id=id), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

"""`/v1/ai/schedules`: drafts by the calendar, and how their runs went."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField, WorkspaceView, WorkspaceViewSet
from aiwriter.v1.serializers import BriefSerializer
from campaigns.models import DraftingRun, DraftingSchedule, Sender
from campaigns.recurrence import LONGEST_LINE, MOST_WEEKS
from campaigns.selectors.drafting import get_schedule, list_runs, list_schedules, next_slots, rhythm_of
from campaigns.services import drafting
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["ai"]


@extend_schema_serializer(component_name="DraftingRun")
class DraftingRunSerializer(serializers.ModelSerializer[DraftingRun]):
    """One slot of a schedule and how it went."""

    class Meta:
        model = DraftingRun
        fields = (
            "id", "slot_at", "status", "reason", "missed", "is_manual", "generation", "campaign", "finished_at",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(component_name="DraftingSchedule")
class ScheduleSerializer(serializers.ModelSerializer[DraftingSchedule]):
    """A brief that is drafted again and again. A person still approves and sends what it makes."""

    name = serializers.CharField(max_length=120)
    brief = BriefSerializer()
    crontab = serializers.CharField(
        max_length=LONGEST_LINE,
        help_text="Minute hour day month weekday on the workspace's clocks, such as `0 9 * * mon`; `L`: the last day.",
    )
    every_weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS, required=False)
    makes_campaign = serializers.BooleanField(required=False)
    sender = WorkspaceRelatedField(queryset=Sender.objects, allow_null=True, required=False)
    is_active = serializers.BooleanField(required=False, help_text="False pauses it.")
    rhythm = serializers.SerializerMethodField(help_text="When it runs, in words.")
    next_runs = serializers.SerializerMethodField(help_text="Its next three slots; empty while it is paused.")

    class Meta:
        model = DraftingSchedule
        fields = (
            "id", "name", "brief", "crontab", "every_weeks", "makes_campaign", "sender", "is_active", "rhythm",
            "next_runs", "next_run_at", "last_run_at", "last_outcome", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("next_run_at", "last_run_at", "last_outcome", "created_at", "updated_at")

    def get_rhythm(self, schedule: DraftingSchedule) -> str:
        """Return when it runs, in words."""
        return rhythm_of(schedule)

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "date-time"}})
    def get_next_runs(self, schedule: DraftingSchedule) -> list[str]:
        """Return its next slots."""
        return [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in next_slots(schedule, now=timezone.now())]


class ScheduleViewSet(WorkspaceViewSet):
    """Drafts by the calendar."""

    queryset = DraftingSchedule.objects
    serializer_class = ScheduleSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "campaign.view",
        "retrieve": "campaign.view",
        "create": "campaign.edit",
        "partial_update": "campaign.edit",
        "destroy": "campaign.edit",
    }
    filter_fields: ClassVar[dict[str, list[str]]] = {"is_active": ["exact"]}
    sort_fields = frozenset({"created_at", "name", "next_run_at"})

    def get_queryset(self) -> Any:
        """Return the workspace's schedules with their briefs."""
        if getattr(self, "swagger_fake_view", False):
            return DraftingSchedule.objects.none()
        return list_schedules(self.workspace).order_by()

    @extend_schema(tags=TAGS, summary="List drafting schedules", operation_id="ai_schedules_list")
    def list(self, _request: Request) -> Response:
        """Return the schedules, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(tags=TAGS, summary="Plan drafts", operation_id="ai_schedules_create")
    @idempotent
    def create(self, request: Request) -> Response:
        """Draft a brief again and again from now on. Nothing is ever sent by it."""
        brief, changes = self._given(request, partial=False)
        schedule = drafting.create_schedule(workspace=self.workspace, actor=self.actor, brief=brief, changes=changes)
        return Response(self.get_serializer(schedule).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=TAGS, summary="Read a drafting schedule", operation_id="ai_schedules_retrieve")
    def retrieve(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Return one schedule with its next runs."""
        return Response(self.get_serializer(get_schedule(self.workspace, id)).data)

    @extend_schema(tags=TAGS, summary="Change a drafting schedule", operation_id="ai_schedules_partial_update")
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Change a schedule, pause or resume it; of its brief only the named fields change."""
        schedule = get_schedule(self.workspace, id)
        brief, changes = self._given(request, partial=True)
        changed = drafting.change_schedule(schedule=schedule, actor=self.actor, brief=brief, changes=changes)
        return Response(self.get_serializer(changed).data)

    @extend_schema(tags=TAGS, summary="Remove a drafting schedule", operation_id="ai_schedules_destroy")
    def destroy(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Remove a schedule; what it drafted stays."""
        drafting.delete_schedule(schedule=get_schedule(self.workspace, id), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _given(self, request: Request, *, partial: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields of the brief and those of the schedule that a request names."""
        given = self.get_serializer(data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        return dict(changes.pop("brief", {})), changes


class ScheduleRunsView(WorkspaceViewSet):
    """How the runs of a schedule went."""

    queryset = DraftingRun.objects
    serializer_class = DraftingRunSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    sort_fields = frozenset({"slot_at"})
    default_sort = "-slot_at"

    def get_queryset(self) -> Any:
        """Return the runs of one schedule."""
        if getattr(self, "swagger_fake_view", False):
            return DraftingRun.objects.none()
        return list_runs(get_schedule(self.workspace, self.kwargs["id"])).order_by()

    @extend_schema(tags=TAGS, summary="List a schedule's runs", operation_id="ai_schedules_runs")
    def list(self, _request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return the runs, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ScheduleRunNowView(WorkspaceView):
    """Drafting once out of turn."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS, summary="Draft now", operation_id="ai_schedules_run", request=None,
        responses={202: DraftingRunSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Draft once; the calendar goes on as it was. A run that had to be skipped says why."""
        run = drafting.run_now(schedule=get_schedule(self.workspace, id), actor=self.actor)
        return Response(DraftingRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

"""`/v1/ai/usage` and `/v1/ai/calls`: what the writer cost, and every call that it made."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from aiwriter.calls import CallFilter, find_calls
from aiwriter.models import GenerationStep
from aiwriter.usage import get_usage, parse_month

TAGS = ["ai"]


class _Money(serializers.Serializer[Any]):
    calls = serializers.IntegerField()
    cost_micro_usd = serializers.IntegerField()


class ModelUsageSerializer(_Money):
    """What one model did."""

    provider = serializers.CharField()
    model = serializers.CharField()
    failed_calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()


class PromptUsageSerializer(_Money):
    """What one version of a prompt did, and what became of the runs that it took part in."""

    prompt = serializers.CharField()
    sha256 = serializers.CharField()
    failed_calls = serializers.IntegerField()
    generations = serializers.IntegerField()
    regenerate_rate = serializers.FloatField(allow_null=True, help_text="Share of the runs that were asked for again.")
    drafts_written = serializers.IntegerField()
    drafts_accepted = serializers.IntegerField()
    drafts_rejected = serializers.IntegerField()
    acceptance_rate = serializers.FloatField(allow_null=True)
    mean_edit_distance = serializers.FloatField(
        allow_null=True, help_text="Share of the words that people changed before they sent, 0 to 1."
    )
    cost_per_accepted_micro_usd = serializers.IntegerField(
        allow_null=True, help_text="Of the whole runs, all their calls, for each accepted draft."
    )


class DayUsageSerializer(_Money):
    """What one day (UTC) cost."""

    date = serializers.DateField()
    by_provider = serializers.DictField(child=serializers.IntegerField(), help_text="Micro-USD by provider.")


@extend_schema_field(ModelUsageSerializer(many=True))
class _ByModel(serializers.ListField):
    """The month by model."""


@extend_schema_field(PromptUsageSerializer(many=True))
class _ByPrompt(serializers.ListField):
    """The month by version of a prompt."""


@extend_schema_field(DayUsageSerializer(many=True))
class _ByDay(serializers.ListField):
    """The days of the month that have begun."""


class UsageSerializer(serializers.Serializer[Any]):
    """A month's use, in micro-USD."""

    month = serializers.CharField()
    spent_micro_usd = serializers.IntegerField()
    cap_micro_usd = serializers.IntegerField()
    warn_percent = serializers.IntegerField()
    is_warning = serializers.BooleanField()
    is_exceeded = serializers.BooleanField()
    calls = serializers.IntegerField()
    failed_calls = serializers.IntegerField()
    cached_calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    drafts_written = serializers.IntegerField()
    drafts_accepted = serializers.IntegerField()
    drafts_edited = serializers.IntegerField()
    drafts_rejected = serializers.IntegerField()
    acceptance_rate = serializers.FloatField(allow_null=True)
    cost_per_accepted_micro_usd = serializers.IntegerField(allow_null=True)
    by_model = _ByModel()
    by_prompt = _ByPrompt()
    by_day = _ByDay()


class CallSerializer(serializers.ModelSerializer[GenerationStep]):
    """One call to a provider; texts are not part of it."""

    price = serializers.CharField(source="price_id", allow_null=True, help_text="The price row that was used.")
    person = serializers.CharField(source="generation.created_by_id", allow_null=True)

    class Meta:
        model = GenerationStep
        fields = (
            "id", "created_at", "generation", "person", "role", "task", "provider", "model_requested", "model_served",
            "fallback_from", "prompt_id", "prompt_sha256", "params", "attempt", "input_tokens", "output_tokens",
            "cached_tokens", "usage_source", "cost_micro_usd", "price", "latency_ms", "first_token_ms", "finish_reason",
            "error_class", "is_cache_hit", "provider_request_id",
        )  # fmt: skip
        read_only_fields = fields


class UsageView(WorkspaceView):
    """What the writer cost."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "draft.view"}

    @extend_schema(
        tags=TAGS,
        summary="Read a month's use",
        operation_id="ai_usage_retrieve",
        responses=UsageSerializer,
        parameters=[OpenApiParameter("month", OpenApiTypes.STR, description="Such as `2026-11`; empty: this month.")],
    )
    def get(self, request: Request) -> Response:
        """Return a month's use against the budget, by model, prompt version and day."""
        return Response(get_usage(self.workspace, month=parse_month(request.query_params.get("month", ""))))


class CallViewSet(WorkspaceViewSet):
    """The audit trail."""

    queryset = GenerationStep.objects
    serializer_class = CallSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "draft.view"}
    sort_fields = frozenset({"created_at"})

    @extend_schema(
        tags=TAGS,
        summary="List calls to providers",
        operation_id="ai_calls_list",
        parameters=[
            OpenApiParameter(name, OpenApiTypes.STR, description=words)
            for name, words in (
                ("month", "Such as `2026-11`."),
                ("provider", "Such as `openai`."),
                ("model", "Asked for, or served."),
                ("role", "Such as `writer`."),
                ("end", "`ok`, `failed`, or an error class."),
                ("cached", "`yes` or `no`."),
                ("person", "Id of who asked."),
                ("generation", "Id of a generation."),
                ("q", "Words of prompt, task, request id or error."),
            )
        ],
    )
    def list(self, request: Request) -> Response:
        """Return every call to a provider, failed ones too, the newest first."""
        rows = find_calls(self.workspace, CallFilter.read(request.query_params))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

"""`/v1/subjects/similar`: what subject lines like this one did before."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView
from analytics.selectors.subjects import find_similar_subjects
from analytics.v1.campaigns import TAGS
from pulsequill.core.errors import FieldError, Invalid

LONGEST = 300


@extend_schema_serializer(component_name="SimilarSubject")
class SimilarSubjectSerializer(serializers.Serializer[Any]):
    """One subject that was sent; rates are of people, `delivered` is their n."""

    subject = serializers.CharField()
    campaign = serializers.CharField()
    campaign_id = serializers.UUIDField()
    sent_at = serializers.DateTimeField()
    similarity_percent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    click_rate = serializers.FloatField()
    open_rate = serializers.FloatField()


@extend_schema_serializer(component_name="SimilarSubjects")
class SimilarSubjectsSerializer(serializers.Serializer[Any]):
    """What similar subjects did; `note` says in words how much that is worth."""

    is_enough = serializers.BooleanField()
    compared = serializers.IntegerField()
    click_rate = serializers.FloatField(allow_null=True)
    results = SimilarSubjectSerializer(many=True)
    note = serializers.CharField()


class SimilarSubjectsView(WorkspaceView):
    """Look up similar subjects."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "report.view"}

    @extend_schema(
        tags=TAGS, summary="Look up similar subjects", operation_id="subjects_similar",
        parameters=[OpenApiParameter("subject", str, required=True)], responses=SimilarSubjectsSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return sent subjects that share words with this one, with their rates and n; no prediction."""
        subject = request.query_params.get("subject", "").strip()
        if not subject or len(subject) > LONGEST:
            detail = f"A subject of 1 to {LONGEST} characters."
            raise Invalid(detail, errors=[FieldError("subject", "out_of_range", detail)])
        return Response(SimilarSubjectsSerializer(find_similar_subjects(self.workspace, subject)).data)

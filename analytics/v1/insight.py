"""`/v1/campaigns/{id}/insight` and `follow-up`: what a finished campaign's figures say, and a second mail after it."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.services.follow_up import draft_follow_up
from analytics.services.insight import get_insight, request_insight
from analytics.v1 import serializers
from analytics.v1.campaigns import CampaignFiguresView
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["figures"]


class InsightView(CampaignFiguresView):
    """Two lines about a campaign that has been sent."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view", "post": "draft.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Sum a campaign up",
        operation_id="campaigns_insight",
        responses=serializers.InsightSerializer,
    )
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return two lines made of the figures: a model's when it has been asked, else those of the rules."""
        return Response(get_insight(self.find(id)).as_json())

    @extend_schema(
        tags=TAGS, summary="Have a model sum a campaign up", operation_id="campaigns_insight_create", request=None,
        responses={200: serializers.InsightSerializer, 202: serializers.InsightSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Ask a model for the two lines; 200 when these figures were summed up before, which costs nothing."""
        insight = request_insight(campaign=self.find(id), actor=self.actor)
        if not insight.is_pending:
            return Response(insight.as_json())
        headers = {"Location": f"/v1/campaigns/{id}/insight", "Retry-After": "2"}
        return Response(insight.as_json(), status=status.HTTP_202_ACCEPTED, headers=headers)


class FollowUpView(CampaignFiguresView):
    """A draft for some of those who got a campaign."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS, summary="Draft a follow-up", operation_id="campaigns_follow_up",
        request=serializers.FollowUpRequestSerializer, responses={202: serializers.FollowUpSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Make a draft campaign with its segment and ask for its text; nothing is sent."""
        given = serializers.FollowUpRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = draft_follow_up(campaign=self.find(id), actor=self.actor, readers=given.validated_data["readers"])
        body = {
            "campaign": str(made.campaign.pk),
            "segment": str(made.segment.pk),
            "rules": made.segment.rules,
            "generation": str(made.generation.pk),
        }
        headers = {"Location": f"/v1/campaigns/{made.campaign.pk}"}
        return Response(body, status=status.HTTP_202_ACCEPTED, headers=headers)

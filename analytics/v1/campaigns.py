"""`/v1/campaigns/{id}/...`: the figures of one campaign."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView
from analytics.selectors import RANGES, get_campaign_stats, get_domains, get_links, get_timeline
from analytics.v1 import serializers
from campaigns.models import Campaign
from campaigns.selectors.campaigns import get_campaign_alone
from pulsequill.core.errors import FieldError, Invalid

TAGS = ["figures"]


class CampaignFiguresView(WorkspaceView):
    """Base: finds the campaign."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    def find(self, campaign_id: UUID) -> Campaign:
        """Return the campaign.

        Raises:
            NotFound: it is not this workspace's.
        """
        return get_campaign_alone(self.workspace, campaign_id)


class StatsView(CampaignFiguresView):
    """Counts and rates."""

    @extend_schema(
        tags=TAGS, summary="Read a campaign's figures", operation_id="campaigns_stats",
        responses=serializers.StatsSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the figures of the campaign and of each variant."""
        return Response(get_campaign_stats(self.find(id)))


class LinksView(CampaignFiguresView):
    """Clicks by link."""

    @extend_schema(
        tags=TAGS, summary="Read a campaign's links", operation_id="campaigns_links",
        responses=serializers.LinksSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return every tracked link, most clicked first."""
        return Response({"results": get_links(self.find(id))})


class TimelineView(CampaignFiguresView):
    """Events by time."""

    @extend_schema(
        tags=TAGS, summary="Read what happened when", operation_id="campaigns_timeline",
        parameters=[OpenApiParameter("range", str, enum=list(RANGES), default="30m")],
        responses=serializers.TimelineSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Return the points of a range, without holes."""
        window = request.query_params.get("range", "30m")
        if window not in RANGES:
            detail = f"Expected one of {', '.join(RANGES)}."
            raise Invalid(detail, errors=[FieldError("range", "invalid_choice", detail)])
        return Response(get_timeline(self.find(id), window=window, now=timezone.now()))


class DomainsView(CampaignFiguresView):
    """Figures by recipient domain."""

    @extend_schema(
        tags=TAGS, summary="Read a campaign's recipient domains", operation_id="campaigns_domains",
        responses=serializers.DomainsSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return the largest domains."""
        return Response({"results": get_domains(self.find(id))})

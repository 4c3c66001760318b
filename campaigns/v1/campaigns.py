"""`/v1/campaigns`: writing, examining and previewing. Sending is in `campaigns.v1.sending`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from audiences import selectors as audiences
from campaigns import preflight
from campaigns.content.preview import render_preview
from campaigns.models import Campaign
from campaigns.selectors import campaigns as selectors
from campaigns.selectors import finish
from campaigns.services import composing, link_checking
from campaigns.v1.serializers import (
    AudienceSerializer,
    CampaignSerializer,
    CampaignSummarySerializer,
    DuplicateSerializer,
    PreflightSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
)
from pulsequill.core.rest.etags import Stale
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["campaigns"]
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The `ETag` you read; answers 412 when somebody edited since."
)
_EXAMPLE = OpenApiExample(
    "Blocks",
    value={
        "name": "Harvest launch",
        "lists": ["0197a1d2-7c55-7c3e-9d1f-1f2e3d4c5b6a"],
        "variants": [
            {
                "label": "A",
                "subject": "The harvest lot is here, {{first_name}}",
                "preview_text": "Picked in June, roasted this week.",
                "format": "blocks",
                "body": [
                    {"type": "heading", "text": "It was worth the wait", "level": 1},
                    {"type": "text", "html": "<p>Hi {{first_name}}, the beans are here.</p>"},
                    {"type": "button", "label": "Reserve a bag", "url": "https://northwind.example/harvest"},
                ],
            }
        ],
    },
    request_only=True,
)
_TEST_EXAMPLE = OpenApiExample(
    "A test whose winner goes to the rest",
    value={
        "name": "Harvest launch",
        "lists": ["0197a1d2-7c55-7c3e-9d1f-1f2e3d4c5b6a"],
        "variants": [
            {"label": "A", "subject": "The harvest lot is here", "share": 50},
            {"label": "B", "subject": "Plum, cocoa, gone by Friday", "share": 50},
        ],
        "experiment": {
            "mode": "winner",
            "metric": "clicks",
            "test_share": 20,
            "minimum_lift": 0.2,
            "decide_after_hours": 4,
            "chooser": "rule",
            "fallback": "leader",
        },
        "holdout_share": 5,
    },
    request_only=True,
)


def etag_of(campaign: Campaign) -> str:
    """Return the strong ETag: the revision."""
    return f'"{campaign.revision}"'


def expected_revision(request: Request, campaign: Campaign) -> int | None:
    """Return the revision that the caller's edit is based on; None when `If-Match` was not sent.

    Raises:
        Stale: the stored revision is none of those named.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    wanted = parse_etags(header)
    if "*" in wanted:
        return None
    if etag_of(campaign) not in wanted:
        raise Stale("Somebody changed this since you read it. Read it again and apply your change to that.")
    return campaign.revision


class CampaignViewSet(WorkspaceViewSet):
    """Campaigns: list and make, read, change, delete."""

    queryset = Campaign.objects
    serializer_class = CampaignSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {
        "list": "campaign.view",
        "retrieve": "campaign.view",
        "create": "campaign.edit",
        "update": "campaign.edit",
        "partial_update": "campaign.edit",
        "destroy": "campaign.edit",
    }
    search_fields = ("name",)
    filter_fields: ClassVar[dict[str, list[str]]] = {
        "status": ["exact", "in"],
        "sender": ["exact"],
        "created_at": ["gte", "gt", "lte", "lt"],
        "send_at": ["gte", "gt", "lte", "lt"],
    }
    sort_fields = frozenset({"created_at", "updated_at", "name", "send_at"})

    def get_queryset(self) -> Any:
        """Return what the action shows, without a query per row."""
        if getattr(self, "swagger_fake_view", False):
            return Campaign.objects.none()
        if self.action == "list":
            return selectors.list_campaigns(self.workspace)
        return selectors.detailed_campaigns(self.workspace)

    def _answer(self, campaign: Campaign, code: int = status.HTTP_200_OK, **headers: str) -> Response:
        fresh = selectors.get_campaign(self.workspace, campaign.pk)
        return Response(
            CampaignSerializer(fresh, context=self.get_serializer_context()).data,
            status=code,
            headers={"ETag": etag_of(fresh), **headers},
        )

    @extend_schema(
        tags=TAGS,
        summary="List campaigns",
        operation_id="campaigns_list",
        responses=CampaignSummarySerializer(many=True),
    )
    def list(self, request: Request) -> Response:  # noqa: ARG002
        """Return campaigns without their bodies, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(CampaignSummarySerializer(page, many=True).data)

    @extend_schema(
        tags=TAGS, summary="Make a campaign", operation_id="campaigns_create", examples=[_EXAMPLE, _TEST_EXAMPLE]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Make a draft."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        campaign = composing.create_campaign(
            workspace=self.workspace, actor=self.actor, name=fields.pop("name"), changes=fields
        )
        return self._answer(campaign, status.HTTP_201_CREATED, Location=f"/v1/campaigns/{campaign.pk}")

    @extend_schema(tags=TAGS, summary="Read a campaign", operation_id="campaigns_retrieve")
    def retrieve(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return one campaign with its bodies; `ETag` is its revision."""
        return self._answer(self.get_object())

    def _change(self, request: Request, *, is_partial: bool) -> Response:
        campaign = self.get_object()
        given = self.get_serializer(campaign, data=request.data, partial=is_partial)
        given.is_valid(raise_exception=True)
        composing.update_campaign(
            campaign=campaign,
            actor=self.actor,
            changes=given.validated_data,
            expected_revision=expected_revision(request, campaign),
            replaces_variants=not is_partial,
        )
        return self._answer(campaign)

    @extend_schema(
        tags=TAGS, summary="Replace a campaign's content", operation_id="campaigns_update", parameters=[IF_MATCH]
    )
    def update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change a draft; variants that are not named are removed."""
        return self._change(request, is_partial=False)

    @extend_schema(
        tags=TAGS, summary="Change a campaign", operation_id="campaigns_partial_update", parameters=[IF_MATCH]
    )
    def partial_update(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Change parts of a draft; variants are found by their label and keep what is not named."""
        return self._change(request, is_partial=True)

    @extend_schema(tags=TAGS, summary="Delete a campaign", operation_id="campaigns_destroy", parameters=[IF_MATCH])
    def destroy(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Delete a campaign that sent nothing."""
        campaign = self.get_object()
        expected_revision(request, campaign)
        composing.delete_campaign(campaign=campaign, actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CampaignView(WorkspaceView):
    """Base of what can be asked of one campaign."""

    def campaign(self, campaign_id: Any) -> Campaign:
        """Return the campaign of the address.

        Raises:
            NotFound: absent, or another workspace's.
        """
        return selectors.get_campaign(self.workspace, campaign_id)


class CampaignAudienceView(CampaignView):
    """Who gets it, and why not."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    @extend_schema(
        tags=TAGS,
        summary="Count a campaign's audience",
        operation_id="campaigns_audience",
        responses=AudienceSerializer,
    )
    def get(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Count the audience at this moment."""
        campaign = self.campaign(id)
        chosen = selectors.audience_of(campaign)
        if chosen["lists"] or chosen["segments"]:
            count = audiences.count_audience(**chosen)
        else:
            count = audiences.AudienceCount(included=0, skipped={})
        estimate = finish.estimate(campaign, included=count.included, now=timezone.now())
        return Response(
            AudienceSerializer(
                {
                    "included": count.included,
                    "skipped": count.skipped,
                    "finish_estimate": estimate and estimate.finish_at,
                    "limited_by": estimate and estimate.limited_by,
                    "starts_at": estimate and estimate.starts_at,
                    "waits_for_test": finish.waits_for_test(campaign),
                }
            ).data
        )


class CampaignPreflightView(CampaignView):
    """Everything that speaks against sending."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.view"}

    @extend_schema(
        tags=TAGS,
        summary="Examine a campaign",
        operation_id="campaigns_preflight",
        request=None,
        responses={200: PreflightSerializer},
    )
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Run every check over the whole audience. `ok` is false when anything blocks."""
        campaign = self.campaign(id)
        links = link_checking.start_link_check(campaign)
        report = preflight.examine(campaign)
        return Response(
            {
                "ok": report.is_ok,
                "findings": [finding.as_json() for finding in report.findings],
                "links": {"total": links.total, "answered": links.answered},
            }
        )


class CampaignPreviewView(CampaignView):
    """What one contact would see."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.view"}

    @extend_schema(
        tags=TAGS,
        summary="Preview a campaign",
        operation_id="campaigns_preview",
        request=PreviewRequestSerializer,
        responses={200: PreviewSerializer},
    )
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Render a variant by the step that delivery uses."""
        campaign = self.campaign(id)
        given = PreviewRequestSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        variant = selectors.get_variant(campaign, given.validated_data["variant"])
        preview = render_preview(variant=variant, contact=given.validated_data["contact"])
        return Response(PreviewSerializer(preview).data)


class CampaignDuplicateView(CampaignView):
    """A copy to go on with."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Copy a campaign",
        operation_id="campaigns_duplicate",
        request=DuplicateSerializer,
        responses={201: CampaignSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Make a new draft with the same content, sender and audience."""
        campaign = self.campaign(id)
        given = DuplicateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        copy = composing.duplicate_campaign(campaign=campaign, actor=self.actor, name=given.validated_data["name"])
        fresh = selectors.get_campaign(self.workspace, copy.pk)
        return Response(
            CampaignSerializer(fresh, context=self.get_serializer_context()).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/v1/campaigns/{copy.pk}", "ETag": etag_of(fresh)},
        )

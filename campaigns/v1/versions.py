"""`/v1/campaigns/{id}/versions`: what a variant said before, and going back to it."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceViewSet
from campaigns.models import Variant, VariantVersion
from campaigns.selectors import campaigns as selectors
from campaigns.services import versions
from campaigns.v1.campaigns import IF_MATCH, TAGS, CampaignView, etag_of, expected_revision
from campaigns.v1.serializers import CampaignSerializer
from pulsequill.core.rest.idempotency import idempotent

VARIANT = OpenApiParameter("variant", str, description="Label of the variant; the first one when it is not named.")


class VariantVersionSerializer(serializers.ModelSerializer[VariantVersion]):
    """A kept state of a variant."""

    created_by = serializers.StringRelatedField[Any](read_only=True, help_text="Who wrote it; null for the system.")

    class Meta:
        model = VariantVersion
        fields = ("number", "note", "subject", "preview_text", "format", "created_by", "created_at", "updated_at")
        read_only_fields = fields


def _variant(request: Request, campaign: Any) -> Variant:
    return selectors.get_variant(campaign, request.query_params.get("variant", "")[:40])


class VariantVersionViewSet(WorkspaceViewSet):
    """What a variant said before."""

    queryset = VariantVersion.objects
    serializer_class = VariantVersionSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    sort_fields = frozenset({"number"})
    default_sort = "-number"

    def get_queryset(self) -> Any:
        """Return the kept versions of one variant, without their bodies."""
        if getattr(self, "swagger_fake_view", False):
            return VariantVersion.objects.none()
        campaign = selectors.get_campaign(self.workspace, self.kwargs["id"])
        return versions.list_versions(_variant(self.request, campaign))

    @extend_schema(
        tags=TAGS, summary="List a variant's versions", operation_id="campaigns_versions_list", parameters=[VARIANT]
    )
    def list(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Return up to a hundred kept versions, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class VariantVersionRestoreView(CampaignView):
    """Going back to a version."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Go back to a version of a variant",
        operation_id="campaigns_versions_restore",
        request=None,
        responses={200: CampaignSerializer},
        parameters=[VARIANT, IF_MATCH],
    )
    @idempotent
    def post(self, request: Request, id: Any, number: int) -> Response:  # noqa: A002
        """Let the variant say again what the version says; what it said until now is kept as a version."""
        campaign = self.campaign(id)
        version = selectors.get_variant_version(_variant(request, campaign), number)
        versions.restore_variant_version(
            version=version, actor=self.actor, expected_revision=expected_revision(request, campaign)
        )
        fresh = selectors.get_campaign(self.workspace, campaign.pk)
        return Response(
            CampaignSerializer(fresh, context=self.get_serializer_context()).data, headers={"ETag": etag_of(fresh)}
        )

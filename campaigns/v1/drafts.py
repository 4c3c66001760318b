"""`/v1/campaigns/{id}/adopt`: from the AI writer's draft to the campaign's content."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aiwriter.models import Draft
from campaigns.selectors import campaigns as selectors
from campaigns.services import adopting
from campaigns.v1.campaigns import IF_MATCH, TAGS, CampaignView, etag_of, expected_revision
from campaigns.v1.serializers import AdoptSerializer, CampaignSerializer
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.idempotency import idempotent


class CampaignAdoptView(CampaignView):
    """Take a draft of the AI writer over."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.edit"}

    @extend_schema(
        tags=TAGS,
        summary="Adopt a draft",
        operation_id="campaigns_adopt",
        request=AdoptSerializer,
        responses={200: CampaignSerializer},
        parameters=[IF_MATCH],
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Put a draft's subject, preview text and blocks into a variant, and mark the draft accepted."""
        campaign = self.campaign(id)
        given = AdoptSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        draft = Draft.objects.for_workspace(self.workspace).filter(pk=given.validated_data["draft"]).first()
        if draft is None:
            raise NotFound
        adopting.adopt_draft(
            campaign=campaign,
            draft=draft,
            actor=self.actor,
            label=given.validated_data["variant"],
            override=given.validated_data["override"],
            expected_revision=expected_revision(request, campaign),
        )
        fresh = selectors.get_campaign(self.workspace, campaign.pk)
        return Response(
            CampaignSerializer(fresh, context=self.get_serializer_context()).data, headers={"ETag": etag_of(fresh)}
        )

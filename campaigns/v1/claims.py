"""`/v1/campaigns/{id}/claims`: the receipts of what a campaign says."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aiwriter.services.claims import accept_claim
from aiwriter.v1.serializers import ReceiptSerializer
from campaigns.preflight import claims
from campaigns.preflight.examined import Examined
from campaigns.v1.campaigns import TAGS, CampaignView


@extend_schema_serializer(component_name="CampaignReceipt")
class CampaignReceiptSerializer(ReceiptSerializer):
    """One statement of one variant."""

    variant = serializers.CharField()
    must_be_accepted = serializers.BooleanField(help_text="Nothing supports it, and nobody answers for it: it blocks.")


@extend_schema_serializer(component_name="CampaignReceipts")
class CampaignReceiptsSerializer(serializers.Serializer[Any]):
    """Everything that a campaign states."""

    ok = serializers.BooleanField()
    receipts = CampaignReceiptSerializer(many=True)


class ClaimSerializer(serializers.Serializer[Any]):
    """The claim that somebody answers for."""

    claim = serializers.CharField(max_length=300, help_text="The `text` of a receipt.")


class CampaignClaimsView(CampaignView):
    """What it states, what that rests on, and answering for the rest."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view", "post": "campaign.approve"}

    @extend_schema(
        tags=TAGS, summary="Read a campaign's receipts", operation_id="campaigns_claims",
        responses=CampaignReceiptsSerializer,
    )  # fmt: skip
    def get(self, _request: Request, id: Any) -> Response:  # noqa: A002
        """Return every number, price, date, code, link and claim with the fact behind it; empty without a brief."""
        return self._answer(id)

    @extend_schema(
        tags=TAGS, summary="Answer for a claim", operation_id="campaigns_claims_accept", request=ClaimSerializer,
        responses=CampaignReceiptsSerializer,
    )  # fmt: skip
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Let the campaign say what nothing supports. A person has to do it; an API key gets 403."""
        campaign = self.campaign(id)
        given = ClaimSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        accept_claim(
            workspace=self.workspace, campaign_id=campaign.pk, claim=given.validated_data["claim"], actor=self.actor
        )
        return self._answer(id)

    def _answer(self, campaign_id: Any) -> Response:
        stated = claims.statements(Examined.of(self.campaign(campaign_id)))
        rows = [{**each.receipt, "variant": each.label, "must_be_accepted": each.must_be_accepted} for each in stated]
        is_ok = not any(each.must_be_accepted for each in stated)
        return Response(CampaignReceiptsSerializer({"ok": is_ok, "receipts": rows}).data)

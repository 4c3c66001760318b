"""`/v1/campaigns/{id}/brake` and `release`: what pauses a campaign by itself, and who waits behind the first ones."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.brake import get_state
from analytics.v1.campaigns import CampaignFiguresView
from campaigns.services.waves import release_canary
from pulsequill.core.errors import WrongState
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["campaigns"]


class BrakeRateSerializer(serializers.Serializer[Any]):
    """One rate of the brake."""

    name = serializers.ChoiceField(choices=["bounce_rate", "complaint_rate", "unsubscribe_rate"])
    label = serializers.CharField()  # type: ignore[assignment] # a field of ours called label
    happened = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Among how many: those that left since the launch, or since somebody "
                                        "went on in spite of the brake.")  # fmt: skip
    rate = serializers.FloatField()
    limit = serializers.FloatField(allow_null=True, help_text="Null: switched off.")
    is_reached = serializers.BooleanField()
    advice = serializers.CharField()


class BrakeSerializer(serializers.Serializer[Any]):
    """How the emergency brake stands."""

    state = serializers.ChoiceField(
        choices=["braked", "watching", "on", "off"],
        help_text="`watching`: people wait behind the first readers. `off`: nothing of it is being sent.",
    )
    reason = serializers.CharField(allow_blank=True)
    waiting = serializers.IntegerField()
    releases_at = serializers.DateTimeField(allow_null=True, help_text="Null: not before the first mails have left.")
    dead_links = serializers.BooleanField(
        help_text="Whether links that lead nowhere pause it; asked every five minutes."
    )
    links_asked_at = serializers.DateTimeField(allow_null=True, help_text="Null: not within a day.")
    dead_urls = serializers.ListField(
        child=serializers.CharField(),
        help_text="Addresses that led nowhere when it was paused; once somebody resumes it they pause it no more.",
    )
    rates = BrakeRateSerializer(many=True)


class BrakeView(CampaignFiguresView):
    """The emergency brake."""

    @extend_schema(
        tags=TAGS, summary="Read how the brake stands", operation_id="campaigns_brake", responses=BrakeSerializer
    )
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return its state, the rates that it watches, and their limits."""
        return Response(BrakeSerializer(get_state(self.find(id))).data)


class ReleaseView(CampaignFiguresView):
    """The end of the wait."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.send"}

    @extend_schema(
        tags=TAGS, summary="Release who waits behind the first readers", operation_id="campaigns_release",
        request=None, responses={202: BrakeSerializer},
    )  # fmt: skip
    @idempotent
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Mail them now. 409 when nobody waits behind first readers (any more)."""
        campaign = self.find(id)
        state = get_state(campaign)
        if not state["waiting"] or not release_canary(campaign=campaign, actor=self.actor):
            raise WrongState("Nobody waits behind the first readers of this campaign.")
        return Response(BrakeSerializer(get_state(campaign)).data, status=status.HTTP_202_ACCEPTED)

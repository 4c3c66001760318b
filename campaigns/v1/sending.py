"""`/v1/campaigns/{id}/...`: test, send, schedule, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceRelatedField
from audiences.models import Contact
from campaigns.models import Campaign
from campaigns.selectors import campaigns as selectors
from campaigns.services import sending
from campaigns.v1.campaigns import CampaignView, etag_of
from campaigns.v1.messages import MessageSerializer
from campaigns.v1.serializers import CampaignSerializer
from pulsequill.core.rest.idempotency import idempotent

TAGS = ["campaigns"]


class AddressList(serializers.ListField):
    """One address, or a list of them."""

    child = serializers.CharField(max_length=254)

    def to_internal_value(self, data: Any) -> list[str]:
        """Take a single address as a list of one."""
        return super().to_internal_value([data] if isinstance(data, str) else data)


class TestSendSerializer(serializers.Serializer[Any]):
    """What a test shows, and to whom it goes."""

    to = AddressList(min_length=1, max_length=sending.MOST_TEST_ADDRESSES, help_text="Addresses of your own team.")
    variant = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    contact = WorkspaceRelatedField(queryset=Contact.objects, allow_null=True, required=False, default=None)


class ScheduleSerializer(serializers.Serializer[Any]):
    """When it leaves; null makes a scheduled campaign a draft again."""

    send_at = serializers.DateTimeField(allow_null=True)


class _Action(CampaignView):
    """Base of the verbs that need no input and answer 202 with the campaign."""

    permissions_by_action: ClassVar[dict[str, str]] = {"post": "campaign.send"}

    def accepted(self, campaign: Campaign) -> Response:
        """Answer 202 with the campaign as it is now."""
        fresh = selectors.get_campaign(self.workspace, campaign.pk)
        return Response(
            CampaignSerializer(fresh, context=self.get_serializer_context()).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"ETag": etag_of(fresh)},
        )

    def act(self, verb: Callable[..., Campaign], campaign_id: Any) -> Response:
        """Do one verb to the campaign of the address."""
        return self.accepted(verb(campaign=self.campaign(campaign_id), actor=self.actor))


class CampaignTestSendView(_Action):
    """A look at it in a real mailbox."""

    @extend_schema(
        tags=TAGS,
        summary="Send a test",
        operation_id="campaigns_test_send",
        request=TestSendSerializer,
        responses={202: MessageSerializer(many=True)},
        examples=[OpenApiExample("One address", value={"to": ["maya@northwind.example"]}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Send a variant as it stands now; tests are never counted."""
        campaign = self.campaign(id)
        given = TestSendSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        messages = sending.send_test(
            campaign=campaign,
            variant=selectors.get_variant(campaign, fields["variant"]),
            to=fields["to"],
            contact=fields["contact"],
            actor=self.actor,
        )
        return Response({"results": MessageSerializer(messages, many=True).data}, status=status.HTTP_202_ACCEPTED)


class CampaignSendView(_Action):
    """The launch."""

    @extend_schema(
        tags=TAGS,
        summary="Send a campaign now",
        operation_id="campaigns_send",
        request=None,
        responses={202: CampaignSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Launch it. 422 with `findings` when preflight blocks; 409 when it was launched already."""
        return self.act(sending.launch_campaign, id)


class CampaignScheduleView(_Action):
    """The calendar."""

    @extend_schema(
        tags=TAGS,
        summary="Schedule a campaign",
        operation_id="campaigns_schedule",
        request=ScheduleSerializer,
        responses={202: CampaignSerializer},
        examples=[OpenApiExample("Tomorrow", value={"send_at": "2027-03-01T08:00:00Z"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Set or move the time; `{"send_at": null}` makes it a draft again."""
        campaign = self.campaign(id)
        given = ScheduleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        send_at = given.validated_data["send_at"]
        if send_at is None:
            return self.accepted(sending.unschedule_campaign(campaign=campaign, actor=self.actor))
        return self.accepted(sending.schedule_campaign(campaign=campaign, send_at=send_at, actor=self.actor))


class CampaignPauseView(_Action):
    """Hold on."""

    @extend_schema(
        tags=TAGS,
        summary="Pause a campaign",
        operation_id="campaigns_pause",
        request=None,
        responses={202: CampaignSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Stop claiming; messages under way are finished."""
        return self.act(sending.pause_campaign, id)


class CampaignResumeView(_Action):
    """Go on."""

    @extend_schema(
        tags=TAGS,
        summary="Resume a campaign",
        operation_id="campaigns_resume",
        request=None,
        responses={202: CampaignSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """Go on where it stopped."""
        return self.act(sending.resume_campaign, id)


class CampaignCancelView(_Action):
    """Not any more."""

    @extend_schema(
        tags=TAGS,
        summary="Cancel a campaign",
        operation_id="campaigns_cancel",
        request=None,
        responses={202: CampaignSerializer},
    )
    @idempotent
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002, ARG002
        """End it for good; whoever has not been mailed is skipped with that reason."""
        return self.act(sending.cancel_campaign, id)

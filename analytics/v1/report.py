"""`/v1/campaigns/{id}/report`, `recipients`, `bounces` and `why`: the report of one campaign."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.v1.base import WorkspaceView, WorkspaceViewSet
from analytics.reports import campaign_bounces, campaign_overview, campaign_people
from analytics.reports.campaign_why import get_why
from analytics.selectors.figures import get_campaign_stats
from analytics.selectors.live_parts import get_mailboxes
from analytics.v1.campaigns import TAGS
from analytics.v1.serializers import HoldoutSerializer, StatsSerializer
from campaigns.models import Message
from campaigns.selectors.campaigns import get_campaign, get_campaign_alone
from pulsequill.core.errors import FieldError, Invalid

_DID = {name: did.words for name, did in campaign_people.DID.items()}
_FILTERS = [
    OpenApiParameter("did", str, enum=list(_DID), description="What they did, or what happened to their mail."),
    OpenApiParameter("link", str, description="Clicked this link: its number in the report's links."),
    OpenApiParameter("variant", str, description="The label of a variant."),
    OpenApiParameter("mailbox", str, enum=list(campaign_people.MAILBOXES), description="Who runs the mailbox."),
    OpenApiParameter("status", str, enum=list(Message.Status.values)),
    OpenApiParameter("q", str, description="A whole address, the start of one, or a provider's message id."),
]


@extend_schema_serializer(component_name="ComparedRate")
class ComparedRateSerializer(serializers.Serializer[Any]):
    """A rate beside the pooled average of the campaigns before it."""

    rate = serializers.CharField()
    value = serializers.FloatField()
    average = serializers.FloatField(allow_null=True, help_text="Null: not enough data.")
    verdict = serializers.CharField(help_text="above, below, same, or not_enough_data.")
    campaigns = serializers.IntegerField(help_text="How many campaigns the average rests on.")


@extend_schema_serializer(component_name="DeliveryFacts")
class DeliveryFactsSerializer(serializers.Serializer[Any]):
    """When it left and how fast."""

    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.IntegerField()
    per_minute = serializers.IntegerField(allow_null=True)
    peak_per_minute = serializers.IntegerField(allow_null=True)
    provider = serializers.CharField(allow_blank=True)


@extend_schema_serializer(component_name="ReachedGoal")
class ReachedGoalSerializer(serializers.Serializer[Any]):
    """What readers did afterwards, in one currency."""

    key = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    messages = serializers.IntegerField(help_text="Messages whose reader reached it.")
    times = serializers.IntegerField()
    value = serializers.IntegerField(help_text="Minor units.")


@extend_schema_serializer(component_name="CampaignReport")
class CampaignReportSerializer(serializers.Serializer[Any]):
    """The overview of a report."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField()
    figures = StatsSerializer()
    compared = ComparedRateSerializer(many=True)
    delivery = DeliveryFactsSerializer()
    goals = ReachedGoalSerializer(many=True)
    holdout = HoldoutSerializer(allow_null=True, help_text="Null when nobody was held out.")
    utm = serializers.DictField(child=serializers.CharField(allow_blank=True))


@extend_schema_serializer(component_name="Recipient")
class RecipientSerializer(serializers.Serializer[Any]):
    """One recipient and what they did; times are the first of their kind."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    variant = serializers.CharField(allow_blank=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    opened_at = serializers.DateTimeField(allow_null=True, help_text="By a person.")
    machine_opened_at = serializers.DateTimeField(allow_null=True)
    clicked_at = serializers.DateTimeField(allow_null=True, help_text="By a person.")
    machine_clicked_at = serializers.DateTimeField(allow_null=True)
    bounced_at = serializers.DateTimeField(allow_null=True)
    complained_at = serializers.DateTimeField(allow_null=True)
    unsubscribed_at = serializers.DateTimeField(allow_null=True)
    bounce_type = serializers.CharField(allow_blank=True)
    goals = serializers.ListField(child=serializers.CharField(), help_text="Keys of the goals that were reached.")


@extend_schema_serializer(component_name="BounceGroup")
class BounceGroupSerializer(serializers.Serializer[Any]):
    """Mails that came back for one reason."""

    reason = serializers.CharField()
    concerns = serializers.CharField(help_text="address, sender, content or time.")
    title = serializers.CharField()
    meaning = serializers.CharField()
    advice = serializers.CharField()
    count = serializers.IntegerField()
    hard = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all that came back, a share of 1.")
    codes = serializers.DictField(child=serializers.IntegerField())
    providers = serializers.DictField(child=serializers.IntegerField())
    examples = serializers.ListField(child=serializers.CharField(), help_text="What servers said.")


@extend_schema_serializer(component_name="BouncedProvider")
class BouncedProviderSerializer(serializers.Serializer[Any]):
    """What bounced at one mailbox provider."""

    provider = serializers.CharField()
    bounced = serializers.IntegerField()
    sent = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(help_text="The most frequent one.")


@extend_schema_serializer(component_name="CampaignBounces")
class CampaignBouncesSerializer(serializers.Serializer[Any]):
    """Why mails came back or were refused."""

    returned = BounceGroupSerializer(many=True)
    refused = BounceGroupSerializer(many=True)
    by_provider = BouncedProviderSerializer(many=True)


@extend_schema_serializer(component_name="StoryStep")
class StoryStepSerializer(serializers.Serializer[Any]):
    """One line of a story."""

    at = serializers.DateTimeField(allow_null=True)
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


@extend_schema_serializer(component_name="Story")
class StorySerializer(serializers.Serializer[Any]):
    """Why one address did or did not get one campaign."""

    email = serializers.CharField()
    verdict = serializers.CharField(
        help_text="delivered, sent, bounced, skipped, failed, in_doubt, waiting, not_planned or not_launched."
    )
    summary = serializers.CharField()
    message = serializers.UUIDField(allow_null=True)
    contact = serializers.UUIDField(allow_null=True)
    audience = StoryStepSerializer(many=True, help_text="How the address stands to the campaign's lists and segments.")
    steps = StoryStepSerializer(many=True, help_text="What happened, the oldest first.")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="What cannot be known, and why.")


class ReportView(WorkspaceView):
    """The overview."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    @extend_schema(
        tags=TAGS, summary="Read a campaign's report", operation_id="campaigns_report",
        responses=CampaignReportSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return figures, rates beside the workspace's average, delivery, goals and campaign parameters."""
        campaign = get_campaign_alone(self.workspace, id)
        report = campaign_overview.get_report(campaign, get_campaign_stats(campaign))
        return Response(CampaignReportSerializer(report).data)


class RecipientsView(WorkspaceViewSet):
    """The recipients."""

    queryset = Message.objects
    serializer_class = RecipientSerializer
    permissions_by_action: ClassVar[dict[str, str]] = {"list": "campaign.view"}
    filter_backends = ()  # type: ignore[assignment]  # the page's own filter, which also refuses
    sort_fields = frozenset({"id"})
    default_sort = "id"

    @extend_schema(
        tags=TAGS, summary="List a campaign's recipients", operation_id="campaigns_recipients", parameters=_FILTERS,
        responses=RecipientSerializer(many=True),
    )  # fmt: skip
    def list(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Return recipients with what they did, filtered as the report's page is."""
        campaign = get_campaign_alone(self.workspace, id)
        wanted = campaign_people.RecipientFilter.read(request.query_params, is_strict=True)
        page = self.paginate_queryset(wanted.rows(campaign))
        rows = list(campaign_people.describe_rows(list(page or ())))
        return self.get_paginated_response(RecipientSerializer(rows, many=True).data)


class BouncesView(WorkspaceView):
    """The bounces."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    @extend_schema(
        tags=TAGS, summary="Read why mails came back", operation_id="campaigns_bounces",
        responses=CampaignBouncesSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return reasons in plain language with what to do, and mailbox providers."""
        campaign = get_campaign_alone(self.workspace, id)
        found = campaign_bounces.get_bounces(
            campaign, bounced=get_campaign_stats(campaign)["bounced"], sent_by_provider=get_mailboxes(campaign) or []
        )
        groups = {name: [one.as_dict() for one in getattr(found, name)] for name in ("returned", "refused")}
        return Response(CampaignBouncesSerializer({**groups, "by_provider": found.by_provider}).data)


class WhyView(WorkspaceView):
    """The story of one address."""

    permissions_by_action: ClassVar[dict[str, str]] = {"get": "campaign.view"}

    @extend_schema(
        tags=TAGS, summary="Tell why somebody did or did not get a campaign", operation_id="campaigns_why",
        parameters=[OpenApiParameter("email", str, required=True)], responses=StorySerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Return everything that is known about one address and one campaign, and what cannot be known."""
        email = request.query_params.get("email", "").strip()
        campaign = get_campaign(self.workspace, id)
        if not email or len(email) > 254 or "\0" in email:
            detail = "An address of at most 254 characters."
            raise Invalid(detail, errors=[FieldError("email", "required", detail)])
        return Response(StorySerializer(get_why(campaign, email).as_dict()).data)

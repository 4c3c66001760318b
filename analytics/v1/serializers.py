"""Shapes of `/v1` for what happened."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from aiwriter.services.generations import ANSWERED_BY
from analytics.models import Event
from analytics.selectors import RATES
from analytics.selectors.breakdowns import DOMAIN_COUNTERS
from analytics.selectors.figures import EVENT_COUNTERS, STATUSES
from analytics.selectors.holdout import VERDICTS
from analytics.selectors.timeline import SERIES

_COUNTS = ("recipients", *STATUSES, "delivered", *EVENT_COUNTERS)


def _numbers(*names: str) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {name: serializers.IntegerField() for name in names}


def _rates(*names: str) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {name: serializers.FloatField(help_text="A share of 1.") for name in names}


FiguresSerializer = type(
    "FiguresSerializer",
    (serializers.Serializer,),
    {"__doc__": "Counts and rates; opens and clicks are human.", **_numbers(*_COUNTS), **_rates(*RATES)},
)


class VariantFiguresSerializer(FiguresSerializer):  # type: ignore[misc, valid-type]
    """The figures of one variant."""

    id = serializers.UUIDField()
    label = serializers.CharField()
    subject = serializers.CharField()
    is_winner = serializers.BooleanField()


class StatsSerializer(FiguresSerializer):  # type: ignore[misc, valid-type]
    """The figures of a campaign and of its variants."""

    variants = VariantFiguresSerializer(many=True)


class LinkSerializer(serializers.Serializer[Any]):
    """How often a link was followed."""

    id = serializers.UUIDField(help_text="`PATCH /v1/links/{id}` points it elsewhere.")
    url = serializers.CharField()
    original_url = serializers.CharField(help_text="Where it led when the mail was written; empty: the same.")
    label = serializers.CharField()  # type: ignore[assignment]
    position = serializers.IntegerField()
    clicks = serializers.IntegerField(help_text="By people, repeats included.")
    unique_clicks = serializers.IntegerField(help_text="Messages with at least one click by a person.")
    machine_clicks = serializers.IntegerField()
    share = serializers.FloatField(help_text="Part of all unique clicks.")


class LinksSerializer(serializers.Serializer[Any]):
    """All links of a campaign."""

    results = LinkSerializer(many=True)


PointSerializer = type(
    "PointSerializer",
    (serializers.Serializer,),
    {"__doc__": "What happened in one step.", "minute": serializers.DateTimeField(), **_numbers(*SERIES)},
)


class TimelineSerializer(serializers.Serializer[Any]):
    """What happened when."""

    range = serializers.CharField()
    step_minutes = serializers.IntegerField()
    points = PointSerializer(many=True)


DomainSerializer = type(
    "DomainSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "The figures of one recipient domain.",
        "domain": serializers.CharField(allow_blank=True, help_text="Empty: all further ones."),
        "provider": serializers.CharField(),
        **_numbers(*DOMAIN_COUNTERS),
        **_rates("open_rate", "click_rate"),
    },
)


class DomainsSerializer(serializers.Serializer[Any]):
    """Recipient domains, largest first."""

    results = DomainSerializer(many=True)


class EventSerializer(serializers.ModelSerializer[Event]):
    """One thing that happened to one message."""

    id = serializers.UUIDField(source="public_id")
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True)
    message = serializers.SerializerMethodField()
    link = serializers.CharField(source="link.url", default=None, allow_null=True)

    class Meta:
        model = Event
        fields = (
            "id", "kind", "actor", "actor_reason", "campaign", "message", "link", "source", "occurred_at",
            "received_at", "user_agent", "data",
        )  # fmt: skip

    def get_message(self, event: Event) -> str | None:
        """The message's public id."""
        return str(event.message.public_id) if event.message else None


class ComparisonSerializer(serializers.Serializer[Any]):
    """One rate beside the workspace's own average."""

    figure = serializers.CharField()
    verdict = serializers.ChoiceField(["above", "below", "same", "not_enough_data"])
    campaigns = serializers.IntegerField(help_text="How many earlier campaigns the average rests on.")
    text = serializers.CharField()


class InsightSerializer(serializers.Serializer[Any]):
    """Two lines about a finished campaign, and everything that they may rest on."""

    lines = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    origin = serializers.ChoiceField(ANSWERED_BY)
    ai_generated = serializers.BooleanField()
    model = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(["ready", "pending", "failed"])
    problem = serializers.CharField(allow_blank=True, help_text="Why a model's lines are not shown.")
    is_current = serializers.BooleanField(help_text="False: the figures have moved since the model wrote.")
    generation = serializers.UUIDField(allow_null=True)
    figures = serializers.ListField(child=serializers.CharField())
    derived = serializers.ListField(child=serializers.CharField())
    comparisons = ComparisonSerializer(many=True)


class FollowUpRequestSerializer(serializers.Serializer[Any]):
    """Whom the second mail is for."""

    readers = serializers.ChoiceField(["did_not_open", "opened_without_click", "clicked"])


class FollowUpSerializer(serializers.Serializer[Any]):
    """A draft campaign, its segment, and the run that writes it."""

    campaign = serializers.UUIDField()
    segment = serializers.UUIDField()
    rules = serializers.JSONField()
    generation = serializers.UUIDField()


@extend_schema_serializer(component_name="HoldoutGroup")
class HoldoutGroupSerializer(serializers.Serializer[Any]):
    """Everybody who was drawn for one group, whether a mail arrived or not."""

    people = serializers.IntegerField()
    converted = serializers.IntegerField(help_text="Those of them about whom a goal was reported in time.")
    rate = serializers.FloatField(help_text="A share of 1.")
    low = serializers.FloatField(help_text="Lower end of its 95 % interval (Wilson).")
    high = serializers.FloatField()
    value = serializers.IntegerField(help_text="Sum of the amounts, in minor units.")
    mean = serializers.FloatField(help_text="Of a person, those who spent nothing too.")


@extend_schema_serializer(component_name="HoldoutDifference")
class HoldoutDifferenceSerializer(serializers.Serializer[Any]):
    """The mailed less the held out."""

    difference = serializers.FloatField(help_text="Of the rates, a share of 1; of the means, minor units.")
    low = serializers.FloatField(help_text="Lower end of its 95 % confidence interval.")
    high = serializers.FloatField()
    lift = serializers.FloatField(allow_null=True, help_text="As a share of what the held out did.")
    extra = serializers.IntegerField(help_text="The difference times the mailed: goals, or minor units.")
    extra_low = serializers.IntegerField()
    extra_high = serializers.IntegerField()
    verdict = serializers.ChoiceField(VERDICTS)


@extend_schema_serializer(component_name="Holdout")
class HoldoutSerializer(serializers.Serializer[Any]):
    """What a campaign brought beyond what would have happened anyway, by intention to treat."""

    share = serializers.IntegerField(help_text="Percent of the audience who got nothing.")
    goal_key = serializers.CharField(allow_blank=True, help_text="Empty: any goal.")
    has_goals = serializers.BooleanField()
    counts_until = serializers.DateTimeField(help_text="The last goal's window after the launch.")
    is_over = serializers.BooleanField()
    currency = serializers.CharField(allow_blank=True)
    mailed = HoldoutGroupSerializer()
    held_out = HoldoutGroupSerializer()
    conversions = HoldoutDifferenceSerializer()
    revenue = HoldoutDifferenceSerializer(allow_null=True, help_text="Null when no money was named.")

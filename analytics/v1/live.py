"""`/v1/campaigns/{id}/live`: what the live page shows, and what its socket sends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.selectors import get_live_snapshot
from analytics.selectors.breakdowns import DOMAIN_COUNTERS
from analytics.selectors.timeline import SERIES
from analytics.v1.campaigns import TAGS, CampaignFiguresView
from analytics.v1.serializers import LinkSerializer, PointSerializer, StatsSerializer


class LiveCampaignSerializer(serializers.Serializer[Any]):
    """Which campaign it is and how it stands."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.CharField(help_text="As in `/v1/campaigns/{id}`.")
    status_reason = serializers.CharField(allow_blank=True, help_text="Why it is paused or has failed.")


class LiveProgressSerializer(serializers.Serializer[Any]):
    """How far the sending is."""

    done = serializers.IntegerField(help_text="Recipients who need nothing more: sent, skipped, failed, in doubt.")
    total = serializers.IntegerField()
    to_send = serializers.IntegerField(help_text="All but the skipped ones.")
    share = serializers.FloatField(help_text="A share of 1.")
    per_minute = serializers.IntegerField(help_text="Speed of the last complete minutes; 0 when nothing is sent.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    finish_at = serializers.DateTimeField(allow_null=True, help_text="Forecast, while it is being sent.")


class LiveViewSerializer(serializers.Serializer[Any]):
    """Opens and clicks by people, by machines, or by both."""

    opens = serializers.IntegerField(help_text="Messages with at least one.")
    clicks = serializers.IntegerField()
    open_rate = serializers.FloatField(help_text="A share of 1, of the delivered ones.")
    click_rate = serializers.FloatField()
    click_to_open_rate = serializers.FloatField()
    opens_per_minute = serializers.IntegerField()
    clicks_per_minute = serializers.IntegerField()
    funnel = serializers.ListField(child=serializers.IntegerField(), help_text="Sent, delivered, opened, clicked.")


class LiveViewsSerializer(serializers.Serializer[Any]):
    """The three positions of the page's switch."""

    human = LiveViewSerializer()
    machine = LiveViewSerializer()
    both = LiveViewSerializer()


class LiveVariantSerializer(serializers.Serializer[Any]):
    """The human click rate of a variant."""

    label = serializers.CharField()  # type: ignore[assignment]
    subject = serializers.CharField()
    is_winner = serializers.BooleanField()
    clicks = serializers.IntegerField()
    delivered = serializers.IntegerField()
    rate = serializers.FloatField(help_text="A share of 1.")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %, Wilson: low and high.")


class LiveEventSerializer(serializers.Serializer[Any]):
    """One of the latest events."""

    id = serializers.UUIDField()
    kind = serializers.CharField(help_text="As in `/v1/contacts/{id}/events`.")
    actor = serializers.CharField(help_text="human, machine or unknown.")
    email = serializers.CharField(allow_blank=True, help_text="Masked.")
    detail = serializers.CharField(allow_blank=True, help_text="The link, the program, or what gave a machine away.")
    at = serializers.DateTimeField()


class LiveAlertSerializer(serializers.Serializer[Any]):
    """How near a rate is to its line."""

    rate = serializers.CharField(help_text="bounce_rate or complaint_rate.")
    value = serializers.FloatField(help_text="A share of 1.")
    limit = serializers.FloatField(help_text="The line.")
    pauses_at = serializers.FloatField(allow_null=True, help_text="Where the emergency brake pauses; null: it is off.")
    level = serializers.CharField(help_text="good, warn or bad.")


class LiveNoticeSerializer(serializers.Serializer[Any]):
    """In words: what holds the campaign, or part of it, back."""

    key = serializers.CharField(help_text="canary, test, or `deferring` and a mailbox provider.")
    level = serializers.CharField(help_text="good, info or warn.")
    title = serializers.CharField()
    text = serializers.CharField()


class LiveMailboxSerializer(serializers.Serializer[Any]):
    """The figures of one mailbox provider."""

    provider = serializers.CharField()
    open_rate = serializers.FloatField(help_text="A share of 1, of the delivered ones.")
    click_rate = serializers.FloatField()

    def get_fields(self) -> dict[str, Any]:
        """Add the counters."""
        return {**super().get_fields(), **{name: serializers.IntegerField() for name in DOMAIN_COUNTERS}}


class LiveRankSerializer(serializers.Serializer[Any]):
    """One line of a list of what people read with or where."""

    label = serializers.CharField(help_text="Countries: ISO 3166-1 code. The last line may sum up the rest.")  # type: ignore[assignment]
    count = serializers.IntegerField(help_text="Opens and clicks by people, repeats included.")
    share = serializers.FloatField(help_text="A share of 1.")


def _grid() -> serializers.ListField:
    return serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class LiveHoursSerializer(serializers.Serializer[Any]):
    """Opens and clicks by weekday (Monday first) and hour, in the workspace's time zone."""

    human = _grid()
    machine = _grid()
    both = _grid()


class LiveReasonSerializer(serializers.Serializer[Any]):
    """How many opens and clicks of the latest 10,000 events are machines' for one reason."""

    reason = serializers.CharField()
    label = serializers.CharField(help_text="In words.")  # type: ignore[assignment]
    count = serializers.IntegerField()


class LivePartsSerializer(serializers.Serializer[Any]):
    """What moves slowly."""

    mailboxes = LiveMailboxSerializer(
        many=True, allow_null=True, help_text="Null while those of a large campaign have not been read yet."
    )
    devices = LiveRankSerializer(many=True)
    clients = LiveRankSerializer(many=True)
    countries = LiveRankSerializer(many=True, help_text="Empty without a database of countries.")
    hours = LiveHoursSerializer()
    machines = LiveReasonSerializer(many=True)


class LivePerMinuteSerializer(serializers.Serializer[Any]):
    """What happened in the last complete minute."""

    def get_fields(self) -> dict[str, Any]:
        """One for each series of the chart."""
        return {name: serializers.IntegerField() for name in SERIES}


class LiveSerializer(serializers.Serializer[Any]):
    """Everything that the live page shows."""

    seq = serializers.IntegerField(help_text="Number of the last frame that went out before.")
    type = serializers.CharField(help_text="totals.")
    at = serializers.DateTimeField(help_text="When it was read: the later one is right.")
    campaign = LiveCampaignSerializer()
    totals = StatsSerializer()
    progress = LiveProgressSerializer()
    per_minute = LivePerMinuteSerializer()
    views = LiveViewsSerializer()
    race = LiveVariantSerializer(many=True, help_text="Empty when there is one variant only.")
    minutes = PointSerializer(many=True, help_text="The last 30.")
    links = LinkSerializer(many=True, help_text="The five most clicked.")
    events = LiveEventSerializer(many=True, help_text="The latest eight, newest first.")
    alerts = LiveAlertSerializer(many=True)
    notices = LiveNoticeSerializer(many=True)
    parts = LivePartsSerializer()


class LiveView(CampaignFiguresView):
    """The live page's snapshot."""

    @extend_schema(
        tags=TAGS, summary="Read the live snapshot", operation_id="campaigns_live", responses=LiveSerializer,
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002, ARG002
        """Return where things stand.

        `/ws/campaigns/{id}` sends this when it opens, and then frames whose `seq` counts up by one. All of them are
        absolute: a `totals` frame has everything but `parts`, at most twice a second; a `parts` frame has `seq`,
        `type`, `at` and `parts`, at most every five seconds; a `ping` names the last number every 15 seconds. Whoever
        misses a number, or connects again, reads this once more.
        """
        return Response(get_live_snapshot(self.find(id)))

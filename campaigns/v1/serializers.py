"""What campaigns, senders and templates look like in `/v1`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.v1.base import WorkspaceRelatedField
from aiwriter.models import Brief
from audiences.models import Contact, ContactList, Segment
from campaigns.braking import DEAD_LINKS, RATES, limits_of
from campaigns.deliverability.board import board
from campaigns.deliverability.routes import Route, route_of
from campaigns.models import Campaign, EmailTemplate, Experiment, Sender, SendingDomain, TemplateVersion, Variant
from campaigns.services.composing import MOST_DELAY_MINUTES
from campaigns.services.experiments import PLAN
from pulsequill.core.rest.etags import etag_of
from pulsequill.core.rest.fields import SafeJSONField

MAX_BODY_BYTES = 512 * 1024


@extend_schema_field(
    {
        "oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "string"}],
        "description": "The block list of the format `blocks`, the source text of every other format.",
    }
)
class BodyField(SafeJSONField):
    """A mail's body: a block list, or text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_bytes": MAX_BODY_BYTES, **kwargs})


class VariantSerializer(serializers.ModelSerializer[Variant]):
    """One variant. On writing, `label` says which one; fields that are left out keep their value."""

    label = serializers.CharField(max_length=20, required=False)  # type: ignore[assignment] # a field of ours called label
    subject = serializers.CharField(max_length=300, required=False, allow_blank=True, trim_whitespace=False)
    preview_text = serializers.CharField(max_length=300, required=False, allow_blank=True, trim_whitespace=False)
    format = serializers.ChoiceField(choices=Variant.Format.choices, required=False)
    body = BodyField(required=False)
    text = serializers.CharField(max_length=200_000, required=False, allow_blank=True, trim_whitespace=False)
    share = serializers.IntegerField(min_value=1, max_value=100, required=False)
    sender = WorkspaceRelatedField(
        queryset=Sender.objects, allow_null=True, required=False, help_text="Null: the campaign's sender."
    )
    send_delay_minutes = serializers.IntegerField(
        min_value=0,
        max_value=MOST_DELAY_MINUTES,
        required=False,
        help_text="It leaves so much later than the campaign.",
    )

    class Meta:
        model = Variant
        fields = (
            "id", "label", "subject", "preview_text", "format", "body", "text", "share", "sender",
            "send_delay_minutes", "is_winner", "draft",
        )  # fmt: skip
        read_only_fields = ("id", "is_winner", "draft")


class VariantSummarySerializer(serializers.ModelSerializer[Variant]):
    """A variant in a list of campaigns: without its body."""

    class Meta:
        model = Variant
        fields = ("id", "label", "subject", "is_winner")
        read_only_fields = fields


#: What `/v1` says of it beside the number.
_RECIPIENTS = (
    "Rows of the ledger, planned at the launch: everybody who was chosen, the skipped too. `/stats` counts each status."
)
_STATE = (
    "id", "status", "status_reason", "revision", "recipients", "launched_at", "finished_at", "created_at", "updated_at",
)  # fmt: skip


class CampaignSummarySerializer(serializers.ModelSerializer[Campaign]):
    """A campaign in a list."""

    variants = VariantSummarySerializer(many=True, read_only=True)

    class Meta:
        model = Campaign
        fields = ("name", "sender", "send_at", "variants", *_STATE)
        read_only_fields = fields
        extra_kwargs = {"recipients": {"help_text": _RECIPIENTS}}


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "weekdays": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}},
            "from": {"type": "string", "example": "09:00"},
            "to": {"type": "string", "example": "17:00"},
        },
        "description": (
            "Hours of the week in which it may be mailed; empty: at any time. Weekdays are ISO (1 is Monday), times the"
            " workspace's, or the contact's when `timezone_mode` is `contact`. Over midnight when `to` is earlier."
        ),
    }
)
class SendWindowField(SafeJSONField):
    """A sending window; the service says which part of it is wrong."""


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            **{name: {"type": ["number", "null"], "example": limit.default} for name, limit in RATES.items()},
            DEAD_LINKS: {"type": "boolean", "example": True},
        },
        "description": (
            "What pauses it by itself: shares of what was sent (bounces) or arrived (complaints, unsubscribes); null"
            " switches one off, and what is left out keeps its default. `dead_links`: links are asked again before the"
            " rest gets it. `/v1/campaigns/{id}/brake` says how it stands."
        ),
    }
)
class BrakeField(SafeJSONField):
    """The limits of the emergency brake; the service says which of them is wrong."""

    def to_representation(self, value: Any) -> Any:
        """Return every limit, the defaults too."""
        return limits_of(value)


class ExperimentPlanSerializer(serializers.ModelSerializer[Experiment]):
    """How variants are compared. Fixed by the launch; `/v1/campaigns/{id}/experiment` says how it stands."""

    mode = serializers.ChoiceField(
        choices=Experiment.Mode.choices,
        required=False,
        help_text="`even`: everybody is in the test. `winner`: the winner goes to the rest. `bandit`: in waves, each"
        " larger and more of it for what works.",
    )
    metric = serializers.ChoiceField(choices=Experiment.Metric.choices, required=False)
    goal_key = serializers.SlugField(
        max_length=60, required=False, allow_blank=True, help_text="For `goal` and `revenue`; empty counts any goal."
    )
    test_share = serializers.IntegerField(
        min_value=1, max_value=99, required=False,
        help_text="Percent of the recipients that the test, or a bandit's first wave, goes to.",
    )  # fmt: skip
    minimum_lift = serializers.FloatField(
        min_value=0.01, max_value=10, required=False, help_text="The smallest difference that matters: 0.1 is a tenth."
    )
    alpha = serializers.FloatField(
        min_value=0.001, max_value=0.2, required=False,
        help_text="How often, at most, a winner may be named though all variants are alike; at whatever time you look.",
    )  # fmt: skip
    decide_after_hours = serializers.IntegerField(
        min_value=1, max_value=720, required=False,
        help_text="Hours after the test's last mail, when the fallback decides. A bandit waits so long for each wave.",
    )  # fmt: skip
    chooser = serializers.ChoiceField(choices=Experiment.Chooser.choices, required=False)
    fallback = serializers.ChoiceField(choices=Experiment.Fallback.choices, required=False)

    class Meta:
        model = Experiment
        fields = PLAN


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign with everything that can be edited. Its `ETag` is the revision."""

    name = serializers.CharField(max_length=160)
    sender = WorkspaceRelatedField(queryset=Sender.objects, allow_null=True, required=False)
    brief = WorkspaceRelatedField(queryset=Brief.objects, allow_null=True, required=False)
    lists = WorkspaceRelatedField(queryset=ContactList.objects, many=True, required=False)
    segments = WorkspaceRelatedField(queryset=Segment.objects, many=True, required=False)
    exclude_lists = WorkspaceRelatedField(queryset=ContactList.objects, many=True, required=False)
    exclude_segments = WorkspaceRelatedField(queryset=Segment.objects, many=True, required=False)
    variants = VariantSerializer(many=True, required=False)
    utm = serializers.DictField(child=serializers.CharField(max_length=100, allow_blank=True), required=False)
    timezone_mode = serializers.ChoiceField(
        choices=Campaign.TimezoneMode.choices,
        required=False,
        help_text="`contact`: at the time of `send_at` where each contact is, by the contact's `time_zone`.",
    )
    send_window = SendWindowField(required=False)
    throttle_per_hour = serializers.IntegerField(min_value=1, max_value=10_000_000, allow_null=True, required=False)
    experiment = ExperimentPlanSerializer(
        required=False,
        allow_null=True,
        help_text="Null: an even split by human clicks, where there are several variants.",
    )
    holdout_share = serializers.IntegerField(
        min_value=0, max_value=50, required=False, help_text="Percent who get nothing, to compare with."
    )
    canary_share = serializers.IntegerField(
        min_value=0, max_value=20, required=False, help_text="Percent who get it first; 0: everybody at once."
    )
    canary_minutes = serializers.IntegerField(
        min_value=5, max_value=1440, required=False, help_text="How long the first ones are watched."
    )
    brake = BrakeField(required=False)

    class Meta:
        model = Campaign
        fields = (
            "name", "sender", "brief", "lists", "segments", "exclude_lists", "exclude_segments", "variants",
            "track_opens", "track_clicks", "utm", "send_at", "timezone_mode", "send_window", "throttle_per_hour",
            "experiment", "holdout_share", "canary_share", "canary_minutes", "brake", *_STATE,
        )  # fmt: skip
        read_only_fields = _STATE
        extra_kwargs = {"recipients": {"help_text": _RECIPIENTS}}


class AudienceSerializer(serializers.Serializer[Any]):
    """Who gets a campaign, and who does not and why."""

    included = serializers.IntegerField()
    skipped = serializers.DictField(child=serializers.IntegerField())
    finish_estimate = serializers.DateTimeField(
        allow_null=True,
        help_text="When the last message leaves: begun at `send_at` when that lies ahead, else now; while it is being"
        " sent, from here on. Limits, windows, warm-up and time zones count. Null when nobody gets it.",
    )
    limited_by = serializers.ChoiceField(
        choices=["speed", "rate", "throttle", "warm_up", "window", "local_time", "send_delay", "canary"],
        allow_null=True,
        help_text="What decides about it: the provider's speed, a limit, a variant that leaves later, or the time for"
        " which the first readers are watched.",
    )
    waits_for_test = serializers.BooleanField(
        help_text="Some leave only when the test is over; the estimate is of those whose time is known.",
    )
    starts_at = serializers.DateTimeField(allow_null=True, help_text="When the first message leaves.")


class FindingSerializer(serializers.Serializer[Any]):
    """One preflight finding."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["block", "warn", "info"])
    message = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    fix_url = serializers.CharField(allow_blank=True)
    affected = serializers.IntegerField(allow_null=True)


class LinkCheckSerializer(serializers.Serializer[Any]):
    """How many web addresses the mail has, and how many have answered within the last hour."""

    total = serializers.IntegerField()
    answered = serializers.IntegerField(help_text="Asking is slow: ask preflight again until this is `total`.")


class PreflightSerializer(serializers.Serializer[Any]):
    """Whether a campaign may be sent, and what was found."""

    ok = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    links = LinkCheckSerializer()


class PreviewRequestSerializer(serializers.Serializer[Any]):
    """Which variant (label or id; the first when left out), and as whom (fallbacks only when left out)."""

    variant = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    contact = WorkspaceRelatedField(queryset=Contact.objects, allow_null=True, required=False, default=None)


class PreviewSerializer(serializers.Serializer[Any]):
    """A mail as one contact would get it, with real links and no tracking."""

    subject = serializers.CharField()
    preview_text = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()
    size_bytes = serializers.IntegerField()


class DuplicateSerializer(serializers.Serializer[Any]):
    """The copy's name; the old one with "(copy)" when left out."""

    name = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")


class AdoptSerializer(serializers.Serializer[Any]):
    """Which draft goes into which variant."""

    draft = serializers.UUIDField()
    variant = serializers.CharField(max_length=20, required=False, default="A")
    override = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Take it over although guardrails blocked it; the audit log says who did.",
    )


class SenderSerializer(serializers.ModelSerializer[Sender]):
    """Whom mail comes from."""

    reply_to = serializers.EmailField(max_length=254, required=False, allow_blank=True)

    class Meta:
        model = Sender
        fields = ("id", "from_name", "from_email", "reply_to", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class SendingDomainSerializer(serializers.ModelSerializer[SendingDomain]):
    """A domain, the records that it needs, and what its DNS said when it was last checked."""

    records = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()
    signs_since = serializers.DateTimeField(source="dkim_verified_at", read_only=True)
    _known_route: Route | None = None
    takes_bounces_since = serializers.DateTimeField(source="return_path_verified_at", read_only=True)

    class Meta:
        model = SendingDomain
        fields = (
            "id", "name", "verified_at", "checked_at", "signs_since", "takes_bounces_since", "records", "findings",
            "created_at",
        )  # fmt: skip
        read_only_fields = ("id", "verified_at", "checked_at", "created_at")

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_records(self, domain: SendingDomain) -> list[dict[str, Any]]:
        """Return what to publish and how each record stands.

        `{kind, label, type, host, value, is_required, purpose, state, found, message, to_do}`; `state` is `right`,
        `wrong`, `missing`, `unknown` (the DNS did not answer) or `unchecked`.
        """
        return [row.as_json() for row in board(domain, self._route(domain))]

    def _route(self, domain: SendingDomain) -> Route:
        """Return the way of the workspace's mail, looked up once for a list: all its rows are one workspace's."""
        if self._known_route is None:
            self._known_route = route_of(domain.workspace_id)
        return self._known_route

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_findings(self, domain: SendingDomain) -> list[dict[str, Any]]:
        """Return the last check: `{kind, type, host, state, is_right, is_required, publish, found, message, to_do}`."""
        return list(domain.findings)


class TemplateSerializer(serializers.ModelSerializer[EmailTemplate]):
    """A saved body that campaigns start from."""

    name = serializers.CharField(max_length=120)
    purpose = serializers.ChoiceField(choices=EmailTemplate.Purpose.choices, required=False, allow_blank=True)
    subject = serializers.CharField(max_length=300, required=False, allow_blank=True)
    preview_text = serializers.CharField(max_length=300, required=False, allow_blank=True)
    format = serializers.ChoiceField(choices=Variant.Format.choices, required=False)
    body = BodyField(required=False)
    revision = serializers.SerializerMethodField(help_text="Send it back as `If-Match` to change only what you read.")

    class Meta:
        model = EmailTemplate
        fields = (
            "id", "name", "purpose", "subject", "preview_text", "format", "body", "revision", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = ("id", "created_at", "updated_at")

    def get_revision(self, template: EmailTemplate) -> str:
        """Return the ETag without its quotes."""
        return etag_of(template).strip('"')


class TemplateVersionSerializer(serializers.ModelSerializer[TemplateVersion]):
    """A kept state of a template."""

    created_by = serializers.StringRelatedField[Any](read_only=True, help_text="Who wrote it; null for the system.")

    class Meta:
        model = TemplateVersion
        fields = ("number", "note", "subject", "preview_text", "format", "created_by", "created_at", "updated_at")
        read_only_fields = fields

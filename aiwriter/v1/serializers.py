"""What goes in and out of `/v1/ai`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.v1.base import WorkspaceRelatedField
from aiwriter.guardrails.statements import KINDS
from aiwriter.models import BrandVoice, Draft, Generation
from aiwriter.selectors import generation_json
from aiwriter.services.briefs import BRIEF_LISTS, LONGEST_ITEM, MOST_ANGLES, MOST_ITEMS
from pulsequill.core.rest.fields import SafeJSONField


def _texts() -> serializers.ListField:
    text = serializers.CharField(max_length=LONGEST_ITEM, allow_blank=True)
    return serializers.ListField(child=text, max_length=MOST_ITEMS, required=False)


class BriefSerializer(serializers.Serializer[Any]):
    """A brief: one sentence in `goal` is enough."""

    goal = serializers.CharField(max_length=1000, help_text="What the mail should achieve, in your own words.")
    audience = serializers.CharField(max_length=500, required=False, allow_blank=True)
    offer = serializers.CharField(max_length=500, required=False, allow_blank=True)
    facts = _texts()
    cta_label = serializers.CharField(max_length=80, required=False, allow_blank=True)
    cta_url = serializers.URLField(max_length=1000, required=False, allow_blank=True)
    allowed_links = _texts()
    allowed_tags = _texts()
    tone = serializers.CharField(max_length=120, required=False, allow_blank=True)
    length = serializers.ChoiceField(choices=["short", "medium", "long"], required=False)
    language = serializers.CharField(max_length=20, required=False)
    must_say = _texts()
    must_not_say = _texts()
    complexity = serializers.ChoiceField(choices=["low", "medium", "high"], required=False, allow_blank=True)
    brand_voice = WorkspaceRelatedField(queryset=BrandVoice.objects, required=False, allow_null=True)
    angles = serializers.IntegerField(min_value=1, max_value=MOST_ANGLES, required=False)

    def brief_fields(self) -> dict[str, Any]:
        """Return the fields that `create_brief` takes."""
        return {name: value for name, value in self.validated_data.items() if name in self._brief_names()}

    @staticmethod
    def _brief_names() -> frozenset[str]:
        return frozenset(
            {"goal", "audience", "offer", "cta_label", "cta_url", "tone", "length", "language", "complexity",
             "brand_voice", "angles", *BRIEF_LISTS}
        )  # fmt: skip


class DraftRequestSerializer(BriefSerializer):
    """A request for drafts: the brief, and for whom."""

    model = serializers.CharField(max_length=80, required=False, allow_blank=True, help_text="A model by name.")
    campaign = serializers.UUIDField(required=False, allow_null=True, help_text="The campaign that they are for.")


class DraftChoiceSerializer(serializers.Serializer[Any]):
    """Which draft of the generation."""

    draft = serializers.UUIDField()
    override = serializers.BooleanField(default=False, help_text="Accept although a check blocks; it is recorded.")


@extend_schema_serializer(component_name="GuardrailFinding")
class FindingSerializer(serializers.Serializer[Any]):
    """One remark of the checks."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["block", "warn", "info"])
    message = serializers.CharField()
    where = serializers.CharField()


@extend_schema_serializer(component_name="ReceiptSupport")
class SupportSerializer(serializers.Serializer[Any]):
    """The fact behind a statement."""

    #: A declared field; Django REST framework takes it off the class, so it does not hide `Field.source`.
    source = serializers.ChoiceField(choices=["brief", "brand", "link", "person"])  # type: ignore[assignment]
    text = serializers.CharField()


@extend_schema_serializer(component_name="Receipt")
class ReceiptSerializer(serializers.Serializer[Any]):
    """One statement of a draft, and what it rests on; null: nothing, which blocks."""

    text = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    where = serializers.CharField()
    support = SupportSerializer(allow_null=True)


@extend_schema_serializer(component_name="GuardrailReport")
class ReportSerializer(serializers.Serializer[Any]):
    """What the checks say about a draft."""

    ok = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    receipts = ReceiptSerializer(many=True, required=False)
    metrics = serializers.DictField(child=serializers.FloatField())


@extend_schema_serializer(component_name="VoiceReport")
class VoiceReportSerializer(serializers.Serializer[Any]):
    """How a draft sounds beside the voice that its brief asks for: 0 to 100, counted by rules."""

    score = serializers.IntegerField(min_value=0, max_value=100)
    label = serializers.CharField()  # type: ignore[assignment]
    paragraphs = serializers.ListField(child=serializers.DictField())
    unchecked = serializers.ListField(child=serializers.CharField())
    voice = serializers.DictField()


class DraftSerializer(serializers.ModelSerializer[Draft]):
    """One angle."""

    guardrails = ReportSerializer()
    voice = VoiceReportSerializer(allow_null=True)
    blocks = serializers.ListField(child=serializers.DictField())
    made_from = serializers.ListField(
        child=serializers.DictField(), help_text="`{draft, parts}` of a mix, `{generation, parts}` of a rewritten part."
    )
    rewritten_parts = serializers.ListField(child=serializers.CharField(), help_text="Can be brought back, last first.")

    class Meta:
        model = Draft
        fields = (
            "id", "position", "angle", "subject", "preview_text", "blocks", "guardrails", "status", "is_ai_generated",
            "voice", "made_from", "rewritten_parts",
        )  # fmt: skip


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    """A generation with its drafts; the same JSON as the socket's last frame."""

    ai_generated = serializers.BooleanField()
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True)
    socket = serializers.CharField()
    drafts = DraftSerializer(many=True)

    class Meta:
        model = Generation
        fields = (
            "id", "kind", "status", "origin", "ai_generated", "engine", "provider", "model", "route_reason",
            "cost_micro_usd", "error_code", "error_detail", "brief", "campaign", "result", "created_at", "finished_at",
            "socket", "drafts",
        )  # fmt: skip

    def to_representation(self, instance: Generation) -> dict[str, Any]:
        """Return the one JSON form that a generation has everywhere."""
        return generation_json(instance)


class BrandVoiceSerializer(serializers.Serializer[Any]):
    """A brand voice. Saving it makes the next version."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=120)
    status = serializers.ChoiceField(choices=BrandVoice.Status.choices, required=False)
    profile = SafeJSONField(
        help_text="traits (texts, or {is, is_not}), do_words, dont_words, style_rules, banned_phrases, formality"
    )
    version = serializers.IntegerField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)

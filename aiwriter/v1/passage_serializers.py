"""What goes in and out of the small requests of `/v1/ai`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.v1.base import WorkspaceRelatedField
from aiwriter.models import Brief
from aiwriter.services.passages import INSTRUCTIONS, LONGEST_PASSAGE, LONGEST_SURROUNDINGS, MOST_EARLIER
from aiwriter.v1.serializers import BriefSerializer


def _line(longest: int, words: str) -> serializers.CharField:
    return serializers.CharField(max_length=longest, required=False, allow_blank=True, help_text=words)


class SmallRequestSerializer(serializers.Serializer[Any]):
    """What every small request may say besides its own fields."""

    brief = WorkspaceRelatedField(
        queryset=Brief.objects, required=False, allow_null=True, help_text="A stored brief, whose facts may be used."
    )
    campaign = serializers.UUIDField(required=False, allow_null=True, help_text="The campaign that it is for.")
    earlier = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PASSAGE), max_length=MOST_EARLIER, required=False,
        help_text="Answers that are there already; the next one is another.",
    )  # fmt: skip

    def asked(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        fields = {name: value for name, value in self.validated_data.items() if name != "campaign"}
        return {**fields, "campaign_id": self.validated_data.get("campaign")}


class RewriteRequestSerializer(SmallRequestSerializer):
    """A request for an edit of one passage."""

    text = serializers.CharField(
        max_length=LONGEST_PASSAGE, trim_whitespace=False,
        help_text="Plain text with merge tags; ⟦link-a⟧words⟦/link-a⟧ marks formatting that the edit must keep.",
    )  # fmt: skip
    instruction = serializers.ChoiceField(choices=INSTRUCTIONS)
    language = _line(20, "What to translate into, such as “de”.")
    wish = _line(300, "What should change, in your own words; for the instruction “wish”.")


class SubjectLinesRequestSerializer(SmallRequestSerializer, BriefSerializer):
    """A request for subject lines: a stored brief, or the fields of a new one."""

    goal = serializers.CharField(max_length=1000, required=False, help_text="Needed without a stored brief.")
    count = serializers.IntegerField(min_value=1, max_value=20, default=10)
    mail = _line(LONGEST_SURROUNDINGS, "What the mail says, so that the lines are true of it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if not attrs.get("brief") and not attrs.get("goal"):
            raise serializers.ValidationError({"goal": "Give a goal, or the id of a brief."})
        return attrs

    def asked(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        brief = self.validated_data.get("brief") or self.brief_fields()
        own = {name: self.validated_data[name] for name in ("count", "mail", "earlier") if name in self.validated_data}
        return {**own, "brief": brief, "campaign_id": self.validated_data.get("campaign")}


class CallToActionRequestSerializer(SmallRequestSerializer):
    """A request for words on a button."""

    #: A declared field; Django REST framework takes it off the class, so it does not hide `Field.label`.
    label = _line(120, "What the button says now.")  # type: ignore[assignment]
    url = _line(2000, "Where it leads.")
    around = _line(LONGEST_SURROUNDINGS, "The text that it stands in.")
    language = _line(20, "The language of the mail; the brief’s without.")


class AltTextRequestSerializer(SmallRequestSerializer):
    """A request for an alternative text. The picture itself is not looked at."""

    file_name = _line(200, "How the picture’s file is called.")
    caption = _line(300, "What stands under it, or its alternative text so far.")
    around = _line(LONGEST_SURROUNDINGS, "The text that it stands in.")
    language = _line(20, "The language of the mail; the brief’s without.")


class SubjectScoreRequestSerializer(serializers.Serializer[Any]):
    """A subject line to be judged by rules."""

    subject = serializers.CharField(max_length=300, allow_blank=True)
    preview_text = _line(300, "What stands beside it in the inbox.")
    language = serializers.CharField(max_length=20, default="en")


@extend_schema_serializer(component_name="SubjectScoreReason")
class ReasonSerializer(serializers.Serializer[Any]):
    """What one rule says of a line."""

    code = serializers.CharField()
    points = serializers.IntegerField()
    most = serializers.IntegerField()
    message = serializers.CharField()
    #: A declared field; Django REST framework takes it off the class, so it does not hide `Field.source`.
    source = serializers.CharField()  # type: ignore[assignment]


@extend_schema_serializer(component_name="SubjectScore")
class SubjectScoreSerializer(serializers.Serializer[Any]):
    """A rule-based score: advice, not fact."""

    score = serializers.IntegerField(min_value=0, max_value=100)
    reasons = ReasonSerializer(many=True)
    #: A declared field, like `source` above.
    label = serializers.CharField()  # type: ignore[assignment]

"""What goes in and out of voices being learned, and of the writer's memory."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from aiwriter.models import Exemplar
from aiwriter.services.samples import LONGEST_PASTE, MOST_AT_ONCE


class SampleTextSerializer(serializers.Serializer[Any]):
    """One text that the brand wrote."""

    text = serializers.CharField(
        max_length=LONGEST_PASTE, help_text="Plain text or HTML; what readers see of it counts."
    )
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)


class LearnVoiceSerializer(serializers.Serializer[Any]):
    """A request to learn a voice; a name that exists gets a new version, as a proposal."""

    name = serializers.CharField(max_length=120)
    samples = serializers.ListField(child=SampleTextSerializer(), min_length=1, max_length=MOST_AT_ONCE)


class ExemplarSerializer(serializers.ModelSerializer[Exemplar]):
    """A text that worked."""

    why = serializers.CharField(read_only=True)
    campaign = serializers.UUIDField(source="campaign_id", allow_null=True, read_only=True)

    class Meta:
        model = Exemplar
        fields = (
            "id", "title", "text", "origin", "why", "campaign", "metric", "metric_value", "sample_size", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class SimilarRequestSerializer(serializers.Serializer[Any]):
    """What to compare with."""

    text = serializers.CharField(max_length=20_000)


class SimilarSerializer(serializers.Serializer[Any]):
    """An exemplar that is like a text, and by what kind of likeness."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    why = serializers.CharField()
    similarity = serializers.FloatField()
    #: A declared field; Django REST framework takes it off the class, so it does not hide `Field.label`.
    label = serializers.CharField()  # type: ignore[assignment]

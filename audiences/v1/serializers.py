"""Shapes of the audience in `/v1`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from accounts.v1.base import WorkspaceRelatedField
from aiwriter.services.generations import ANSWERED_BY
from audiences.models import Contact, ContactField, ContactImport, ContactList, Segment, Suppression
from audiences.selectors import progress_of
from audiences.services.described import LONGEST_SENTENCE
from pulsequill.core.rest.fields import SafeJSONField


class ContactSerializer(serializers.Serializer[Contact]):
    """A contact. Its `status` follows from suppression and subscriptions and cannot be set."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.CharField(max_length=320)
    first_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    attributes = SafeJSONField(required=False, help_text="Custom fields by key; null removes one.")
    lists = WorkspaceRelatedField(queryset=ContactList.objects, many=True, required=False)
    consent_source = serializers.CharField(
        max_length=120, required=False, write_only=True, help_text="Where the person agreed; kept as proof."
    )
    status = serializers.CharField(read_only=True)
    source = serializers.CharField(read_only=True)  # type: ignore[assignment]
    last_sent_at = serializers.DateTimeField(read_only=True)
    last_opened_at = serializers.DateTimeField(read_only=True)
    last_clicked_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate_attributes(self, value: Any) -> dict[str, Any]:
        """Take objects only; keys and types are the service's to judge."""
        if not isinstance(value, dict):
            raise serializers.ValidationError("Expected an object.")
        return value

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        """Show the lists that the contact is on; needs `selectors.with_status`."""
        shown = {
            name: field.to_representation(value) if (value := getattr(instance, name)) is not None else None
            for name, field in self.fields.items()
            if name not in ("lists", "consent_source")
        }
        shown["lists"] = [str(place.list_id) for place in instance.places if place.status != "unsubscribed"]
        return shown


class ContactFieldSerializer(serializers.ModelSerializer[ContactField]):
    """A custom field; its key is its merge tag."""

    key = serializers.CharField(max_length=40)
    label = serializers.CharField(max_length=80, required=False, allow_blank=True)  # type: ignore[assignment]

    class Meta:
        model = ContactField
        fields = ("id", "key", "label", "type", "fallback", "created_at")
        read_only_fields = ("id", "created_at")


class ContactFieldChangeSerializer(serializers.Serializer[ContactField]):
    """What can change of a custom field: key and type are fixed, for values and templates rely on them."""

    label = serializers.CharField(max_length=80, required=False)  # type: ignore[assignment]
    fallback = serializers.CharField(max_length=120, required=False, allow_blank=True)


class ContactListSerializer(serializers.ModelSerializer[ContactList]):
    """A list and how many contacts it has, by status."""

    contacts = serializers.SerializerMethodField()

    class Meta:
        model = ContactList
        fields = ("id", "name", "description", "is_double_opt_in", "contacts", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")

    def get_contacts(self, list_: ContactList) -> dict[str, int]:
        """Return `{active, pending, unsubscribed}`."""
        counts = self.context["counts"].get(list_.pk, {})
        return {status: counts.get(status, 0) for status in ("active", "pending", "unsubscribed")}


class SuppressionSerializer(serializers.Serializer[Suppression]):
    """An address that no campaign reaches. An erased person's row shows a hash in place of the address."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.CharField(source="email_normalized", max_length=254)
    reason = serializers.ChoiceField(choices=Suppression.Reason.choices, default=Suppression.Reason.MANUAL)
    source = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")  # type: ignore[assignment]
    created_at = serializers.DateTimeField(read_only=True)


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """A saved question."""

    rules = SafeJSONField()

    class Meta:
        model = Segment
        fields = ("id", "name", "rules", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class RulesSerializer(serializers.Serializer[Any]):
    """A question that is not saved."""

    rules = SafeJSONField()


class SegmentTextSerializer(serializers.Serializer[Any]):
    """Whom somebody means."""

    text = serializers.CharField(max_length=LONGEST_SENTENCE)


class ProposedRulesSerializer(serializers.Serializer[Any]):
    """Rules for a sentence, in words and in numbers; nothing is saved."""

    rules = SafeJSONField()
    explanation = serializers.CharField(help_text="The rules as a sentence, and what it did not understand.")
    conditions = serializers.ListField(child=serializers.CharField(), help_text="Each part of the rules in words.")
    count = serializers.IntegerField()
    estimated = serializers.BooleanField()
    not_understood = serializers.ListField(child=serializers.CharField())
    origin = serializers.ChoiceField(ANSWERED_BY)
    ai_generated = serializers.BooleanField()
    model = serializers.CharField(allow_blank=True)
    generation = serializers.UUIDField(allow_null=True)
    remark = serializers.CharField(allow_blank=True, help_text="Why a model could not help.")


class PendingRulesSerializer(serializers.Serializer[Any]):
    """A model is still busy; ask again with the same sentence."""

    generation = serializers.UUIDField()
    status = serializers.CharField()


class ExplainSerializer(RulesSerializer):
    """A question, and the contact to judge."""

    email = serializers.CharField(max_length=320)


class SegmentPreviewSerializer(serializers.Serializer[Any]):
    """How many, and who for example."""

    count = serializers.IntegerField()
    estimated = serializers.BooleanField()
    sample = ContactSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """One node of the rules, judged; `children` have the same shape."""

    kind = serializers.CharField()
    text = serializers.CharField()
    passed = serializers.BooleanField()
    children = serializers.ListField(child=serializers.DictField())


class _OptionalInForm(serializers.BooleanField):
    """A form leaves an unticked box out, and so does a client that means the default: the default wins."""

    default_empty_html = empty


class ImportUploadSerializer(serializers.Serializer[ContactImport]):
    """The form that starts an import."""

    file = serializers.FileField(help_text="CSV, at most 50 MB, a million rows and 200 columns.")
    list = WorkspaceRelatedField(queryset=ContactList.objects, required=False, allow_null=True)
    mapping = SafeJSONField(
        required=False, help_text="Column name to `email`, `first_name`, `last_name`, `time_zone` or a field's key."
    )
    update_existing = _OptionalInForm(default=True)
    consent_source = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")

    def validate_mapping(self, value: Any) -> dict[str, str]:
        """Take an object of texts."""
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise serializers.ValidationError("Expected an object of column names and field keys.")
        return value


class ImportSerializer(serializers.Serializer[ContactImport]):
    """An import and how far it is."""

    id = serializers.UUIDField(read_only=True)
    status = serializers.ChoiceField(choices=ContactImport.Status.choices, read_only=True)
    file_name = serializers.CharField(read_only=True)
    total_rows = serializers.IntegerField(read_only=True)
    processed = serializers.IntegerField(read_only=True)
    created = serializers.IntegerField(read_only=True)
    updated = serializers.IntegerField(read_only=True)
    unchanged = serializers.IntegerField(read_only=True)
    rejected = serializers.IntegerField(read_only=True)
    suppressed = serializers.IntegerField(read_only=True)
    rate = serializers.IntegerField(read_only=True)
    seconds_left = serializers.IntegerField(read_only=True, allow_null=True)
    progress = serializers.FloatField(read_only=True)
    failure = serializers.CharField(read_only=True)
    list = serializers.UUIDField(read_only=True, allow_null=True)
    mapping = serializers.DictField(read_only=True)
    columns = serializers.ListField(child=serializers.DictField(), read_only=True)
    update_existing = serializers.BooleanField(read_only=True)
    consent_source = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    started_at = serializers.DateTimeField(read_only=True, allow_null=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def to_representation(self, instance: ContactImport) -> dict[str, Any]:
        """Show the stored columns with the figures that follow from them."""
        figures = progress_of(instance)
        times = {
            name: self.fields[name].to_representation(value) if (value := getattr(instance, name)) else None
            for name in ("created_at", "started_at", "finished_at")
        }
        return {
            **figures,
            "list": str(instance.list_id) if instance.list_id else None,
            "mapping": instance.mapping,
            "columns": instance.columns,
            "update_existing": instance.update_existing,
            "consent_source": instance.consent_source,
            **times,
        }

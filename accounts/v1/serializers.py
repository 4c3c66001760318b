"""What `/v1` says about accounts, and takes."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from django.utils import timezone
from rest_framework import serializers

from accounts.models import (
    Activity,
    ApiKey,
    Invitation,
    Membership,
    Notification,
    User,
    WebhookAttempt,
    WebhookEndpoint,
    Workspace,
)
from accounts.models.membership import Role
from accounts.permissions import SCOPES
from accounts.webhooks_out.catalogue import KNOWN
from pulsequill.core.rest.fields import SafeJSONField

TIME_ZONES = frozenset(available_timezones())
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class EmailField(serializers.EmailField):
    """An address of a person, in lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Return it in lower case."""
        return str(super().to_internal_value(data)).lower()


class PasswordField(serializers.CharField):
    """A password: never cut, never stripped, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(**{"trim_whitespace": False, "write_only": True, "max_length": 1024, "style": style, **kwargs})


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "theme", "date_joined")
        read_only_fields = ("id", "email", "date_joined")


class BrandSerializer(serializers.Serializer[Any]):
    """Colours and words of the mails; other keys are kept as they are."""

    color = serializers.RegexField(_COLOUR, required=False)
    logo_text = serializers.CharField(required=False, max_length=60, allow_blank=True)
    font = serializers.CharField(required=False, max_length=80, allow_blank=True)


class BrandField(SafeJSONField):
    """`brand`: an object whose known keys are checked."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the object, or refuse it naming the key."""
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("invalid")
        known = BrandSerializer(data={key: value[key] for key in BrandSerializer().fields if key in value})
        known.is_valid(raise_exception=True)
        return {**value, **known.validated_data}


class WorkspaceSerializer(serializers.ModelSerializer[Workspace]):
    brand = BrandField(required=False)
    time_zone = serializers.CharField(required=False, max_length=64)

    class Meta:
        model = Workspace
        fields = (
            "id",
            "name",
            "slug",
            "postal_address",
            "reason_line",
            "time_zone",
            "brand",
            "is_demo",
            "created_at",
        )
        read_only_fields = ("id", "slug", "is_demo", "created_at")

    def validate_time_zone(self, value: str) -> str:
        """It must be a name of the tz database."""
        if value not in TIME_ZONES:
            raise serializers.ValidationError("This is not a time zone such as Europe/Berlin.", "unknown_time_zone")
        return value


class WorkspaceMembershipSerializer(serializers.ModelSerializer[Membership]):
    """A workspace that the person belongs to, with their role."""

    def to_representation(self, instance: Membership) -> dict[str, Any]:
        """The workspace's fields and `role`."""
        return {**WorkspaceSerializer(instance.workspace).data, "role": instance.role}

    class Meta:
        model = Membership
        fields = ("role",)


class RegisterSerializer(serializers.Serializer[Any]):
    email = EmailField()
    password = PasswordField()
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    workspace_name = serializers.CharField(max_length=120)


class SignInSerializer(serializers.Serializer[Any]):
    email = EmailField()
    password = PasswordField()
    otp = serializers.CharField(required=False, allow_blank=True, max_length=12, write_only=True)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096)


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Good for five minutes.")
    refresh = serializers.CharField(help_text="Good for one use.")


class RegisteredSerializer(TokenPairSerializer):
    user = UserSerializer()
    workspace = WorkspaceSerializer()


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class MemberSerializer(serializers.ModelSerializer[Membership]):
    user = UserSerializer(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices)

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "created_at")


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    email = EmailField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.EDITOR)
    status = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "status", "expires_at", "accepted_at", "created_at")
        read_only_fields = ("id", "expires_at", "accepted_at", "created_at")

    def get_status(self, invitation: Invitation) -> str:
        """`open`, `accepted` or `expired`."""
        if invitation.accepted_at:
            return "accepted"
        return "open" if invitation.expires_at > timezone.now() else "expired"


class AcceptSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200, write_only=True)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(SCOPES)),
        required=False,
        help_text="Empty: all a key can have.",
    )
    created_by = UserSerializer(read_only=True)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "scopes",
            "created_by",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields = ("id", "prefix", "created_at", "last_used_at", "revoked_at")

    def validate_expires_at(self, value: Any) -> Any:
        """An end lies in the future."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This lies in the past.", "past")
        return value


class NewApiKeySerializer(ApiKeySerializer):
    """A key as it is answered once, with its text."""

    key = serializers.CharField(read_only=True, help_text="Shown once: `pq_live_...`.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")


class WebhookSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    url = serializers.URLField(max_length=500)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(KNOWN)), required=False, help_text="Empty: all."
    )

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = ("id", "url", "kinds", "is_active", "disabled_reason", "failing_since", "created_at")
        read_only_fields = ("id", "disabled_reason", "failing_since", "created_at")


class NewWebhookSerializer(WebhookSerializer):
    """An endpoint as it is answered once, with its signing secret."""

    secret = serializers.CharField(read_only=True, help_text="Shown once: `whsec_...`.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(read_only=True)


class WebhookAttemptSerializer(serializers.ModelSerializer[WebhookAttempt]):
    class Meta:
        model = WebhookAttempt
        fields = (
            "id",
            "endpoint",
            "message_id",
            "kind",
            "payload",
            "status",
            "tries",
            "next_try_at",
            "response_status",
            "response_body",
            "duration_ms",
            "created_at",
        )
        read_only_fields = fields


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    class Meta:
        model = Notification
        fields = ("id", "kind", "title", "body", "url", "read_at", "created_at")
        read_only_fields = fields


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    actor = serializers.CharField(source="actor_label")

    class Meta:
        model = Activity
        fields = ("id", "kind", "summary", "actor", "object_type", "object_id", "data", "created_at")
        read_only_fields = fields


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds.")

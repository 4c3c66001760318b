"""The operator's view of people, workspaces and what programs do."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest

from accounts.models import (
    Activity,
    ApiKey,
    Invitation,
    Membership,
    Notification,
    RefreshToken,
    User,
    WebhookAttempt,
    WebhookEndpoint,
    Workspace,
)
from pulsequill.core.admin import AdminBase, LedgerAdmin


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Django's form, for a person who signs in by address."""

    class Meta:
        model = User
        fields = ("email",)


class EditUserForm(UserChangeForm):  # type: ignore[type-arg]
    """Django's form, with our columns."""

    class Meta:
        model = User
        fields = "__all__"


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Where a person belongs."""

    model = Membership
    extra = 0
    autocomplete_fields = ("workspace",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People."""

    form = EditUserForm
    add_form = NewUserForm
    inlines = (MembershipInline,)
    ordering = ("-date_joined",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined", "token_version")
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("name", "theme")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined", "token_version")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


@admin.register(Workspace)
class WorkspaceAdmin(AdminBase):
    """Tenants."""

    list_display = ("name", "slug", "time_zone", "is_demo", "created_at")
    list_filter = ("is_demo",)
    search_fields = ("name", "slug")
    readonly_fields = ("created_at", "updated_at")
    ordering = ("-created_at",)


@admin.register(Membership)
class MembershipAdmin(AdminBase):
    """Who belongs where."""

    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "user__name", "workspace__name", "workspace__slug")
    ordering = ("-created_at",)


@admin.register(Invitation)
class InvitationAdmin(AdminBase):
    """Open and past invitations; the link is not kept."""

    list_display = ("email", "workspace", "role", "expires_at", "accepted_at")
    list_filter = ("role",)
    list_select_related = ("workspace",)
    search_fields = ("email", "workspace__name")
    exclude = ("token_hash",)
    ordering = ("-created_at",)


@admin.register(ApiKey)
class ApiKeyAdmin(AdminBase):
    """Keys: an operator can end them, not read them."""

    list_display = ("name", "prefix", "workspace", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("workspace",)
    search_fields = ("name", "prefix", "workspace__name")
    exclude = ("secret_hash",)
    readonly_fields = ("prefix", "last_used_at", "created_by")
    ordering = ("-created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's interface
        """A key is shown to the person who makes it, so they make it on their page."""
        return False


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(AdminBase):
    """Where events are told; the secret cannot be read."""

    list_display = ("url", "workspace", "is_active", "failing_since", "created_at")
    list_filter = ("is_active", ("failing_since", admin.EmptyFieldListFilter))
    list_select_related = ("workspace",)
    search_fields = ("url", "workspace__name")
    readonly_fields = ("failing_since",)
    ordering = ("-created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """The secret is shown to the person who makes it."""
        return False


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(LedgerAdmin):
    """What was delivered, and what came back."""

    list_display = ("kind", "endpoint", "workspace", "status", "tries", "response_status", "created_at")
    list_filter = ("status", "kind")
    list_select_related = ("endpoint", "workspace")
    search_fields = ("message_id", "endpoint__url")
    ordering = ("-created_at",)


@admin.register(Notification)
class NotificationAdmin(LedgerAdmin):
    """What people were told."""

    list_display = ("title", "kind", "workspace", "user", "read_at", "created_at")
    list_filter = ("kind",)
    list_select_related = ("workspace", "user")
    search_fields = ("title", "body")
    ordering = ("-created_at",)


@admin.register(Activity)
class ActivityAdmin(LedgerAdmin):
    """The audit log."""

    list_display = ("created_at", "workspace", "actor_label", "kind", "summary")
    list_filter = ("kind",)
    list_select_related = ("workspace",)
    search_fields = ("summary", "actor_label", "object_id")
    ordering = ("-created_at",)


@admin.register(RefreshToken)
class RefreshTokenAdmin(LedgerAdmin):
    """Sessions of programs."""

    list_display = ("user", "family_id", "created_at", "used_at", "revoked_at", "expires_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("user__email", "family_id")
    ordering = ("-created_at",)

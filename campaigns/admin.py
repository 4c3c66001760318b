"""The operator's view of campaigns, the ledger and the outbox."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.delivery.captured import body_of, parse
from campaigns.models import (
    Approval,
    Asset,
    Campaign,
    CapturedMessage,
    Comment,
    DeliveryMinute,
    DraftingRun,
    DraftingSchedule,
    EmailTemplate,
    Experiment,
    Link,
    Message,
    Pace,
    ProviderSettings,
    Sender,
    SendingDomain,
    Settlement,
    SmtpServer,
    TemplateVersion,
    Variant,
    VariantVersion,
)
from pulsequill.core.admin import AdminBase, LedgerAdmin


@admin.register(Campaign)
class CampaignAdmin(AdminBase):
    """Campaigns. Their status changes by its own verbs only, so it is shown, not edited."""

    list_display = ("name", "workspace", "status", "status_reason", "recipients", "send_at", "launched_at")
    list_filter = ("status", "provider", "launched_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name", "workspace__slug")
    readonly_fields = (
        "status", "status_reason", "revision", "provider", "recipients", "launched_at", "finished_at", "continues_at",
        "created_at", "updated_at",
    )  # fmt: skip
    ordering = ("-created_at",)


@admin.register(Pace)
class PaceAdmin(LedgerAdmin):
    """When the next messages under a shared limit may leave."""

    list_display = ("key", "free_at")
    search_fields = ("key",)
    ordering = ("key",)


@admin.register(Experiment)
class ExperimentAdmin(AdminBase):
    """How variants are compared, and what came of it."""

    list_display = ("campaign", "mode", "metric", "state", "decided_at", "outcome", "workspace")
    list_filter = ("mode", "metric", "state")
    list_select_related = ("campaign", "workspace")
    search_fields = ("campaign__name",)
    ordering = ("-created_at",)


@admin.register(Variant)
class VariantAdmin(AdminBase):
    """What campaigns say; the frozen content is shown as it is sent."""

    list_display = ("subject", "label", "campaign", "workspace", "format", "share", "is_winner")
    list_filter = ("format", "is_winner")
    list_select_related = ("campaign", "workspace")
    search_fields = ("subject", "campaign__name")
    readonly_fields = ("compiled_html", "compiled_text", "content_hash", "created_at", "updated_at")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the bodies out of lists."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "campaigns_variant_changelist":
            return rows.defer("body", "text", "compiled_html", "compiled_text")
        return rows


@admin.register(Message)
class MessageAdmin(LedgerAdmin):
    """The ledger. Settling a doubt is done on the campaign's own page, where it is audited."""

    list_display = ("email", "campaign", "variant", "status", "reason", "attempt_no", "provider", "sent_at")
    list_filter = ("status", "provider", "is_test")
    list_select_related = ("campaign", "variant")
    search_fields = ("=email_normalized", "=provider_message_id", "=attempt_id")
    search_help_text = "A whole address, a provider's message id, or an attempt id."
    ordering = ("-id",)


@admin.register(Settlement)
class SettlementAdmin(LedgerAdmin):
    """What people decided about messages in doubt."""

    list_display = ("created_at", "verb", "message", "actor_label", "was_code", "undone_at")
    list_filter = ("verb",)
    list_select_related = ("message",)
    search_fields = ("=message__email_normalized", "actor_label")
    search_help_text = "A whole address, or who decided."
    ordering = ("-created_at",)


@admin.register(DeliveryMinute)
class DeliveryMinuteAdmin(LedgerAdmin):
    """How many messages left in each minute."""

    list_display = ("minute", "campaign", "variant", "sent", "delivered", "failed")
    list_select_related = ("campaign", "variant")
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(CapturedMessage)
class CapturedMessageAdmin(LedgerAdmin):
    """Mail that was kept. System mail (without a workspace) is seen here only."""

    list_display = ("subject", "to", "workspace", "campaign", "created_at")
    list_filter = (("workspace", admin.EmptyFieldListFilter),)
    list_select_related = ("workspace", "campaign")
    search_fields = ("to", "subject")
    fields = ("workspace", "campaign", "to", "subject", "created_at", "headers", "text")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the bytes out of lists."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "campaigns_capturedmessage_changelist"
        return rows.defer("raw") if is_list else rows

    @admin.display(description="Headers")
    def headers(self, mail: CapturedMessage) -> SafeString:
        """The header lines as they would have been sent."""
        lines = "\n".join(f"{name}: {value}" for name, value in parse(bytes(mail.raw)).items())
        return format_html("<pre>{}</pre>", lines)

    @admin.display(description="Plain text")
    def text(self, mail: CapturedMessage) -> SafeString:
        """The plain text part."""
        return format_html("<pre>{}</pre>", body_of(parse(bytes(mail.raw)), "plain"))


@admin.register(Link)
class LinkAdmin(AdminBase):
    """Tracked links. A wrong address can be mended here after sending: mails hold a signed id."""

    list_display = ("url", "variant", "workspace", "position")
    list_select_related = ("variant", "workspace")
    search_fields = ("url",)
    readonly_fields = ("position", "created_at")
    ordering = ("-id",)


@admin.register(EmailTemplate)
class EmailTemplateAdmin(AdminBase):
    """Saved bodies."""

    list_display = ("name", "workspace", "format", "subject", "updated_at")
    list_filter = ("format",)
    list_select_related = ("workspace",)
    search_fields = ("name", "subject", "workspace__name")
    ordering = ("-updated_at",)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(LedgerAdmin):
    """Kept states of templates; a record, restored on the template's own page."""

    list_display = ("template", "number", "note", "subject", "workspace", "created_by", "updated_at")
    list_select_related = ("template", "workspace", "created_by")
    search_fields = ("template__name", "subject", "note", "workspace__name")
    ordering = ("-created_at",)


@admin.register(VariantVersion)
class VariantVersionAdmin(LedgerAdmin):
    """Kept states of variants; a record, restored in the composer."""

    list_display = ("variant", "number", "note", "subject", "workspace", "created_by", "updated_at")
    list_select_related = ("variant", "workspace", "created_by")
    search_fields = ("variant__campaign__name", "subject", "note", "workspace__name")
    ordering = ("-created_at",)


@admin.register(Sender)
class SenderAdmin(AdminBase):
    """From names and addresses."""

    list_display = ("from_name", "from_email", "reply_to", "workspace")
    list_select_related = ("workspace",)
    search_fields = ("from_email", "from_name", "workspace__name")
    ordering = ("from_email",)


@admin.register(SendingDomain)
class SendingDomainAdmin(AdminBase):
    """Domains and what their DNS said."""

    list_display = ("name", "workspace", "verified_at", "checked_at")
    list_filter = (("verified_at", admin.EmptyFieldListFilter),)
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    readonly_fields = ("findings", "dkim_selector", "dkim_public_key", "dkim_verified_at", "return_path_verified_at")
    ordering = ("name",)


@admin.register(ProviderSettings)
class ProviderSettingsAdmin(LedgerAdmin):
    """How workspaces' mail leaves. Keys are written by their owners only, and shown to nobody."""

    list_display = ("provider", "workspace", "is_active", "rate_per_second", "tested_at", "test_error")
    list_filter = ("provider", "is_active")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "workspace__slug")
    exclude = ("secret_encrypted",)
    ordering = ("-updated_at",)


@admin.register(SmtpServer)
class SmtpServerAdmin(LedgerAdmin):
    """Mail servers of workspaces, without their passwords."""

    list_display = ("host", "port", "security", "workspace", "weight", "max_connections")
    list_filter = ("security",)
    list_select_related = ("workspace",)
    search_fields = ("host", "workspace__name")
    exclude = ("password_encrypted",)
    ordering = ("host", "port")


@admin.register(Asset)
class AssetAdmin(AdminBase):
    """Pictures."""

    list_display = ("name", "workspace", "content_type", "width", "height", "size_bytes", "created_at")
    list_filter = ("content_type",)
    list_select_related = ("workspace",)
    search_fields = ("name", "sha256", "workspace__name")
    readonly_fields = ("file", "content_type", "width", "height", "size_bytes", "sha256")
    ordering = ("-created_at",)


@admin.register(Comment)
class CommentAdmin(AdminBase):
    """Remarks of teammates."""

    list_display = ("text", "campaign", "author", "created_at", "resolved_at")
    list_select_related = ("campaign", "author")
    search_fields = ("text", "campaign__name", "author__email")
    ordering = ("-created_at",)


@admin.register(Approval)
class ApprovalAdmin(LedgerAdmin):
    """Who approved what; a record, not a form."""

    list_display = ("campaign", "decision", "person", "remark", "created_at")
    list_filter = ("decision",)
    list_select_related = ("campaign", "person")
    search_fields = ("campaign__name", "person__email")
    ordering = ("-created_at",)


@admin.register(DraftingSchedule)
class DraftingScheduleAdmin(AdminBase):
    """Drafts by the calendar."""

    list_display = ("name", "workspace", "crontab", "is_active", "next_run_at", "last_run_at", "last_outcome")
    list_filter = ("is_active",)
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")
    ordering = ("name",)


@admin.register(DraftingRun)
class DraftingRunAdmin(LedgerAdmin):
    """How the slots of the calendar went; a record, not a form."""

    list_display = ("schedule", "slot_at", "status", "reason", "missed", "is_manual", "workspace")
    list_filter = ("status", "is_manual")
    list_select_related = ("schedule", "workspace")
    search_fields = ("schedule__name", "workspace__name")
    ordering = ("-slot_at",)

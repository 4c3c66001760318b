"""What happened, for operators: history is shown, never edited."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import (
    ArchiveMonth,
    Breakdown,
    CampaignStats,
    CohortMonth,
    Conversion,
    ConversionStats,
    Event,
    EventArchive,
    EventMinute,
    Facet,
    Goal,
    GoalDay,
    HoldoutConversion,
    LinkStats,
    Report,
    ReportMail,
    ReportRecipient,
    ReportSchedule,
    ReportShare,
    RuleRun,
)
from pulsequill.core.admin import AdminBase, LedgerAdmin
from pulsequill.models import StrayEvent


@admin.register(Event)
class EventAdmin(LedgerAdmin):
    """The events, the latest first."""

    list_display = ("id", "kind", "actor", "actor_reason", "message", "campaign", "source", "occurred_at")
    list_filter = ("kind", "actor", "source")
    list_select_related = ("message", "campaign")
    search_fields = ("=dedupe_key", "=message__email_normalized", "=message__provider_message_id")
    search_help_text = "A whole address, a provider's message id, or a key."
    ordering = ("-id",)


@admin.register(StrayEvent)
class StrayEventAdmin(LedgerAdmin):
    """Events that wait in PostgreSQL, or could not be counted."""

    list_display = ("id", "problem_text", "dedupe_key", "received_at")
    list_filter: ClassVar[Any] = (("problem", admin.EmptyFieldListFilter),)
    search_fields = ("=dedupe_key", "problem")
    ordering = ("-id",)

    @admin.display(description="problem")
    def problem_text(self, stray: StrayEvent) -> str:
        """The problem, or that it waits for the consumer."""
        return stray.problem or "waits for the consumer"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What could not be counted may be cleared away once somebody has looked at it."""
        return request.user.is_superuser and (obj is None or bool(obj.problem))


@admin.register(CampaignStats)
class CampaignStatsAdmin(LedgerAdmin):
    """The figures of each variant."""

    list_display = (
        "campaign", "variant", "delivered", "returned", "bounced", "complained", "unsubscribed", "unique_opens",
        "machine_opens", "unique_clicks", "machine_clicks",
    )  # fmt: skip
    list_select_related = ("campaign", "variant")
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(EventMinute)
class EventMinuteAdmin(LedgerAdmin):
    """The figures of each minute."""

    list_display = ("campaign", "minute", "delivered", "human_opens", "machine_opens", "human_clicks", "bounced")
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(LinkStats)
class LinkStatsAdmin(LedgerAdmin):
    """The clicks of each link."""

    list_display = ("link", "campaign", "clicks", "unique_clicks", "machine_clicks")
    list_select_related = ("link", "campaign")
    search_fields = ("campaign__name", "link__url")
    ordering = ("-link_id",)


@admin.register(Breakdown)
class BreakdownAdmin(LedgerAdmin):
    """The figures by device, mail program, country and mailbox provider."""

    list_display = ("campaign", "dimension", "value", "opens", "clicks", "delivered", "bounced")
    list_filter = ("dimension",)
    list_select_related = ("campaign",)
    search_fields = ("campaign__name", "value")
    ordering = ("-id",)


@admin.register(Conversion)
class ConversionAdmin(LedgerAdmin):
    """Messages whose reader reached a goal."""

    list_display = ("message", "goal", "campaign", "times", "value", "currency", "first_at")
    list_select_related = ("message", "goal", "campaign")
    search_fields = ("campaign__name", "=message__email_normalized", "goal__key")
    ordering = ("-id",)


@admin.register(HoldoutConversion)
class HoldoutConversionAdmin(LedgerAdmin):
    """Goals reached in campaigns that hold people out, by who was mailed and who was not."""

    list_display = ("message", "goal", "campaign", "times", "value", "currency")
    list_select_related = ("message", "goal", "campaign")
    search_fields = ("campaign__name", "goal__key")
    ordering = ("-id",)


@admin.register(ConversionStats)
class ConversionStatsAdmin(LedgerAdmin):
    """The figures of each goal."""

    list_display = ("campaign", "variant", "goal", "messages", "times", "value", "currency")
    list_select_related = ("campaign", "variant", "goal")
    search_fields = ("campaign__name", "goal__key")
    ordering = ("-id",)


@admin.register(Goal)
class GoalAdmin(AdminBase):
    """What customers report."""

    list_display = ("name", "key", "workspace", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "key")
    ordering = ("-created_at",)


@admin.register(Report)
class ReportAdmin(AdminBase):
    """Comparisons that are kept."""

    list_display = ("name", "workspace", "created_by", "created_at")
    list_select_related = ("workspace", "created_by")
    search_fields = ("name",)
    ordering = ("-created_at",)


@admin.register(GoalDay)
class GoalDayAdmin(LedgerAdmin):
    """The figures of each goal and day."""

    list_display = ("goal", "day", "currency", "times", "value", "owed_times")
    list_select_related = ("goal",)
    search_fields = ("goal__key",)
    ordering = ("-day", "-id")


@admin.register(Facet)
class FacetAdmin(LedgerAdmin):
    """Figures that are counted from the ledger in the background."""

    list_display = ("campaign", "dimension", "value", "sent", "unique_opens", "unique_clicks")
    list_filter = ("dimension",)
    list_select_related = ("campaign",)
    search_fields = ("campaign__name",)
    ordering = ("-id",)


@admin.register(CohortMonth)
class CohortMonthAdmin(LedgerAdmin):
    """What the contacts of one month did in another."""

    list_display = ("workspace", "joined_month", "month", "mailed", "active", "clicked", "counted_at")
    list_select_related = ("workspace",)
    ordering = ("-month", "-joined_month")


@admin.register(ReportSchedule)
class ReportScheduleAdmin(LedgerAdmin):
    """When reports are mailed."""

    list_display = ("report", "workspace", "crontab", "is_active", "next_run_at", "last_run_at")
    list_select_related = ("report", "workspace")
    search_fields = ("report__name",)
    ordering = ("-created_at",)


@admin.register(ReportRecipient)
class ReportRecipientAdmin(LedgerAdmin):
    """Who gets them."""

    list_display = ("email", "schedule", "workspace", "stopped_at")
    list_select_related = ("schedule", "workspace")
    search_fields = ("=email",)
    ordering = ("-created_at",)


@admin.register(ReportMail)
class ReportMailAdmin(LedgerAdmin):
    """What was mailed."""

    list_display = ("recipient", "slot_at", "status", "reason", "refusals", "retry_at", "sent_at")
    list_filter = ("status",)
    list_select_related = ("recipient",)
    ordering = ("-id",)


@admin.register(ReportShare)
class ReportShareAdmin(LedgerAdmin):
    """Links to reports; of the token only its hash is known."""

    list_display = ("report", "workspace", "hint", "expires_at", "revoked_at", "last_seen_at")
    list_select_related = ("report", "workspace")
    exclude = ("token_hash",)
    search_fields = ("report__name",)
    ordering = ("-created_at",)


@admin.register(EventArchive)
class EventArchiveAdmin(LedgerAdmin):
    """Events that were moved to the archive, the latest first."""

    list_display = ("id", "kind", "actor", "actor_reason", "campaign", "occurred_at", "received_at")
    list_select_related = ("campaign",)
    search_fields = ("=dedupe_key", "=message__email_normalized")
    ordering = ("-id",)


@admin.register(ArchiveMonth)
class ArchiveMonthAdmin(LedgerAdmin):
    """The months of the archive."""

    list_display = ("month", "events", "dropped_at")
    ordering = ("-month",)


@admin.register(RuleRun)
class RuleRunAdmin(LedgerAdmin):
    """The rules about machines, run again."""

    list_display = ("workspace", "rules_version", "is_dry_run", "status", "messages", "changed", "created_at")
    list_filter = ("status", "is_dry_run")
    list_select_related = ("workspace",)
    ordering = ("-created_at",)

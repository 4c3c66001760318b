"""The writer in the admin: prices, budgets and voices are edited here; what happened is only read."""

from __future__ import annotations

from django.contrib import admin

from aiwriter.models import (
    AcceptedClaim,
    BrandFact,
    BrandSample,
    BrandVoice,
    Brief,
    Budget,
    BudgetHold,
    Draft,
    Embedding,
    Exemplar,
    Generation,
    GenerationStep,
    ModelPrice,
    Passage,
    ProviderKey,
)
from pulsequill.core.admin import AdminBase, LedgerAdmin


@admin.register(ModelPrice)
class ModelPriceAdmin(AdminBase):
    """Models, abilities, prices and last days: the router reads this table."""

    list_display = (
        "model", "provider", "role", "valid_from", "tier_from_tokens", "input_price", "output_price", "shutdown_date",
        "replacement",
    )  # fmt: skip
    list_filter = ("provider", "role")
    search_fields = ("model",)
    ordering = ("provider", "model", "tier_from_tokens", "-valid_from")


@admin.register(Budget)
class BudgetAdmin(AdminBase):
    """What workspaces may spend in a month."""

    list_display = ("workspace", "monthly_cap_micro_usd", "warn_percent", "updated_at")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "workspace__slug")


@admin.register(BudgetHold)
class BudgetHoldAdmin(LedgerAdmin):
    """Money of calls that are under way."""

    list_display = ("workspace", "generation", "amount_micro_usd", "expires_at")
    list_select_related = ("workspace", "generation")


@admin.register(BrandVoice)
class BrandVoiceAdmin(AdminBase):
    """Brand voices, every version."""

    list_display = ("name", "version", "status", "workspace", "created_at")
    list_filter = ("status",)
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")


@admin.register(Brief)
class BriefAdmin(LedgerAdmin):
    """What was asked for."""

    list_display = ("goal", "workspace", "language", "length", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("goal", "workspace__name")
    date_hierarchy = "created_at"


class StepInline(admin.TabularInline):  # type: ignore[type-arg]  # Django's own class takes no parameter
    """The calls of a generation."""

    model = GenerationStep
    fields = (
        "role", "task", "model_requested", "model_served", "fallback_from", "input_tokens", "output_tokens",
        "cost_micro_usd", "latency_ms", "finish_reason", "error_class",
    )  # fmt: skip
    readonly_fields = fields
    extra = 0
    can_delete = False
    ordering = ("created_at",)

    def has_add_permission(self, *_args: object) -> bool:
        """Nobody writes history."""
        return False


@admin.register(Generation)
class GenerationAdmin(LedgerAdmin):
    """Every run of the writer."""

    list_display = (
        "id",
        "workspace",
        "kind",
        "status",
        "origin",
        "model",
        "cost_micro_usd",
        "error_code",
        "created_at",
    )
    list_filter = ("status", "kind", "origin", "provider")
    list_select_related = ("workspace",)
    search_fields = ("id", "workspace__name", "error_code")
    date_hierarchy = "created_at"
    inlines = (StepInline,)


@admin.register(GenerationStep)
class GenerationStepAdmin(LedgerAdmin):
    """Every call to a provider: the audit trail."""

    list_display = (
        "created_at", "workspace", "role", "task", "model_requested", "fallback_from", "input_tokens", "output_tokens",
        "cost_micro_usd", "latency_ms", "attempt", "error_class",
    )  # fmt: skip
    list_filter = ("provider", "role", "usage_source", "error_class")
    list_select_related = ("workspace",)
    search_fields = ("generation__id", "model_requested", "provider_request_id", "prompt_id")
    date_hierarchy = "created_at"


@admin.register(Draft)
class DraftAdmin(LedgerAdmin):
    """What was proposed, and what people did with it."""

    list_display = ("subject", "angle", "workspace", "status", "is_ai_generated", "created_at")
    list_filter = ("status", "is_ai_generated")
    list_select_related = ("workspace",)
    search_fields = ("subject", "workspace__name")
    date_hierarchy = "created_at"


@admin.register(Exemplar)
class ExemplarAdmin(AdminBase):
    """Texts that new drafts are written with in mind."""

    list_display = ("title", "origin", "workspace", "created_at")
    list_filter = ("origin",)
    list_select_related = ("workspace",)
    search_fields = ("title", "workspace__name")


@admin.register(Embedding)
class EmbeddingAdmin(LedgerAdmin):
    """Vectors of exemplars."""

    list_display = ("exemplar", "embedder", "workspace", "updated_at")
    list_filter = ("embedder",)
    list_select_related = ("exemplar", "workspace")
    fields = ("exemplar", "embedder", "content_sha256", "workspace")


@admin.register(Passage)
class PassageAdmin(LedgerAdmin):
    """Paragraphs of samples and exemplars."""

    list_display = ("text", "embedder", "workspace", "created_at")
    list_filter = ("embedder",)
    list_select_related = ("workspace",)
    exclude = ("vector",)


@admin.register(ProviderKey)
class ProviderKeyAdmin(LedgerAdmin):
    """Which workspaces use keys of their own; the keys themselves are never shown."""

    list_display = ("workspace", "provider", "hint", "set_by", "updated_at")
    list_filter = ("provider",)
    list_select_related = ("workspace", "set_by")
    exclude = ("key_encrypted",)


@admin.register(BrandSample)
class BrandSampleAdmin(LedgerAdmin):
    """Texts that voices are learned from."""

    list_display = ("title", "source", "workspace", "created_at")
    list_filter = ("source",)
    list_select_related = ("workspace",)
    search_fields = ("title", "workspace__name")


@admin.register(BrandFact)
class BrandFactAdmin(AdminBase):
    """What brands may always claim."""

    list_display = ("text", "workspace", "is_active", "valid_until_date")
    list_filter = ("is_active",)
    list_select_related = ("workspace",)
    search_fields = ("text", "workspace__name")


@admin.register(AcceptedClaim)
class AcceptedClaimAdmin(LedgerAdmin):
    """Unsupported claims that somebody answers for."""

    list_display = ("claim", "workspace", "campaign_id", "accepted_by", "created_at")
    list_select_related = ("workspace", "accepted_by")
    search_fields = ("claim", "workspace__name")

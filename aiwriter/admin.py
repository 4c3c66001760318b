"""The writer in the admin: prices, budgets and voices are edited here; what happened is only read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from aiwriter.gateway.endings import NEAR, list_endings
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
from aiwriter.models.model_price import dollars
from pulsequill.core.admin import AdminBase, LedgerAdmin


class LastDayFilter(admin.SimpleListFilter):
    """Models by how near their last day is."""

    title = "last day"
    parameter_name = "ends"

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("soon", f"Within {NEAR.days} days"), ("over", "Over"), ("unknown", "None named")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[ModelPrice]) -> QuerySet[ModelPrice]:
        """Return what the choice means."""
        today = timezone.now().date()
        choices = {
            "soon": Q(shutdown_date__gt=today, shutdown_date__lte=today + NEAR),
            "over": Q(shutdown_date__lte=today),
            "unknown": Q(shutdown_date=None),
        }
        return queryset.filter(choices.get(self.value() or "", Q()))


class InForceFilter(admin.SimpleListFilter):
    """Prices that are asked for today, later, or no more."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, *_args: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("now", "Today"), ("later", "From a later day"), ("past", "Replaced by a newer row")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[ModelPrice]) -> QuerySet[ModelPrice]:
        """Return what the choice means."""
        today = timezone.now().date()
        begun = ModelPrice.objects.filter(valid_from__lte=today).order_by("model", "tier_from_tokens", "-valid_from")
        newest = Q(pk__in=begun.distinct("model", "tier_from_tokens").values("pk"))
        later = Q(valid_from__gt=today)
        choices = {"now": newest, "later": later, "past": ~newest & ~later}
        return queryset.filter(choices.get(self.value() or "", Q()))


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes no parameter
    """A price row; a model's successor must be a model that is known."""

    def clean_replacement(self) -> str:
        """Refuse a successor that the catalogue does not know, and a model that succeeds itself."""
        name: str = self.cleaned_data["replacement"].strip()
        if name and name == (self.cleaned_data.get("model") or self.instance.model):
            raise forms.ValidationError("A model cannot be its own replacement.")
        if name and not ModelPrice.objects.filter(model=name).exists():
            raise forms.ValidationError("The catalogue has no such model: add its price first.")
        return name


@admin.register(ModelPrice)
class ModelPriceAdmin(AdminBase):
    """Models, abilities, prices and last days: the router reads this table.

    A row by which calls were paid is history: its price stays, and another price is another row from a later day.
    """

    form = PriceForm
    list_display = (
        "model", "provider", "role", "valid_from", "tier_from_tokens", "input_usd", "output_usd", "cached_usd", "ends",
        "replacement",
    )  # fmt: skip
    list_filter = ("provider", "role", LastDayFilter, InForceFilter)
    search_fields = ("model", "replacement")
    ordering = ("provider", "model", "tier_from_tokens", "-valid_from")
    actions = ("begin_new_price",)
    fieldsets = (
        (None, {"fields": ("provider", "model", "role")}),
        (
            "Price",
            {
                "fields": (
                    "valid_from",
                    "tier_from_tokens",
                    "input_price",
                    "output_price",
                    "cached_input_price",
                ),
                "description": "Micro-USD per million tokens: $2.00 is 2000000. Once a call was paid by this row it is "
                "not changed any more; choose “Begin a new price” in the list instead.",
            },
        ),
        (
            "Abilities",
            {
                "fields": (
                    "context_tokens",
                    "max_output_tokens",
                    "accepts_temperature",
                    "thinks_by_default",
                    "has_structured_output",
                ),
            },
        ),
        (
            "Last day",
            {
                "fields": ("shutdown_date", "replacement"),
                "description": "From the last day on, requests for this model go to the replacement.",
            },
        ),
    )
    #: What calls were paid by.
    MONEY = (
        "provider", "model", "valid_from", "tier_from_tokens", "input_price", "output_price", "cached_input_price",
    )  # fmt: skip

    @admin.display(description="In, a million", ordering="input_price")
    def input_usd(self, row: ModelPrice) -> str:
        """The price of a million tokens in."""
        return dollars(row.input_price)

    @admin.display(description="Out, a million", ordering="output_price")
    def output_usd(self, row: ModelPrice) -> str:
        """The price of a million tokens out."""
        return dollars(row.output_price)

    @admin.display(description="Cached, a million", ordering="cached_input_price")
    def cached_usd(self, row: ModelPrice) -> str:
        """The price of a million cached tokens in."""
        return dollars(row.cached_input_price)

    @admin.display(description="Last day", ordering="shutdown_date")
    def ends(self, row: ModelPrice) -> str:
        """The last day, and how near it is."""
        if row.shutdown_date is None:
            return "–"
        left = (row.shutdown_date - timezone.now().date()).days
        near = f" (⚠ in {left} days)" if 0 < left <= NEAR.days else " (over)" if left <= 0 else ""
        return f"{row.shutdown_date}{near}"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What calls were paid by is not changed."""
        return (*super().get_readonly_fields(request, obj), *(self.MONEY if _is_booked(obj) else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What calls were paid by is not lost."""
        return super().has_delete_permission(request, obj) and not _is_booked(obj)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Warn of models in use whose last day is near."""
        if request.method == "GET":
            for ending in list_endings(timezone.now().date()):
                after = f"{ending.replacement} takes over." if ending.replacement else "Name a replacement."
                self.message_user(request, f"Model {ending.model} ends on {ending.last_day}. {after}", messages.WARNING)
        return super().changelist_view(request, extra_context)

    @admin.action(description="Begin a new price tomorrow, as a copy to change", permissions=["add"])
    def begin_new_price(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> HttpResponse | None:
        """Copy rows with tomorrow as their first day; a single one is opened."""
        tomorrow = timezone.now().date() + timedelta(days=1)
        copies = []
        for row in queryset:
            same = {"model": row.model, "tier_from_tokens": row.tier_from_tokens, "valid_from": tomorrow}
            if ModelPrice.objects.filter(**same).exists():
                self.message_user(request, f"{row.model} has a price from {tomorrow} already.", messages.WARNING)
                continue
            values = {f.attname: getattr(row, f.attname) for f in row._meta.fields if not f.primary_key}
            copies.append(ModelPrice.objects.create(**{**values, "valid_from": tomorrow}))
        if len(copies) == 1:
            return redirect("admin:aiwriter_modelprice_change", copies[0].pk)
        self.message_user(request, f"{len(copies)} prices begin on {tomorrow}.")
        return None


def _is_booked(price: ModelPrice | None) -> bool:
    return price is not None and GenerationStep.objects.filter(price=price).exists()


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
    list_filter = ("provider", "role", "usage_source", "is_cache_hit", "error_class")
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

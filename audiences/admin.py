"""The operator's view of audiences. People are changed by their team or by themselves; here one looks and repairs."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audiences.models import (
    Consent,
    Contact,
    ContactField,
    ContactImport,
    ContactImportReject,
    ContactList,
    FormerContact,
    Segment,
    Subscription,
    Suppression,
)
from pulsequill.core.admin import AdminBase, LedgerAdmin


@admin.register(Contact)
class ContactAdmin(AdminBase):
    """People. Search is by the start of the address, which an index answers."""

    list_display = ("email", "first_name", "last_name", "workspace", "source", "last_opened_at", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("source", "created_at")
    search_fields = ("email_normalized__startswith",)
    readonly_fields = ("email_normalized", "source_import", "last_sent_at", "last_opened_at", "last_clicked_at")
    ordering = ("-created_at",)


@admin.register(ContactList)
class ContactListAdmin(AdminBase):
    """Lists."""

    list_display = ("name", "workspace", "is_double_opt_in", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("is_double_opt_in",)
    search_fields = ("name", "workspace__name")
    ordering = ("workspace", "name")


@admin.register(Subscription)
class SubscriptionAdmin(LedgerAdmin):
    """Who is on which list, and who left."""

    list_display = ("contact", "list", "status", "workspace", "created_at", "unsubscribed_at")
    list_select_related = ("contact", "list", "workspace")
    list_filter = ("status",)
    search_fields = ("contact__email_normalized__startswith",)


@admin.register(ContactField)
class ContactFieldAdmin(AdminBase):
    """Custom fields."""

    list_display = ("label", "key", "type", "fallback", "workspace")
    list_select_related = ("workspace",)
    list_filter = ("type",)
    search_fields = ("key", "label")


@admin.register(Segment)
class SegmentAdmin(AdminBase):
    """Saved questions."""

    list_display = ("name", "workspace", "created_at", "updated_at")
    list_select_related = ("workspace",)
    search_fields = ("name", "workspace__name")


@admin.register(Suppression)
class SuppressionAdmin(LedgerAdmin):
    """Who is not mailed, and why. Lifting one is the workspace's decision, on its own page."""

    list_display = ("email_normalized", "reason", "source", "workspace", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("reason", "created_at")
    search_fields = ("email_normalized__startswith",)


@admin.register(FormerContact)
class FormerContactAdmin(LedgerAdmin):
    """Deleted contacts whose unsubscribe links still work."""

    list_display = ("email_normalized", "workspace", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("email_normalized__startswith",)


@admin.register(Consent)
class ConsentAdmin(LedgerAdmin):
    """Proof of consent."""

    list_display = ("contact", "source", "ip_address", "workspace", "given_at")
    list_select_related = ("contact", "workspace")
    search_fields = ("contact__email_normalized__startswith",)


class RejectInline(admin.TabularInline):  # type: ignore[type-arg]
    """The first rejected rows of an import."""

    model = ContactImportReject
    extra = 0
    max_num = 0
    can_delete = False
    fields = readonly_fields = ("row_number", "reason", "detail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactImportReject]:
        """Show a hundred, not a million."""
        rows = super().get_queryset(request)
        first = ContactImportReject.objects.filter(
            contact_import_id=request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        ).order_by("row_number")
        return rows.filter(pk__in=first.values("pk")[:100])


@admin.register(ContactImport)
class ContactImportAdmin(LedgerAdmin):
    """Imports: where each stands, and what it could not take."""

    list_display = (
        "file_name", "workspace", "status", "total_rows", "processed", "created", "updated", "rejected",
        "attempt_no", "heartbeat_at", "created_at",
    )  # fmt: skip
    list_select_related = ("workspace",)
    list_filter = ("status", "created_at")
    search_fields = ("file_name", "workspace__name")
    inlines = (RejectInline,)


@admin.register(ContactImportReject)
class ContactImportRejectAdmin(LedgerAdmin):
    """Rows that were not imported."""

    list_display = ("contact_import", "row_number", "reason", "detail")
    list_select_related = ("contact_import",)
    list_filter = ("reason",)
    search_fields = ("contact_import__file_name",)

"""What every page of the Django admin shares: all workspaces, no N+1, no select box with a million rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest


class AdminBase(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's own class takes no parameter
    """An operator's view of one noun.

    Set `list_select_related` for whatever `list_display` follows. Related rows are chosen by searching, never from a
    select box; the whole table is not counted for the footer.
    """

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return all workspaces' rows, in the model's order."""
        manager = self.model._default_manager
        is_tenant = hasattr(manager, "across_workspaces")
        rows: models.QuerySet[Any] = manager.across_workspaces() if is_tenant else manager.all()
        return rows.order_by(*ordering) if (ordering := self.get_ordering(request)) else rows

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:  # noqa: ARG002 - Django's interface
        """Search for related rows where their admin can be searched."""
        return [field.name for field in self._relations() if self._is_searchable(field)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Relations whose rows cannot be searched are shown, not chosen."""
        unsearchable = [field.name for field in self._relations() if not self._is_searchable(field)]
        return (*super().get_readonly_fields(request, obj), *(unsearchable if obj is not None else ()))

    def _relations(self) -> list[Any]:
        return [
            field
            for field in (*self.model._meta.fields, *self.model._meta.many_to_many)
            if isinstance(field, models.ForeignKey | models.ManyToManyField) and field.editable
        ]

    def _is_searchable(self, field: Any) -> bool:
        other = self.admin_site._registry.get(field.related_model)
        return other is not None and bool(other.search_fields)


class LedgerAdmin(AdminBase):
    """Rows that nobody edits: the log of what happened."""

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:  # noqa: ARG002
        """Nobody writes history."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody rewrites it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody loses it."""
        return False

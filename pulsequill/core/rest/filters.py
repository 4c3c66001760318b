"""`?status=sent&created_at__gte=`, `?q=`: filters that can neither see nor name another workspace's rows."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import models
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.filters import SearchFilter

_BY_ID = {"filter_class": django_filters.UUIDFilter}


class SafeFilterSet(FilterSet):
    """A filter set whose related fields compare ids: choosing among related rows would read other workspaces."""

    class Meta:
        filter_overrides = {
            models.ForeignKey: _BY_ID,
            models.OneToOneField: _BY_ID,
            models.ManyToManyField: _BY_ID,
        }


class FieldFilter(DjangoFilterBackend):
    """Filters by a view's `filterset_class`, or by `filter_fields = {"status": ["exact", "in"], ...}`."""

    filterset_base = SafeFilterSet

    def get_filterset_class(self, view: Any, queryset: QuerySet[Any] | None = None) -> type[FilterSet] | None:
        """Return the view's own filter set, or one made from `filter_fields`; None when it has neither."""
        if getattr(view, "filterset_class", None):
            own: type[FilterSet] = super().get_filterset_class(view, queryset)
            return own
        wanted = getattr(view, "filter_fields", None)
        if not wanted or queryset is None:
            return None
        meta = type("Meta", (SafeFilterSet.Meta,), {"model": queryset.model, "fields": wanted})
        return type("ViewFilterSet", (SafeFilterSet,), {"Meta": meta})


class TextSearch(SearchFilter):
    """`?q=`: every word must occur in one of the view's `search_fields`."""

    search_param = "q"
    search_description = "Words that must occur."

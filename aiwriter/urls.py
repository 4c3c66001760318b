"""Pages of `aiwriter`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "aiwriter"
urlpatterns: list[URLPattern | URLResolver] = []

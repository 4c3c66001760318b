"""Pages of `audiences`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "audiences"
urlpatterns: list[URLPattern | URLResolver] = []

"""Pages of `campaigns`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "campaigns"
urlpatterns: list[URLPattern | URLResolver] = []

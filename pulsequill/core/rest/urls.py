"""`/v1/schema`, `/v1/docs`, `/v1/problems`, and the answer for every other address below `/v1`."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from pulsequill.core.rest.views import Nothing, ProblemList

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(authentication_classes=[], throttle_classes=[]), name="schema"),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(authentication_classes=[], throttle_classes=[], url_name="schema"),
        name="docs",
    ),
    path("problems", ProblemList.as_view(), name="problems"),
    re_path(r"^.*$", Nothing.as_view()),
]

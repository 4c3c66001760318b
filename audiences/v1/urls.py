"""`/v1` endpoints of `audiences`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from audiences.v1.contacts import ContactFieldViewSet, ContactViewSet
from audiences.v1.imports import ImportRejectsViewSet, ImportUploadViewSet, ImportViewSet
from audiences.v1.lists import ContactListViewSet, SuppressionViewSet
from audiences.v1.segments import (
    SegmentExplainView,
    SegmentFromTextView,
    SegmentPreviewView,
    SegmentViewSet,
)

router = SimpleRouter(trailing_slash=False)
router.register("contacts", ContactViewSet, basename="contact")
router.register("contact-fields", ContactFieldViewSet, basename="contact-field")
router.register("lists", ContactListViewSet, basename="list")
router.register("suppressions", SuppressionViewSet, basename="suppression")
router.register("segments", SegmentViewSet, basename="segment")

urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts/<uuid:id>/erase", ContactViewSet.as_view({"post": "erase"})),
    path("contacts/<uuid:id>/export", ContactViewSet.as_view({"get": "export"})),
    path("segments/preview", SegmentPreviewView.as_view()),
    path("segments/explain", SegmentExplainView.as_view()),
    path("segments/from-text", SegmentFromTextView.as_view()),
    path("imports", ImportUploadViewSet.as_view({"get": "list", "post": "create"})),
    path("imports/<uuid:id>", ImportViewSet.as_view({"get": "retrieve"})),
    path("imports/<uuid:id>/rejects.csv", ImportRejectsViewSet.as_view({"get": "rejects"})),
    path("imports/<uuid:id>/cancel", ImportViewSet.as_view({"post": "cancel"})),
    path("imports/<uuid:id>/undo", ImportViewSet.as_view({"post": "undo"})),
    path("", include(router.urls)),
]

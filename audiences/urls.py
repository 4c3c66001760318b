"""Pages of `audiences`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from audiences.views import contacts, imports, lists, public, segments

app_name = "audiences"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts", contacts.ContactListPage.as_view(), name="contact_list"),
    path("contacts/new", contacts.ContactNewPage.as_view(), name="contact_new"),
    path("contacts/bulk", contacts.ContactBulkView.as_view(), name="contact_bulk"),
    path("contacts.csv", contacts.ContactExportView.as_view(), name="contact_export"),
    path("contacts/<uuid:contact_id>", contacts.ContactDetailPage.as_view(), name="contact_detail"),
    path("contacts/<uuid:contact_id>/edit", contacts.ContactEditPage.as_view(), name="contact_edit"),
    path(
        "contacts/<uuid:contact_id>/suppress",
        contacts.ContactActionView.as_view(action="suppress", permission="contact.edit"),
        name="contact_suppress",
    ),
    path(
        "contacts/<uuid:contact_id>/unsubscribe",
        contacts.ContactActionView.as_view(action="unsubscribe", permission="contact.edit"),
        name="contact_unsubscribe",
    ),
    path(
        "contacts/<uuid:contact_id>/delete",
        contacts.ContactActionView.as_view(action="delete", permission="contact.edit"),
        name="contact_delete",
    ),
    path(
        "contacts/<uuid:contact_id>/erase",
        contacts.ContactActionView.as_view(action="erase", permission="contact.erase"),
        name="contact_erase",
    ),
    path("lists", lists.ListListPage.as_view(), name="list_list"),
    path("lists/new", lists.ListFormPage.as_view(), name="list_new"),
    path("lists/<uuid:list_id>", lists.ListFormPage.as_view(), name="list_detail"),
    path("lists/<uuid:list_id>/delete", lists.ListDeleteView.as_view(), name="list_delete"),
    path("contact-fields/new", lists.FieldFormPage.as_view(), name="field_new"),
    path("contact-fields/<uuid:field_id>/delete", lists.FieldDeleteView.as_view(), name="field_delete"),
    path("suppressions", lists.SuppressionListPage.as_view(), name="suppression_list"),
    path("suppressions/<uuid:suppression_id>/lift", lists.SuppressionLiftView.as_view(), name="suppression_lift"),
    path("segments", segments.SegmentListPage.as_view(), name="segment_list"),
    path("segments/new", segments.SegmentFormPage.as_view(), name="segment_new"),
    path("segments/preview", segments.SegmentPreviewView.as_view(), name="segment_preview"),
    path("segments/describe", segments.SegmentDescribeView.as_view(), name="segment_describe"),
    path("segments/explain", segments.SegmentExplainView.as_view(), name="segment_explain"),
    path("segments/<uuid:segment_id>", segments.SegmentFormPage.as_view(), name="segment_detail"),
    path("segments/<uuid:segment_id>/count", segments.SegmentCountView.as_view(), name="segment_count"),
    path("segments/<uuid:segment_id>/delete", segments.SegmentDeleteView.as_view(), name="segment_delete"),
    path("imports", imports.ImportListPage.as_view(), name="import_list"),
    path("imports/new", imports.ImportNewPage.as_view(), name="import_new"),
    path("imports/<uuid:import_id>", imports.ImportDetailPage.as_view(), name="import_detail"),
    path("imports/<uuid:import_id>/progress", imports.ImportProgressView.as_view(), name="import_progress"),
    path("imports/<uuid:import_id>/rejects.csv", imports.ImportRejectsView.as_view(), name="import_rejects"),
    path("imports/<uuid:import_id>/cancel", imports.ImportActionView.as_view(action="cancel"), name="import_cancel"),
    path("imports/<uuid:import_id>/undo", imports.ImportActionView.as_view(action="undo"), name="import_undo"),
    path("u/<str:token>", public.UnsubscribePage.as_view(), name="unsubscribe"),
    path("p/<str:token>", public.PreferencesPage.as_view(), name="preferences"),
]

"""Pages of `campaigns`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from campaigns.v1.outbox import OutboxViewSet
from campaigns.views import ledger, outbox, web_version

app_name = "campaigns"
urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/<uuid:campaign_id>/messages", ledger.MessageListPage.as_view(), name="message_list"),
    path("messages/<uuid:message_id>/<slug:verb>", ledger.MessageSettlePage.as_view(), name="message_settle"),
    path("outbox", outbox.OutboxPage.as_view(), name="outbox"),
    path("outbox.json", OutboxViewSet.as_view({"get": "list"}), name="outbox_json"),
    path("outbox/readers", outbox.ReadersPage.as_view(), name="outbox_readers"),
    path("outbox/<int:key>", outbox.OutboxMailPage.as_view(), name="outbox_mail"),
    path("outbox/<int:key>/body", outbox.OutboxMailBody.as_view(), name="outbox_body"),
    path("outbox/<int:key>.eml", outbox.OutboxMailFile.as_view(), name="outbox_file"),
    path("w/<str:token>", web_version.WebVersion.as_view(), name="web_version"),
]

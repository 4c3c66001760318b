"""`/v1` endpoints of `campaigns`."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path

from campaigns.v1 import (
    assets,
    campaigns,
    claims,
    drafting,
    drafts,
    links,
    messages,
    providers,
    senders,
    sending,
    templates,
    transactional,
    versions,
)

_LIST: dict[str, Any] = {"get": "list", "post": "create"}
_ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
_ONE_WITHOUT_PUT: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_ONE_FIXED: dict[str, Any] = {"get": "retrieve", "delete": "destroy"}

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns", campaigns.CampaignViewSet.as_view(_LIST), name="v1_campaign_list"),
    path("campaigns/<uuid:id>", campaigns.CampaignViewSet.as_view(_ONE), name="v1_campaign"),
    path("campaigns/<uuid:id>/audience", campaigns.CampaignAudienceView.as_view(), name="v1_campaign_audience"),
    path("campaigns/<uuid:id>/preflight", campaigns.CampaignPreflightView.as_view(), name="v1_campaign_preflight"),
    path("campaigns/<uuid:id>/claims", claims.CampaignClaimsView.as_view(), name="v1_campaign_claims"),
    path("campaigns/<uuid:id>/preview", campaigns.CampaignPreviewView.as_view(), name="v1_campaign_preview"),
    path("campaigns/<uuid:id>/duplicate", campaigns.CampaignDuplicateView.as_view(), name="v1_campaign_duplicate"),
    path(
        "campaigns/<uuid:id>/versions",
        versions.VariantVersionViewSet.as_view({"get": "list"}),
        name="v1_variant_version_list",
    ),
    path(
        "campaigns/<uuid:id>/versions/<int:number>/restore",
        versions.VariantVersionRestoreView.as_view(),
        name="v1_variant_version_restore",
    ),
    path("campaigns/<uuid:id>/adopt", drafts.CampaignAdoptView.as_view(), name="v1_campaign_adopt"),
    path("campaigns/<uuid:id>/test-send", sending.CampaignTestSendView.as_view(), name="v1_campaign_test_send"),
    path("campaigns/<uuid:id>/send", sending.CampaignSendView.as_view(), name="v1_campaign_send"),
    path("campaigns/<uuid:id>/schedule", sending.CampaignScheduleView.as_view(), name="v1_campaign_schedule"),
    path("campaigns/<uuid:id>/pause", sending.CampaignPauseView.as_view(), name="v1_campaign_pause"),
    path("campaigns/<uuid:id>/resume", sending.CampaignResumeView.as_view(), name="v1_campaign_resume"),
    path("campaigns/<uuid:id>/cancel", sending.CampaignCancelView.as_view(), name="v1_campaign_cancel"),
    path(
        "campaigns/<uuid:id>/messages",
        messages.CampaignMessageViewSet.as_view({"get": "list"}),
        name="v1_campaign_message_list",
    ),
    path("links/<uuid:id>", links.LinkView.as_view(), name="v1_link"),
    path("messages/in-doubt", messages.DoubtViewSet.as_view({"get": "list"}), name="v1_message_in_doubt"),
    path("messages/settle", messages.MessagesSettleView.as_view(), name="v1_message_settle"),
    path("settlements/<uuid:id>/undo", messages.SettlementUndoView.as_view(), name="v1_settlement_undo"),
    path("messages/<uuid:id>", messages.MessageDetailView.as_view(), name="v1_message"),
    path("messages/<uuid:id>/mark-sent", messages.MessageMarkSentView.as_view(), name="v1_message_mark_sent"),
    path("messages/<uuid:id>/resend", messages.MessageResendView.as_view(), name="v1_message_resend"),
    path("transactional", transactional.TransactionalViewSet.as_view(_LIST), name="v1_transactional"),
    path("assets", assets.AssetUploadViewSet.as_view(_LIST), name="v1_asset_list"),
    path("assets/<uuid:id>", assets.AssetViewSet.as_view(_ONE_WITHOUT_PUT), name="v1_asset"),
    path("senders", senders.SenderViewSet.as_view(_LIST), name="v1_sender_list"),
    path("senders/<uuid:id>", senders.SenderViewSet.as_view(_ONE_WITHOUT_PUT), name="v1_sender"),
    path("provider-settings", providers.ProviderListView.as_view(), name="v1_provider_list"),
    path("provider-settings/<slug:provider>", providers.ProviderView.as_view(), name="v1_provider"),
    path("provider-settings/<slug:provider>/test", providers.ProviderTestView.as_view(), name="v1_provider_test"),
    path("sending-domains", senders.SendingDomainViewSet.as_view(_LIST), name="v1_sending_domain_list"),
    path("sending-domains/<uuid:id>", senders.SendingDomainViewSet.as_view(_ONE_FIXED), name="v1_sending_domain"),
    path("sending-domains/<uuid:id>/check", senders.SendingDomainCheckView.as_view(), name="v1_sending_domain_check"),
    path("sending-domains/<uuid:id>/key", senders.SendingDomainKeyView.as_view(), name="v1_sending_domain_key"),
    path("ai/schedules", drafting.ScheduleViewSet.as_view(_LIST), name="v1_ai_schedule_list"),
    path("ai/schedules/<uuid:id>", drafting.ScheduleViewSet.as_view(_ONE_WITHOUT_PUT), name="v1_ai_schedule"),
    path("ai/schedules/<uuid:id>/run", drafting.ScheduleRunNowView.as_view(), name="v1_ai_schedule_run"),
    path("ai/schedules/<uuid:id>/runs", drafting.ScheduleRunsView.as_view({"get": "list"}), name="v1_ai_schedule_runs"),
    path("templates", templates.TemplateViewSet.as_view(_LIST), name="v1_template_list"),
    path("templates/<uuid:id>", templates.TemplateViewSet.as_view(_ONE_WITHOUT_PUT), name="v1_template"),
    path(
        "templates/<uuid:id>/versions",
        templates.TemplateVersionViewSet.as_view({"get": "list"}),
        name="v1_template_version_list",
    ),
    path(
        "templates/<uuid:id>/versions/<int:number>/restore",
        templates.TemplateVersionRestoreView.as_view(),
        name="v1_template_version_restore",
    ),
]

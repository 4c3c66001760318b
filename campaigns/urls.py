"""Pages of `campaigns`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from campaigns.v1.outbox import OutboxViewSet
from campaigns.views import (
    campaigns,
    composer,
    doubts,
    history,
    ledger,
    media,
    outbox,
    providers,
    review,
    review_pace,
    senders,
    template_editor,
    templates,
    web_version,
)

app_name = "campaigns"
urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns", campaigns.CampaignListPage.as_view(), name="campaign_list"),
    path("campaigns/new", campaigns.CampaignNewPage.as_view(), name="campaign_new"),
    path("campaigns/convert", composer.BodyConvert.as_view(), name="body_convert"),
    path("campaigns/<uuid:campaign_id>", composer.ComposerPage.as_view(), name="composer"),
    path("campaigns/<uuid:campaign_id>/preview", composer.PreviewFrame.as_view(), name="preview_frame"),
    path("campaigns/<uuid:campaign_id>/versions", history.VersionList.as_view(), name="version_list"),
    path(
        "campaigns/<uuid:campaign_id>/versions/<int:number>", history.VersionDetail.as_view(), name="version_detail"
    ),
    path(
        "campaigns/<uuid:campaign_id>/versions/<int:number>/frame",
        history.VersionFrame.as_view(),
        name="version_frame",
    ),
    path("campaigns/<uuid:campaign_id>/brief", composer.BriefSave.as_view(), name="brief"),
    path("campaigns/<uuid:campaign_id>/angles", composer.AnglesWrite.as_view(), name="angles"),
    path("campaigns/<uuid:campaign_id>/duplicate", campaigns.CampaignDuplicate.as_view(), name="campaign_duplicate"),
    path("campaigns/<uuid:campaign_id>/delete", campaigns.CampaignDelete.as_view(), name="campaign_delete"),
    path("campaigns/<uuid:campaign_id>/template", templates.TemplateSave.as_view(), name="template_save"),
    path("campaigns/<uuid:campaign_id>/review", review.ReviewPage.as_view(), name="review"),
    *(
        path(f"campaigns/<uuid:campaign_id>/review/{verb}", view, name=f"review_{verb}")
        for verb, view in (*review.REVIEW_ACTIONS.items(), *review_pace.PACE_ACTIONS.items())
    ),
    path("templates", templates.TemplateListPage.as_view(), name="template_list"),
    path("templates/new", templates.TemplateNew.as_view(), name="template_new"),
    path("templates/import", template_editor.TemplateImportPage.as_view(), name="template_import"),
    path("templates/starters/<slug:starter>/use", templates.StarterUse.as_view(), name="starter_use"),
    path("templates/starters/<slug:starter>/save", templates.StarterSave.as_view(), name="starter_save"),
    path("templates/starters/<slug:starter>/frame", templates.StarterFrame.as_view(), name="starter_frame"),
    path("templates/<uuid:template_id>", template_editor.TemplatePage.as_view(), name="template"),
    path("templates/<uuid:template_id>/preview", template_editor.TemplatePreview.as_view(), name="template_preview"),
    path("templates/<uuid:template_id>/duplicate", templates.TemplateDuplicate.as_view(), name="template_duplicate"),
    path("templates/<uuid:template_id>/rename", templates.TemplateRename.as_view(), name="template_rename"),
    path(
        "templates/<uuid:template_id>/versions",
        template_editor.TemplateVersionsPage.as_view(),
        name="template_versions",
    ),
    path(
        "templates/<uuid:template_id>/versions/<int:number>/restore",
        template_editor.TemplateVersionRestore.as_view(),
        name="template_version_restore",
    ),
    path("templates/<uuid:template_id>/use", templates.TemplateUse.as_view(), name="template_use"),
    path("templates/<uuid:template_id>/delete", templates.TemplateDelete.as_view(), name="template_delete"),
    path("templates/<uuid:template_id>/frame", templates.TemplateFrame.as_view(), name="template_frame"),
    path("media", media.MediaPage.as_view(), name="media"),
    path("media/<uuid:asset_id>/describe", media.AssetDescribe.as_view(), name="asset_describe"),
    path("media/<uuid:asset_id>/delete", media.AssetDelete.as_view(), name="asset_delete"),
    path("m/<uuid:asset_id>.<slug:extension>", media.PictureFile.as_view(), name="picture"),
    path("senders", senders.SenderListPage.as_view(), name="sender_list"),
    path("senders/new", senders.SenderPage.as_view(), name="sender_new"),
    path("senders/<uuid:sender_id>", senders.SenderPage.as_view(), name="sender"),
    path("senders/<uuid:sender_id>/delete", senders.SenderDelete.as_view(), name="sender_delete"),
    path("senders/domains/new", senders.DomainNewPage.as_view(), name="domain_new"),
    path("senders/domains/<uuid:domain_id>", senders.DomainPage.as_view(), name="domain_detail"),
    path("senders/domains/<uuid:domain_id>/check", senders.DomainCheck.as_view(), name="domain_check"),
    path("senders/domains/<uuid:domain_id>/key", senders.DomainKey.as_view(), name="domain_key"),
    path("senders/domains/<uuid:domain_id>/delete", senders.DomainDelete.as_view(), name="domain_delete"),
    path("settings/sending", providers.SendingPage.as_view(), name="sending"),
    path("settings/sending/installation", providers.InstallationUse.as_view(), name="provider_installation"),
    path("settings/sending/servers/new", providers.ServerPage.as_view(), name="smtp_server_new"),
    path("settings/sending/servers/<uuid:server_id>", providers.ServerPage.as_view(), name="smtp_server"),
    path(
        "settings/sending/servers/<uuid:server_id>/remove",
        providers.ServerRemove.as_view(),
        name="smtp_server_remove",
    ),
    path("settings/sending/<slug:provider>", providers.ProviderPage.as_view(), name="provider"),
    path("settings/sending/<slug:provider>/use", providers.ProviderUse.as_view(), name="provider_use"),
    path("settings/sending/<slug:provider>/test", providers.ProviderTrial.as_view(), name="provider_test"),
    path("settings/sending/<slug:provider>/remove", providers.ProviderRemove.as_view(), name="provider_remove"),
    path("campaigns/<uuid:campaign_id>/messages", ledger.MessageListPage.as_view(), name="message_list"),
    path("campaigns/<uuid:campaign_id>/messages.csv", ledger.MessageExport.as_view(), name="message_export"),
    path("messages/in-doubt", doubts.DoubtListPage.as_view(), name="doubt_list"),
    path("messages/in-doubt/settle", doubts.DoubtSettle.as_view(), name="doubt_settle"),
    path("messages/in-doubt/<uuid:settlement_id>/undo", doubts.DoubtUndo.as_view(), name="doubt_undo"),
    path("messages/<uuid:message_id>/<slug:verb>", ledger.MessageSettlePage.as_view(), name="message_settle"),
    path("outbox", outbox.OutboxPage.as_view(), name="outbox"),
    path("outbox.json", OutboxViewSet.as_view({"get": "list"}), name="outbox_json"),
    path("outbox/readers", outbox.ReadersPage.as_view(), name="outbox_readers"),
    path("outbox/<int:key>", outbox.OutboxMailPage.as_view(), name="outbox_mail"),
    path("outbox/<int:key>/body", outbox.OutboxMailBody.as_view(), name="outbox_body"),
    path("outbox/<int:key>.eml", outbox.OutboxMailFile.as_view(), name="outbox_file"),
    path("w/<str:token>", web_version.WebVersion.as_view(), name="web_version"),
]

"""Pages of `analytics`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.views import hooks
from analytics.views.experiment import ExperimentCard, ExperimentChoose, PlanOutlook
from analytics.views.figures import FiguresPage
from analytics.views.home import HomePage
from analytics.views.insight import FollowUpAction, InsightCard
from analytics.views.live import LiveAction, LivePage, ProvidersFragment
from analytics.views.report import (
    ClickMapFrame,
    ContentFrame,
    ReportContent,
    ReportFile,
    ReportLinks,
    ReportOverview,
    ReportVariants,
)
from analytics.views.report_people import (
    RecipientsFile,
    RecipientsSegment,
    ReportBounces,
    ReportRecipients,
    ReportWhy,
)

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", HomePage.as_view(), name="home"),
    path("analytics", FiguresPage.as_view(), name="campaign_figures"),
    path("campaigns/<uuid:campaign_id>/live", LivePage.as_view(), name="live"),
    path("campaigns/<uuid:campaign_id>/live/providers", ProvidersFragment.as_view(), name="live_providers"),
    path("campaigns/<uuid:campaign_id>/test/card", ExperimentCard.as_view(), name="experiment_card"),
    path("campaigns/<uuid:campaign_id>/test/choose", ExperimentChoose.as_view(), name="experiment_choose"),
    path("campaigns/<uuid:campaign_id>/test/outlook", PlanOutlook.as_view(), name="experiment_outlook"),
    path("campaigns/<uuid:campaign_id>/insight", InsightCard.as_view(), name="insight"),
    path("campaigns/<uuid:campaign_id>/follow-up", FollowUpAction.as_view(), name="follow_up"),
    path("campaigns/<uuid:campaign_id>/live/<slug:action>", LiveAction.as_view(), name="live_action"),
    path("hooks/sendgrid/<str:token>", hooks.sendgrid_events, name="sendgrid_events"),
    path("hooks/bounce/<str:token>", hooks.bounce_mail_in, name="bounce_mail"),
    path("campaigns/<uuid:campaign_id>/report", ReportOverview.as_view(), name="report"),
    path("campaigns/<uuid:campaign_id>/report.csv", ReportFile.as_view(), {"kind": "csv"}, name="report_csv"),
    path("campaigns/<uuid:campaign_id>/report.json", ReportFile.as_view(), {"kind": "json"}, name="report_json"),
    path("campaigns/<uuid:campaign_id>/report/links", ReportLinks.as_view(), name="report_links"),
    path("campaigns/<uuid:campaign_id>/report/links/map", ClickMapFrame.as_view(), name="report_click_map"),
    path("campaigns/<uuid:campaign_id>/report/recipients", ReportRecipients.as_view(), name="report_recipients"),
    path(
        "campaigns/<uuid:campaign_id>/report/recipients.csv",
        RecipientsFile.as_view(),
        {"kind": "csv"},
        name="recipients_csv",
    ),
    path(
        "campaigns/<uuid:campaign_id>/report/recipients.json",
        RecipientsFile.as_view(),
        {"kind": "json"},
        name="recipients_json",
    ),
    path(
        "campaigns/<uuid:campaign_id>/report/recipients/segment",
        RecipientsSegment.as_view(),
        name="recipients_segment",
    ),
    path("campaigns/<uuid:campaign_id>/report/bounces", ReportBounces.as_view(), name="report_bounces"),
    path("campaigns/<uuid:campaign_id>/report/content", ReportContent.as_view(), name="report_content"),
    path("campaigns/<uuid:campaign_id>/report/content/frame", ContentFrame.as_view(), name="report_content_frame"),
    path("campaigns/<uuid:campaign_id>/report/variants", ReportVariants.as_view(), name="report_variants"),
    path("campaigns/<uuid:campaign_id>/report/why", ReportWhy.as_view(), name="report_why"),
]

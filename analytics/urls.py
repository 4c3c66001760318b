"""Pages of `analytics`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.views import hooks
from analytics.views.brake import BrakeCard
from analytics.views.experiment import ExperimentCard, ExperimentChoose, PlanOutlook
from analytics.views.goals import GoalDelete, GoalFormPage, GoalsPage
from analytics.views.home import HomePage
from analytics.views.insight import FollowUpAction, InsightCard
from analytics.views.kept_reports import (
    DeleteReport,
    KeepReport,
    KeptReportPage,
    KeptReportsPage,
    MailReportPage,
    RevokeShare,
    ShareReport,
)
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
from analytics.views.reports import CohortsPage, ComparisonPage, EngagementPage, ReportExport, ReportPage
from analytics.views.rules import RulesPage
from analytics.views.shared_reports import SharedReport, StopReport

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", HomePage.as_view(), name="home"),
    path("campaigns/<uuid:campaign_id>/live", LivePage.as_view(), name="live"),
    path("campaigns/<uuid:campaign_id>/live/providers", ProvidersFragment.as_view(), name="live_providers"),
    path("campaigns/<uuid:campaign_id>/test/card", ExperimentCard.as_view(), name="experiment_card"),
    path("campaigns/<uuid:campaign_id>/test/choose", ExperimentChoose.as_view(), name="experiment_choose"),
    path("campaigns/<uuid:campaign_id>/test/outlook", PlanOutlook.as_view(), name="experiment_outlook"),
    path("campaigns/<uuid:campaign_id>/insight", InsightCard.as_view(), name="insight"),
    path("campaigns/<uuid:campaign_id>/follow-up", FollowUpAction.as_view(), name="follow_up"),
    path("campaigns/<uuid:campaign_id>/live/<slug:action>", LiveAction.as_view(), name="live_action"),
    path("campaigns/<uuid:campaign_id>/brake", BrakeCard.as_view(), name="brake"),
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
    path("reports", ReportPage.as_view(), name="reports"),
    path("reports/compare", ComparisonPage.as_view(), name="report_comparison"),
    path("reports/cohorts", CohortsPage.as_view(), name="report_cohorts"),
    path("reports/engagement", EngagementPage.as_view(), name="report_engagement"),
    path("reports/<slug:kind>/file", ReportExport.as_view(), name="report_export"),
    path("reports/rules", RulesPage.as_view(), name="rules"),
    path("reports/goals", GoalsPage.as_view(), name="goals"),
    path("reports/goals/new", GoalFormPage.as_view(), name="goal_new"),
    path("reports/goals/<uuid:goal_id>", GoalFormPage.as_view(), name="goal"),
    path("reports/goals/<uuid:goal_id>/delete", GoalDelete.as_view(), name="goal_delete"),
    path("reports/keep", KeepReport.as_view(), name="keep_report"),
    path("reports/kept", KeptReportsPage.as_view(), name="kept_reports"),
    path("reports/kept/<uuid:report_id>", KeptReportPage.as_view(), name="kept_report"),
    path("reports/kept/<uuid:report_id>/mail", MailReportPage.as_view(), name="report_mail"),
    path("reports/kept/<uuid:report_id>/share", ShareReport.as_view(), name="report_share"),
    path("reports/kept/<uuid:report_id>/delete", DeleteReport.as_view(), name="report_delete"),
    path("reports/links/<uuid:share_id>/revoke", RevokeShare.as_view(), name="report_share_revoke"),
    path("r/stop/<str:token>", StopReport.as_view(), name="report_stop"),
    path("r/<str:token>", SharedReport.as_view(), name="shared_report"),
]

"""`/v1` endpoints of `analytics`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from analytics.v1 import (
    brake,
    campaigns,
    events,
    experiment,
    goals,
    insight,
    live,
    reclassifications,
    report,
    reports,
    subjects,
)

router = SimpleRouter(trailing_slash=False)
router.register("goals", goals.Goals, basename="goal")
router.register("analytics/reclassifications", reclassifications.Reclassifications, basename="reclassification")
router.register("reports", reports.Reports, basename="report")

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/<uuid:id>/stats", campaigns.StatsView.as_view()),
    path("campaigns/<uuid:id>/links", campaigns.LinksView.as_view()),
    path("campaigns/<uuid:id>/timeline", campaigns.TimelineView.as_view()),
    path("campaigns/<uuid:id>/domains", campaigns.DomainsView.as_view()),
    path("campaigns/<uuid:id>/live", live.LiveView.as_view()),
    path("campaigns/<uuid:id>/experiment", experiment.ExperimentView.as_view()),
    path("campaigns/<uuid:id>/experiment/choose", experiment.ChooseWinnerView.as_view()),
    path("campaigns/<uuid:id>/brake", brake.BrakeView.as_view()),
    path("campaigns/<uuid:id>/release", brake.ReleaseView.as_view()),
    path("campaigns/<uuid:id>/insight", insight.InsightView.as_view()),
    path("campaigns/<uuid:id>/follow-up", insight.FollowUpView.as_view()),
    path("contacts/<uuid:id>/events", events.ContactEvents.as_view({"get": "list"})),
    path("events", events.Conversions.as_view()),
    path("subjects/similar", subjects.SimilarSubjectsView.as_view()),
    path("campaigns/<uuid:id>/report", report.ReportView.as_view()),
    path("campaigns/<uuid:id>/recipients", report.RecipientsView.as_view({"get": "list"})),
    path("campaigns/<uuid:id>/bounces", report.BouncesView.as_view()),
    path("campaigns/<uuid:id>/why", report.WhyView.as_view()),
    path("reports/<uuid:id>/data", reports.ReportData.as_view()),
    path("reports/<uuid:id>/schedule", reports.ReportScheduleView.as_view()),
    path("reports/<uuid:id>/shares", reports.ReportShares.as_view()),
    path("reports/<uuid:id>/shares/<uuid:share_id>", reports.ReportShareView.as_view()),
    path("", include(router.urls)),
]

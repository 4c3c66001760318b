"""Pages of `analytics`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from analytics.views import hooks
from analytics.views.figures import FiguresPage
from analytics.views.home import HomePage
from analytics.views.insight import FollowUpAction, InsightCard
from analytics.views.live import LiveAction, LivePage, ProvidersFragment

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", HomePage.as_view(), name="home"),
    path("analytics", FiguresPage.as_view(), name="campaign_figures"),
    path("campaigns/<uuid:campaign_id>/live", LivePage.as_view(), name="live"),
    path("campaigns/<uuid:campaign_id>/live/providers", ProvidersFragment.as_view(), name="live_providers"),
    path("campaigns/<uuid:campaign_id>/insight", InsightCard.as_view(), name="insight"),
    path("campaigns/<uuid:campaign_id>/follow-up", FollowUpAction.as_view(), name="follow_up"),
    path("campaigns/<uuid:campaign_id>/live/<slug:action>", LiveAction.as_view(), name="live_action"),
    path("hooks/sendgrid/<str:token>", hooks.sendgrid_events, name="sendgrid_events"),
    path("hooks/bounce/<str:token>", hooks.bounce_mail_in, name="bounce_mail"),
]

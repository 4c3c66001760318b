"""`/v1` endpoints of `accounts`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from accounts.v1.views import auth, people, programs, workspace

router = SimpleRouter(trailing_slash=False)
router.register("members", workspace.Members, basename="member")
router.register("invitations", workspace.Invitations, basename="invitation")
router.register("audit", workspace.Audit, basename="audit")
router.register("api-keys", programs.ApiKeys, basename="api-key")
router.register("webhooks", programs.Webhooks, basename="webhook")
router.register("notifications", programs.Notifications, basename="notification")

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/register", auth.Register.as_view()),
    path("auth/token", auth.Token.as_view()),
    path("auth/token/refresh", auth.TokenRefresh.as_view()),
    path("auth/logout", auth.Logout.as_view()),
    path("me", people.Me.as_view()),
    path("me/password", people.Password.as_view()),
    path("workspaces", people.Workspaces.as_view()),
    path("workspace", workspace.WorkspaceDetail.as_view()),
    path("invitations/accept", people.AcceptInvitation.as_view()),
    path("webhooks/<uuid:endpoint_id>/attempts", programs.WebhookAttempts.as_view({"get": "list"})),
    path("webhooks/attempts/<uuid:id>/redeliver", programs.WebhookAttempts.as_view({"post": "redeliver"})),
    path("ws-tickets", workspace.SocketTicket.as_view()),
    path("", include(router.urls)),
]

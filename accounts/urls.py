"""Pages of `accounts`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from accounts.views import public, workspaces
from accounts.views.settings import profile, programs, team, workspace

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", public.SignIn.as_view(), name="sign_in"),
    path("sign-up", public.SignUp.as_view(), name="sign_up"),
    path("sign-out", public.SignOut.as_view(), name="sign_out"),
    path("password/forgot", public.Forgot.as_view(), name="password_forgot"),
    path("password/reset/<str:uid>/<str:token>", public.Reset.as_view(), name="password_reset"),
    path("invitations/<str:token>", public.AcceptInvitation.as_view(), name="invitation"),
    path("workspaces/new", workspaces.NewWorkspace.as_view(), name="workspace_new"),
    path("workspaces/switch", workspaces.SwitchWorkspace.as_view(), name="workspace_switch"),
    path("notifications", profile.NotificationList.as_view(), name="notification_list"),
    path("settings", workspace.WorkspaceSettings.as_view(), name="settings"),
    path("settings/activity", workspace.ActivityLog.as_view(), name="settings_activity"),
    path("settings/danger", workspace.DangerZone.as_view(), name="settings_danger"),
    path("settings/team", team.Team.as_view(), name="settings_team"),
    path("settings/team/<uuid:id>/role", team.ChangeRole.as_view(), name="member_role"),
    path("settings/team/<uuid:id>/remove", team.RemoveMember.as_view(), name="member_remove"),
    path("settings/invitations/<uuid:id>/revoke", team.RevokeInvitation.as_view(), name="invitation_revoke"),
    path("settings/api-keys", programs.ApiKeys.as_view(), name="settings_api_keys"),
    path("settings/api-keys/<uuid:id>/revoke", programs.RevokeApiKey.as_view(), name="api_key_revoke"),
    path("settings/webhooks", programs.Webhooks.as_view(), name="settings_webhooks"),
    path("settings/webhooks/<uuid:id>", programs.WebhookDetail.as_view(), name="settings_webhook"),
    path("settings/webhooks/<uuid:id>/test", programs.TestWebhook.as_view(), name="webhook_test"),
    path("settings/webhooks/<uuid:id>/toggle", programs.ToggleWebhook.as_view(), name="webhook_toggle"),
    path("settings/webhooks/<uuid:id>/delete", programs.DeleteWebhook.as_view(), name="webhook_delete"),
    path("settings/webhooks/attempts/<uuid:id>/redeliver", programs.Redeliver.as_view(), name="webhook_redeliver"),
    path("settings/profile", profile.Profile.as_view(), name="settings_profile"),
    path("settings/profile/password", profile.Password.as_view(), name="password_change"),
    path("settings/profile/sessions/end", profile.EndSessions.as_view(), name="sessions_end"),
]

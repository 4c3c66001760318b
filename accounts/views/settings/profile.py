"""The person: profile, password, sessions, notifications."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.forms import PasswordForm, ProfileForm
from accounts.models import RefreshToken
from accounts.services import notifications, people, sessions
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from accounts.views.settings.base import SettingsFormPage
from pulsequill.core.keyset import paginate
from pulsequill.core.rest.throttling import client_address


class Profile(SettingsFormPage):
    """`/settings/profile`: name, password and where one is signed in."""

    template_name = "accounts/settings/profile.html"
    tab = "profile"
    form_class = ProfileForm

    def make_form(self, data: Any = None) -> ProfileForm:
        """Fill the form with the person."""
        return ProfileForm(data, initial={"name": self.user.name})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the password form and the programs that are signed in."""
        live = RefreshToken.objects.filter(
            user=self.user, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).order_by("-created_at")[:50]
        kwargs.setdefault("password_form", PasswordForm())
        return super().get_context_data(programs=live, **kwargs)

    def accept(self, form: ProfileForm) -> HttpResponseBase:
        """Save the name."""
        people.update_profile(user=self.user, name=form.cleaned_data["name"])
        messages.success(self.request, "Saved.")
        return redirect("accounts:settings_profile")


class Password(Profile):
    """`/settings/profile/password`: the same page, with the other form."""

    form_class = PasswordForm  # type: ignore[assignment]

    def make_form(self, data: Any = None) -> Any:
        """Bind the password form; unbound, the page shows the profile's."""
        return PasswordForm(data) if data is not None else super().make_form()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """There is one page for both forms."""
        return redirect("accounts:settings_profile")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A refused password form is shown beside the profile's."""
        form = kwargs.pop("form", None)
        return super().get_context_data(password_form=form or PasswordForm(), **kwargs)

    def accept(self, form: PasswordForm) -> HttpResponseBase:  # type: ignore[override]
        """Change the password: all other sessions end, this one goes on under a new id."""
        people.change_password(
            user=self.user,
            current=form.cleaned_data["current_password"],
            new=form.cleaned_data["new_password"],
            address=client_address(self.request),
        )
        update_session_auth_hash(self.request, self.user)
        messages.success(self.request, "Your password is changed. Every other session has ended.")
        return redirect("accounts:settings_profile")


class EndSessions(WorkspacePage):
    """`/settings/profile/sessions/end`: sign out everywhere else."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """End them all but this one."""
        sessions.end_all_sessions(user=self.user)
        update_session_auth_hash(request, self.user)
        messages.success(request, "Every other session has ended.")
        return redirect("accounts:settings_profile")


class NotificationList(WorkspaceTemplatePage):
    """`/notifications`: what I am told; looking at it marks nothing, a button does."""

    template_name = "accounts/notifications.html"
    permission = "notification.view"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of lines."""
        rows = notifications.notifications_of(workspace=self.workspace, user=self.user)
        page = paginate(rows, query=self.request.GET, address=self.request.path)
        return super().get_context_data(page=page, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Mark all as read."""
        notifications.mark_read(workspace=self.workspace, user=self.user)
        messages.success(request, "All read.")
        return redirect("accounts:notification_list")

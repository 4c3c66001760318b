"""Workspace, activity and danger zone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect

from accounts.forms import RemoveWorkspaceForm, WorkspaceForm
from accounts.middleware import SESSION_KEY
from accounts.models import Activity
from accounts.services import workspaces
from accounts.views.settings.base import SettingsFormPage, SettingsPage
from pulsequill.core.keyset import paginate


class WorkspaceSettings(SettingsFormPage):
    """`/settings`: what the workspace is called and what stands below its mails."""

    template_name = "accounts/settings/workspace.html"
    tab = "workspace"
    permission_by_method = {"POST": "workspace.edit"}
    form_class = WorkspaceForm

    def make_form(self, data: Any = None) -> WorkspaceForm:
        """Fill the form with the workspace."""
        return WorkspaceForm(data, instance=self.workspace)

    def accept(self, form: WorkspaceForm) -> HttpResponseBase:
        """Save."""
        workspaces.update_workspace(workspace=self.workspace, actor=self.user, **form.changes())
        messages.success(self.request, "Saved.")
        return redirect("accounts:settings")


class ActivityLog(SettingsPage):
    """`/settings/activity`: who did what."""

    template_name = "accounts/settings/activity.html"
    tab = "activity"
    permission = "activity.view"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of the log."""
        page = paginate(
            Activity.objects.for_workspace(self.workspace), query=self.request.GET, address=self.request.path
        )
        return super().get_context_data(page=page, **kwargs)


class DangerZone(SettingsFormPage):
    """`/settings/danger`: removing the workspace; the demo goes with one click."""

    template_name = "accounts/settings/danger.html"
    tab = "danger"
    permission = "workspace.delete"
    form_class = RemoveWorkspaceForm

    def accept(self, form: RemoveWorkspaceForm) -> HttpResponseBase:
        """Remove it with everything in it."""
        name = self.workspace.name
        workspaces.delete_workspace(workspace=self.workspace, confirmation=form.cleaned_data["confirmation"])
        self.request.session.pop(SESSION_KEY, None)
        messages.success(self.request, f"{name} was removed.")
        return redirect("analytics:home")

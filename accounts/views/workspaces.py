"""Making a workspace and going from one to another."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.generic import View

from accounts.forms import WorkspaceNameForm
from accounts.middleware import SESSION_KEY, PlacedRequest
from accounts.services import workspaces
from accounts.views.public import FormPage


class NewWorkspace(LoginRequiredMixin, FormPage):
    """`/workspaces/new`."""

    template_name = "accounts/workspace_new.html"
    form_class = WorkspaceNameForm

    def accept(self, request: HttpRequest, form: WorkspaceNameForm, **_kwargs: Any) -> HttpResponseBase:
        """Make it and go there."""
        workspace = workspaces.create_workspace(owner=request.user, name=form.cleaned_data["name"])  # type: ignore[arg-type]
        request.session[SESSION_KEY] = str(workspace.pk)
        return redirect("analytics:home")


class SwitchWorkspace(LoginRequiredMixin, View):
    """`/workspaces/switch`: go to another workspace of mine."""

    def post(self, request: PlacedRequest) -> HttpResponseBase:
        """Remember the choice in the session.

        Raises:
            Http404: I do not belong to it, or it does not exist.
        """
        wanted = request.POST.get("workspace", "")
        for membership in request.place.memberships:
            if str(membership.workspace_id) == wanted:
                request.session[SESSION_KEY] = wanted
                messages.success(request, f"You are in {membership.workspace.name} now.")
                return redirect("analytics:home")
        raise Http404

"""Set and remove a workspace's own keys at the AI providers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage
from aiwriter.services.keys import remove_provider_key, set_provider_key
from pulsequill.core.errors import Invalid


class KeySet(WorkspacePage):
    """Store a key in place of the one before."""

    permission = "workspace.edit"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store it and go back; the key itself is never shown again."""
        try:
            row = set_provider_key(
                workspace=self.workspace,
                actor=self.user,
                provider=request.POST.get("provider", ""),
                key=request.POST.get("key", ""),
            )
        except Invalid as refusal:
            messages.error(request, f"The key was not saved. {refusal.detail}")
        else:
            messages.success(request, f"Key for {row.get_provider_display()} saved.")
        return redirect("aiwriter:studio")


class KeyRemove(WorkspacePage):
    """Remove a key."""

    permission = "workspace.edit"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Remove it and go back."""
        remove_provider_key(workspace=self.workspace, actor=self.user, provider=request.POST.get("provider", ""))
        messages.success(request, "Key removed.")
        return redirect("aiwriter:studio")

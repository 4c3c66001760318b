"""Settings, Brand: how the workspace's mails look, with a mail that shows it while it is chosen."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.models import Workspace
from accounts.permissions import role_allows
from accounts.services import workspaces
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.content.dark_preview import LOOKS
from campaigns.content.preview import render_preview
from campaigns.content.starters import all_starters
from campaigns.forms import BrandForm
from campaigns.views.live_preview import explained, framed
from campaigns.views.templates import variant_of_starter, with_pictures
from pulsequill.core.errors import DomainError

#: The starter that has a bit of everything.
_SAMPLE = "welcome"


class BrandPage(WorkspaceTemplatePage):
    """Colours, font, logo, and the words below every mail."""

    permission = "workspace.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "workspace.edit"}
    nav = "settings"
    template_name = "campaigns/brand.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form."""
        kwargs.setdefault("form", BrandForm(workspace=self.workspace))
        return super().get_context_data(
            tab="brand", can_edit=role_allows(self.membership.role, "workspace.edit"), **kwargs
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Save."""
        form = BrandForm(request.POST, workspace=self.workspace)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        workspaces.update_workspace(workspace=self.workspace, actor=self.user, **form.changes())
        messages.success(request, "Saved. Every mail that is not sent yet wears it.")
        return redirect("campaigns:brand")


@method_decorator(xframe_options_sameorigin, name="dispatch")
class BrandPreview(WorkspacePage):
    """A sample mail in what the form says, unsaved."""

    permission = "workspace.view"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Render the sample mail."""
        form = BrandForm(request.POST, workspace=self.workspace)
        # What is wrong keeps its stored value here; saving says so.
        form.is_valid()
        changes = form.changes()
        look = LOOKS["own" if request.POST.get("look") == "dark" else "light"]
        return framed(look(_sample(Workspace(pk=self.workspace.pk, name=self.workspace.name, **changes))))

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:  # noqa: ARG002
        """Say what is wrong where the mail would stand."""
        return framed(explained(error.detail), status=error.status)


def _sample(workspace: Workspace) -> str:
    """Return the sample as a mail of a workspace that is not saved."""
    starter = all_starters()[_SAMPLE]
    mail = render_preview(variant=variant_of_starter(starter, workspace), contact=None)
    return with_pictures(mail.html, starter, workspace)

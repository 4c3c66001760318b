"""Saved bodies: look at them, start from them, save one from a campaign."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.content.preview import render_preview
from campaigns.forms import TemplateNameForm
from campaigns.models import Campaign, EmailTemplate, Variant
from campaigns.selectors import campaigns as selectors
from campaigns.services import templates
from campaigns.views.live_preview import FRAME_POLICY
from pulsequill.core.errors import Invalid, NotFound
from pulsequill.core.keyset import paginate

PAGE_SIZE = 24


def _get(page: WorkspacePage, template_id: UUID) -> EmailTemplate:
    found = (
        EmailTemplate.objects.for_workspace(page.workspace).select_related("workspace").filter(pk=template_id).first()
    )
    if found is None:
        raise NotFound
    return found


class TemplateListPage(WorkspaceTemplatePage):
    """The gallery."""

    permission = "campaign.view"
    nav = "templates"
    template_name = "campaigns/template_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of templates."""
        search = self.request.GET.get("q", "")[:200].strip()
        rows = selectors.list_templates(self.workspace, search=search)
        return super().get_context_data(
            page=paginate(rows, query=self.request.GET, address=self.request.path, sort="-updated_at", limit=PAGE_SIZE),
            search=search,
            can_edit=role_allows(self.membership.role, "campaign.edit"),
            **kwargs,
        )


class TemplateUse(WorkspacePage):
    """Start a campaign from a template."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Make the campaign and open it."""
        campaign = templates.start_campaign_from_template(template=_get(self, template_id), actor=self.user)
        return redirect("campaigns:composer", campaign.pk)


class TemplateDelete(WorkspacePage):
    """Delete a template."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:
        """Delete and go back to the gallery."""
        template = _get(self, template_id)
        templates.delete_template(template=template, actor=self.user)
        messages.success(request, f"Deleted the template “{template.name}”.")
        return redirect("campaigns:template_list")


class TemplateSave(WorkspacePage):
    """Save a campaign's content as a template."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save and go to the gallery."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        form = TemplateNameForm(request.POST)
        if not form.is_valid():
            raise Invalid("Give the template a name.")
        label = request.POST.get("variant", "A")[:20]
        template = templates.save_as_template(
            campaign=campaign, label=label, actor=self.user, name=form.cleaned_data["name"]
        )
        messages.success(request, f"Saved as the template “{template.name}”.")
        return redirect("campaigns:template_list")


@method_decorator(xframe_options_sameorigin, name="dispatch")
class TemplateFrame(WorkspacePage):
    """A template as a mail, for the gallery's sandboxed frames."""

    permission = "campaign.view"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Render the template with fallbacks."""
        template = _get(self, template_id)
        campaign = Campaign(workspace=self.workspace, name=template.name)
        variant = Variant(
            workspace=self.workspace,
            campaign=campaign,
            subject=template.subject,
            preview_text=template.preview_text,
            format=template.format,
            body=template.body,
        )
        html = render_preview(variant=variant, contact=None).html
        return HttpResponse(html, headers={"Content-Security-Policy": FRAME_POLICY, "Referrer-Policy": "no-referrer"})

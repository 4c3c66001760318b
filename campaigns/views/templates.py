"""The gallery: what the workspace saved, what everybody may begin with, and everything that is done from a card."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.models import Workspace
from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.content.brand import Brand
from campaigns.content.dark_preview import LOOKS
from campaigns.content.preview import Preview, render_preview
from campaigns.content.starters import Starter, all_starters
from campaigns.content.starters.pictures import draw_picture
from campaigns.forms import TemplateDetailsForm, TemplateNameForm
from campaigns.models import Campaign, EmailTemplate, Variant
from campaigns.selectors import campaigns as selectors
from campaigns.selectors.templates import get_template, list_templates
from campaigns.services import templates
from campaigns.views.live_preview import explained, framed
from pulsequill.core.errors import DomainError, Invalid, NotFound
from pulsequill.core.keyset import paginate

PAGE_SIZE = 24
TABS = ("yours", "starters")
#: Where a starter's pictures are until it is used: no such host exists, and frames get them as data.
_DRAWN_LATER = "https://starter.invalid/"


def find_starter(key: str) -> Starter:
    """Return a starter by its key.

    Raises:
        NotFound: there is none.
    """
    found = all_starters().get(key)
    if found is None:
        raise NotFound
    return found


def unsaved_variant(template: EmailTemplate) -> Variant:
    """Return a template's content as a variant, for rendering."""
    campaign = Campaign(workspace=template.workspace, name=template.name)
    content = {name: getattr(template, name) for name in ("subject", "preview_text", "format", "body")}
    return Variant(workspace=template.workspace, campaign=campaign, **content)


def variant_of_starter(starter: Starter, workspace: Workspace) -> Variant:
    """Return a starter as a variant, for rendering; `with_pictures` completes the result."""
    body = starter.blocks(lambda name: f"{_DRAWN_LATER}{name}.png")
    template = EmailTemplate(
        workspace=workspace, name=starter.name, subject=starter.subject, preview_text=starter.preview_text, body=body
    )
    return unsaved_variant(template)


def with_pictures(page: str, starter: Starter, workspace: Workspace) -> str:
    """Return a rendered starter with its pictures drawn into it."""
    brand = Brand.of(workspace.brand)
    for name in starter.pictures:
        data = b64encode(draw_picture(name, brand)).decode("ascii")
        page = page.replace(f"{_DRAWN_LATER}{name}.png", f"data:image/png;base64,{data}")
    return page


class TemplateListPage(WorkspaceTemplatePage):
    """The gallery."""

    permission = "campaign.view"
    nav = "templates"
    template_name = "campaigns/template_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of templates, or the starters."""
        search = self.request.GET.get("q", "")[:200].strip()
        purpose = self.request.GET.get("purpose", "")
        purpose = purpose if purpose in EmailTemplate.Purpose.values else ""
        rows = list_templates(self.workspace, search=search, purpose=purpose)
        mine = EmailTemplate.objects.for_workspace(self.workspace).count()
        wanted = self.request.GET.get("tab", "")
        tab = wanted if wanted in TABS else "yours" if mine else "starters"
        return super().get_context_data(
            page=paginate(rows, query=self.request.GET, address=self.request.path, sort="-updated_at", limit=PAGE_SIZE)
            if tab == "yours"
            else None,
            starters=_matching(search, purpose) if tab == "starters" else [],
            tab=tab,
            counts={"yours": mine, "starters": len(all_starters())},
            search=search,
            purpose=purpose,
            purposes=EmailTemplate.Purpose.choices,
            can_edit=role_allows(self.membership.role, "campaign.edit"),
            **kwargs,
        )


def _matching(search: str, purpose: str) -> list[Starter]:
    words = search.lower()
    return [
        starter
        for starter in all_starters().values()
        if (not purpose or starter.purpose == purpose)
        and words in f"{starter.name} {starter.summary} {starter.subject}".lower()
    ]


class _Action(WorkspacePage):
    """Base of what is done with a press of a button."""

    permission = "campaign.edit"
    http_method_names = ["post"]


class TemplateNew(_Action):
    """An empty template."""

    def post(self, request: HttpRequest) -> HttpResponseBase:  # noqa: ARG002
        """Make it and open it."""
        name = templates.free_name(self.workspace, "Untitled template")
        made = templates.create_template(workspace=self.workspace, actor=self.user, name=name)
        return redirect("campaigns:template", made.pk)


class TemplateUse(_Action):
    """Start a campaign from a template."""

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Make the campaign and open it."""
        template = get_template(self.workspace, template_id)
        campaign = templates.start_campaign_from_template(template=template, actor=self.user)
        return redirect("campaigns:composer", campaign.pk)


class TemplateDuplicate(_Action):
    """Copy a template."""

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:
        """Copy it and go back to the gallery, where the copy comes first."""
        copy = templates.duplicate_template(template=get_template(self.workspace, template_id), actor=self.user)
        messages.success(request, f"Copied. The copy is called “{copy.name}”.")
        return redirect("campaigns:template_list")


class TemplateRename(_Action):
    """Change what a template is called and what it is for."""

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:
        """Save both."""
        template = get_template(self.workspace, template_id)
        form = TemplateDetailsForm(request.POST)
        if not form.is_valid():
            raise Invalid("Give the template a name of at most 120 characters.")
        changed = templates.update_template(template=template, actor=self.user, **form.cleaned_data)
        messages.success(request, f"Now called “{changed.name}”.")
        return redirect("campaigns:template_list")


class TemplateDelete(_Action):
    """Delete a template."""

    def post(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:
        """Delete; a script that waited for an undo gets no page."""
        templates.delete_template(template=get_template(self.workspace, template_id), actor=self.user)
        if "application/json" in request.headers.get("Accept", ""):
            return HttpResponse(status=204)
        messages.success(request, "Deleted.")
        return redirect("campaigns:template_list")


class TemplateSave(_Action):
    """Save a campaign's content as a template."""

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


class StarterUse(_Action):
    """Start a campaign from a starter."""

    def post(self, request: HttpRequest, starter: str) -> HttpResponseBase:  # noqa: ARG002
        """Make the campaign and open it."""
        campaign = templates.start_campaign_from_starter(
            workspace=self.workspace, actor=self.user, starter=find_starter(starter)
        )
        return redirect("campaigns:composer", campaign.pk)


class StarterSave(_Action):
    """Make a starter one's own."""

    def post(self, request: HttpRequest, starter: str) -> HttpResponseBase:  # noqa: ARG002
        """Save it as a template and open that."""
        template = templates.create_from_starter(
            workspace=self.workspace, actor=self.user, starter=find_starter(starter)
        )
        return redirect("campaigns:template", template.pk)


@method_decorator(xframe_options_sameorigin, name="dispatch")
class _Frame(WorkspacePage):
    """A mail for the gallery's sandboxed frames; `?look=` is light, dark, or text."""

    permission = "campaign.view"
    http_method_names = ["get"]

    def respond(self, variant: Variant) -> HttpResponseBase:
        """Render for somebody of whom nothing is known."""
        look = self.request.GET.get("look", "light")
        try:
            seen = render_preview(variant=variant, contact=None)
        except Invalid as refusal:
            return framed(explained(refusal.detail))
        if look == "text":
            return framed(_as_text(seen))
        return framed(LOOKS["own" if look == "dark" else "light"](seen.html))

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:  # noqa: ARG002
        """Say what is wrong where the mail would stand."""
        return framed(explained(error.detail), status=error.status)


def _as_text(seen: Preview) -> str:
    return format_html(
        '<!doctype html><html lang="en"><title>Plain text</title><style>body{{margin:0;padding:24px;background:#fff;'
        "color:#1c1925;font:13px/1.6 ui-monospace,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}}"
        "</style><body>{}</body></html>",
        seen.text,
    )


class TemplateFrame(_Frame):
    """A template as a mail."""

    def get(self, request: HttpRequest, template_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Render the template with fallbacks."""
        return self.respond(unsaved_variant(get_template(self.workspace, template_id)))


class StarterFrame(_Frame):
    """A starter as a mail in the workspace's own colours, its pictures drawn in."""

    def get(self, request: HttpRequest, starter: str) -> HttpResponseBase:  # noqa: ARG002
        """Render the starter with fallbacks."""
        chosen = find_starter(starter)
        answer = self.respond(variant_of_starter(chosen, self.workspace))
        if isinstance(answer, HttpResponse):
            answer.content = with_pictures(answer.content.decode(), chosen, self.workspace).encode()
        return answer

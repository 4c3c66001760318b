"""One template: its editor, its history, and taking one in from pasted HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.gateway.keys import providers_for
from campaigns.content.blocks import NETWORK_NAMES
from campaigns.content.comparing import DiffRow
from campaigns.content.importing import import_html
from campaigns.forms import TemplateImportForm
from campaigns.models import TemplateVersion, Variant
from campaigns.selectors.templates import get_template, get_template_version
from campaigns.services import templates, versions
from campaigns.views.composer import SUBJECT_LINES, tags_for_editor
from campaigns.views.live_preview import LivePreview
from campaigns.views.templates import unsaved_variant
from pulsequill.core.errors import Invalid
from pulsequill.core.rest.etags import etag_of

#: Where the session keeps what an import left out, until its page was shown.
_REPORT = "template_import"
#: Rows that are the same are folded up when more than this many stand together.
_UNCHANGED_SHOWN = 2


class TemplatePage(WorkspaceTemplatePage):
    """The editor: the composer's own, on a template."""

    permission = "campaign.view"
    nav = "templates"
    template_name = "campaigns/template.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add everything that the page's script starts from."""
        template = get_template(self.workspace, kwargs["template_id"])
        can_edit = role_allows(self.membership.role, "campaign.edit")
        report = self.request.session.get(_REPORT)
        if report and report["template"] == str(template.pk):
            del self.request.session[_REPORT]
        else:
            report = None
        data = {
            "revision": etag_of(template).strip('"'),
            "content": {
                "subject": template.subject,
                "preview_text": template.preview_text,
                "format": template.format,
                "body": template.body,
            },
            "tags": tags_for_editor(self.workspace),
            "networks": list(NETWORK_NAMES),
            "canEdit": can_edit,
            "hasModel": bool(providers_for(self.workspace.pk)),
            "urls": {
                "api": reverse("v1_template", args=[template.pk]),
                "preview": reverse("campaigns:template_preview", args=[template.pk]),
                "convert": reverse("campaigns:body_convert"),
                "editor": static("django_prose_editor/editor.js"),
                "contacts": "/v1/contacts",
            },
        }
        return super().get_context_data(
            template=template,
            can_edit=can_edit,
            data=data,
            report=report,
            sample=None,
            subject_lines=SUBJECT_LINES,
            has_lab=can_edit,
            saved_words="Saved",
            from_name=self.workspace.name,
            **kwargs,
        )


class TemplatePreview(LivePreview):
    """The template as it is being written."""

    def written(self, asked: Mapping[str, Any], **kwargs: Any) -> Variant:  # noqa: ARG002
        """Return the stored template as a variant."""
        return unsaved_variant(get_template(self.workspace, kwargs["template_id"]))


class TemplateVersionsPage(WorkspaceTemplatePage):
    """The history: every kept version, and what changed between one and now."""

    permission = "campaign.view"
    nav = "templates"
    template_name = "campaigns/template_versions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the versions, and the comparison of the chosen one with what the template says now."""
        template = get_template(self.workspace, kwargs["template_id"])
        kept = list(versions.list_versions(template))
        chosen = self._chosen(kept)
        shown = get_template_version(template, chosen.number) if chosen else None
        rows = versions.diff(shown, template) if shown else []
        return super().get_context_data(
            template=template,
            versions=kept,
            current=kept[0] if kept else None,
            chosen=shown,
            groups=_folded(rows),
            is_same=all(row.kind == "same" for row in rows),
            can_edit=role_allows(self.membership.role, "campaign.edit"),
            **kwargs,
        )

    def _chosen(self, kept: list[TemplateVersion]) -> TemplateVersion | None:
        """Return the version that the address names, else the one before the newest."""
        wanted = self.request.GET.get("version", "")
        named = next((version for version in kept if str(version.number) == wanted), None)
        return named or (kept[1] if len(kept) > 1 else kept[0] if kept else None)


def _folded(rows: list[DiffRow]) -> list[dict[str, Any]]:
    """Return the rows in groups; long runs of rows that are the same are marked to be folded up."""
    groups: list[dict[str, Any]] = []
    for row in rows:
        is_same = row.kind == "same"
        if not groups or groups[-1]["is_same"] is not is_same:
            groups.append({"is_same": is_same, "rows": []})
        groups[-1]["rows"].append(row)
    for group in groups:
        group["is_folded"] = group["is_same"] and len(group["rows"]) > _UNCHANGED_SHOWN
    return groups


class TemplateVersionRestore(WorkspacePage):
    """Going back to a version."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, template_id: UUID, number: int) -> HttpResponseBase:
        """Restore; the state before it is the version below the newest."""
        template = get_template(self.workspace, template_id)
        version = get_template_version(template, number)
        versions.restore_template_version(version=version, actor=self.user)
        messages.success(request, f"Back at version {number}. What was there before is kept in this list.")
        return redirect("campaigns:template_versions", template_id)


class TemplateImportPage(WorkspaceTemplatePage):
    """Pasted or uploaded HTML becomes a template."""

    permission = "campaign.edit"
    nav = "templates"
    template_name = "campaigns/template_import.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form."""
        kwargs.setdefault("form", TemplateImportForm())
        return super().get_context_data(max_kilobytes=TemplateImportForm.MAX_KILOBYTES, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Clean it, save it, and open it with the report of what was left out."""
        form = TemplateImportForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                return self._take_in(form.cleaned_data["name"], form.cleaned_data["source"])
            except Invalid as refusal:
                form.add_error("html", refusal.detail)
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def _take_in(self, name: str, source: str) -> HttpResponseBase:
        found = import_html(source)
        name = name or found.title or "Imported mail"
        made = templates.create_template(
            workspace=self.workspace,
            actor=self.user,
            name=templates.free_name(self.workspace, name[:100]),
            subject=found.title,
            format=Variant.Format.HTML,
            body=found.body,
        )
        self.request.session[_REPORT] = {
            "template": str(made.pk),
            "removed": found.removed,
            "notes": found.notes,
            "pictures": [asdict(picture) for picture in found.pictures],
        }
        return redirect("campaigns:template", made.pk)

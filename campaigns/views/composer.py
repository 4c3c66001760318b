"""The composer: brief, angles, blocks and preview on one page. Its script edits through `/v1`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter import selectors as writer
from aiwriter.models import Draft, Generation
from audiences import selectors as audiences
from audiences.models import Contact
from campaigns.content.blocks import NETWORKS
from campaigns.content.merge_tags import SYSTEM_LABELS
from campaigns.content.preview import render_preview
from campaigns.lifecycle import EDITABLE
from campaigns.models import Campaign, Variant
from campaigns.selectors import campaigns as selectors
from campaigns.selectors.campaigns import get_sample_contact
from campaigns.services import adopting
from campaigns.views.campaigns import page_of
from campaigns.views.json_input import read_json
from pulsequill.core.errors import DomainError, FieldError, Invalid

#: The mail in the frame may show pictures and its own styles, and nothing else: no scripts, forms or requests.
FRAME_POLICY = (
    f"default-src 'none'; img-src https: data: {settings.PUBLIC_URL}; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def brief_as_json(campaign: Campaign) -> dict[str, Any]:
    """Return the brief's fields for the form of the composer."""
    brief = campaign.brief
    if brief is None:
        return {name: [] if name in ("facts", "must_not_say") else "" for name in BRIEF_INPUTS}
    return {name: getattr(brief, name) for name in BRIEF_INPUTS}


#: The fields that the composer's brief shows.
BRIEF_INPUTS = ("goal", "audience", "offer", "tone", "length", "cta_label", "cta_url", "facts", "must_not_say")
_LINES = frozenset({"facts", "must_not_say"})
_MAX_LINES = 20


def clean_brief(data: dict[str, Any]) -> dict[str, Any]:
    """Return the brief's fields as the page sent them, shape checked.

    Raises:
        Invalid: a field has the wrong type or length, or there is no goal.
    """
    fields: dict[str, Any] = {}
    for name in BRIEF_INPUTS:
        if name not in data:
            continue
        value = data[name]
        if name in _LINES:
            if not isinstance(value, list) or len(value) > _MAX_LINES or not all(isinstance(one, str) for one in value):
                raise _refused(name, f"This must be a list of at most {_MAX_LINES} texts.")
            fields[name] = [one.strip()[:500] for one in value if one.strip()]
        elif not isinstance(value, str):
            raise _refused(name, "This must be text.")
        else:
            fields[name] = value.strip()
    if not fields.get("goal"):
        raise _refused("goal", "Say in one sentence what this mail should achieve.")
    fields["length"] = fields.get("length") or "medium"
    return fields


def _refused(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, "invalid", detail)])


def last_generation(campaign: Campaign) -> Generation | None:
    """Return the last set of drafts that was asked for this campaign."""
    return (
        writer.list_generations(campaign.workspace).filter(campaign_id=campaign.pk, kind=Generation.Kind.DRAFTS).first()
    )


def decided_drafts(generation: Generation | None) -> dict[int, str]:
    """Return what people said to the drafts: position -> accepted or rejected."""
    looks = {Draft.Status.ACCEPTED: "accepted", Draft.Status.EDITED: "accepted", Draft.Status.REJECTED: "rejected"}
    drafts = generation.ordered_drafts if generation else []
    return {draft.position: looks[Draft.Status(draft.status)] for draft in drafts if draft.status in looks}


class ComposerPage(WorkspaceTemplatePage):
    """Where a campaign is written."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/composer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the composer; what is no draft any more is shown where it is watched or reviewed."""
        campaign = selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        if campaign.status not in EDITABLE:
            return redirect(page_of(campaign))
        return self.render_to_response(self.get_context_data(campaign=campaign))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add everything that the page's script starts from."""
        campaign: Campaign = kwargs["campaign"]
        variant = selectors.get_variant(campaign, self.request.GET.get("variant", "")[:40])
        can_edit = role_allows(self.membership.role, "campaign.edit")
        generation = last_generation(campaign)
        tags = audiences.known_merge_tags(self.workspace)
        sample = get_sample_contact(campaign)
        data = {
            "campaign": str(campaign.pk),
            "revision": campaign.revision,
            "label": variant.label,
            "format": variant.format,
            "content": {"subject": variant.subject, "preview_text": variant.preview_text, "body": variant.body},
            "tags": [
                *({"name": tag.key, "label": tag.label, "fallback": tag.fallback} for tag in tags.values()),
                *({"name": name, "label": label, "fallback": ""} for name, label in SYSTEM_LABELS.items()),
            ],
            "networks": list(NETWORKS),
            "brief": brief_as_json(campaign),
            "canEdit": can_edit,
            "sample": {"id": str(sample.pk), "email": sample.email} if sample else None,
            "generation": str(generation.pk) if generation else None,
            "decided": decided_drafts(generation),
            "urls": {
                "api": reverse("v1_campaign", args=[campaign.pk]),
                "preview": reverse("v1_campaign_preview", args=[campaign.pk]),
                "adopt": reverse("v1_campaign_adopt", args=[campaign.pk]),
                "frame": reverse("campaigns:preview_frame", args=[campaign.pk]),
                "brief": reverse("campaigns:brief", args=[campaign.pk]),
                "angles": reverse("campaigns:angles", args=[campaign.pk]),
                "editor": static("django_prose_editor/editor.js"),
                "contacts": "/v1/contacts",
            },
        }
        return super().get_context_data(
            shell_class="rail",
            variant=variant,
            variants=list(campaign.variants.all()),
            brief=data["brief"],
            can_edit=can_edit,
            cannot_edit=not can_edit,
            sample=sample,
            generation=generation,
            data=data,
            is_blocks=variant.format == Variant.Format.BLOCKS,
            **kwargs,
        )


class BriefSave(WorkspacePage):
    """Keep the brief."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save the fields; answers the campaign's revision."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        changed = adopting.save_brief(campaign=campaign, actor=self.user, fields=clean_brief(read_json(request)))
        return JsonResponse({"revision": changed.revision})

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:  # noqa: ARG002
        """Answer the page's script."""
        return problem(error)


class AnglesWrite(BriefSave):
    """Ask the writer for three angles."""

    permission = "draft.edit"

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save the brief and start writing; answers the generation to watch."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        generation = adopting.write_angles(
            campaign=campaign, actor=self.user, brief_fields=clean_brief(read_json(request))
        )
        revision = selectors.get_campaign(self.workspace, campaign_id).revision
        return JsonResponse({"generation": str(generation.pk), "revision": revision}, status=202)


def problem(error: DomainError) -> JsonResponse:
    """Return a refusal as problem+json, as `/v1` has it."""
    errors = [{"field": one.field, "code": one.code, "detail": one.detail} for one in error.errors]
    body = {"title": error.title, "status": error.status, "detail": error.detail, "code": error.code, "errors": errors}
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


@method_decorator(xframe_options_sameorigin, name="dispatch")
class PreviewFrame(WorkspacePage):
    """The mail itself, for the sandboxed frame: its own document with its own strict policy."""

    permission = "campaign.view"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Render a variant as a contact would get it."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        variant = selectors.get_variant(campaign, request.GET.get("variant", "")[:40])
        try:
            html = render_preview(variant=variant, contact=self._contact(request)).html
        except Invalid as refusal:
            html = _explain(refusal.detail)
        return HttpResponse(
            html,
            headers={
                "Content-Security-Policy": FRAME_POLICY,
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            },
        )

    def _contact(self, request: HttpRequest) -> Contact | None:
        text = request.GET.get("contact", "")
        if not text:
            return None
        try:
            wanted = UUID(text)
        except ValueError as error:
            raise Http404 from error
        contact = Contact.objects.for_workspace(self.workspace).filter(pk=wanted).first()
        if contact is None:
            raise Http404
        return contact

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:  # noqa: ARG002
        """Say what is wrong where the mail would stand."""
        return HttpResponse(
            _explain(error.detail), status=error.status, headers={"Content-Security-Policy": FRAME_POLICY}
        )


def _explain(detail: str) -> str:
    return format_html(
        '<!doctype html><html lang="en"><title>Preview</title><style>body{{font:15px/1.5 system-ui,sans-serif;'
        "padding:32px;color-scheme:light dark}}</style><body><p>{}</p></body></html>",
        detail,
    )

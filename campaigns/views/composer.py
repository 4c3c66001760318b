"""The composer: brief, angles, blocks and preview on one page. Its script edits through `/v1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse

from accounts.models import Workspace
from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter import selectors as writer
from aiwriter.gateway.keys import providers_for
from aiwriter.guardrails.tongue import LANGUAGE_NAMES
from aiwriter.models import BrandVoice, Draft, Generation
from aiwriter.voice.versions import list_voice_cards
from audiences import selectors as audiences
from campaigns.content.blocks import NETWORK_NAMES
from campaigns.content.brand import Brand
from campaigns.content.converting import convert
from campaigns.content.merge_tags import SYSTEM_LABELS
from campaigns.content.preview import render_preview
from campaigns.lifecycle import EDITABLE
from campaigns.models import Campaign, Variant
from campaigns.selectors import campaigns as selectors
from campaigns.selectors.campaigns import get_sample_contact
from campaigns.services import adopting
from campaigns.views.campaigns import page_of
from campaigns.views.json_input import read_json
from campaigns.views.live_preview import LivePreview, explained, framed, problem, with_content
from pulsequill.core.errors import DomainError, FieldError, Invalid


def brief_as_json(campaign: Campaign) -> dict[str, Any]:
    """Return the brief's fields for the form of the composer."""
    brief = campaign.brief
    if brief is None:
        return {name: [] if name in _LINES else "" for name in BRIEF_INPUTS}
    fields = {name: getattr(brief, name) for name in BRIEF_INPUTS}
    return {**fields, "brand_voice": str(brief.brand_voice_id or "")}


#: The fields that the composer's brief shows.
BRIEF_INPUTS = (
    "goal", "audience", "offer", "tone", "length", "language", "brand_voice", "cta_label", "cta_url", "facts",
    "must_say", "must_not_say",
)  # fmt: skip
_LINES = frozenset({"facts", "must_say", "must_not_say"})
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
    fields["language"] = fields.get("language") or "en"
    return fields


def _refused(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, "invalid", detail)])


def voices_for(campaign: Campaign) -> list[BrandVoice]:
    """Return the voices a brief can ask for; the version that it asks for already is among them."""
    voices = [card.current for card in list_voice_cards(campaign.workspace) if card.current]
    chosen = campaign.brief.brand_voice if campaign.brief else None
    return voices if chosen is None or chosen in voices else [*voices, chosen]


def languages_for(current: str) -> list[tuple[str, str]]:
    """Return the languages a brief can ask for, by name; one that it asks for already is among them."""
    named = sorted(LANGUAGE_NAMES.items(), key=lambda item: item[1])
    return named if not current or current in LANGUAGE_NAMES else [*named, (current, current)]


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


#: Name, words, how many characters inboxes show, and what stands in the empty line.
SUBJECT_LINES = (
    ("subject", "Subject", 50, "What makes them open it"),
    ("preview_text", "Preheader", 90, "What stands beside the subject"),
)


def tags_for_editor(workspace: Workspace) -> list[dict[str, Any]]:
    """Return every merge tag that means something in a workspace, for the editor's script."""
    return [
        *(
            {"name": tag.key, "label": tag.label, "fallback": tag.fallback}
            for tag in audiences.known_merge_tags(workspace).values()
        ),
        *({"name": name, "label": label, "fallback": "", "isSystem": True} for name, label in SYSTEM_LABELS.items()),
    ]


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
        sample = get_sample_contact(campaign)
        data: dict[str, Any] = {
            "campaign": str(campaign.pk),
            "revision": campaign.revision,
            "label": variant.label,
            "content": {
                "subject": variant.subject,
                "preview_text": variant.preview_text,
                "format": variant.format,
                "body": variant.body,
            },
            "tags": tags_for_editor(self.workspace),
            "networks": list(NETWORK_NAMES),
            "brief": brief_as_json(campaign),
            "canEdit": can_edit,
            "hasModel": bool(providers_for(self.workspace.pk)),
            "sample": {"id": str(sample.pk), "email": sample.email} if sample else None,
            "generation": str(generation.pk) if generation else None,
            "isWritten": bool(generation and generation.is_finished),
            "decided": decided_drafts(generation),
            "urls": {
                "api": reverse("v1_campaign", args=[campaign.pk]),
                "preview": reverse("campaigns:preview_frame", args=[campaign.pk]),
                "convert": reverse("campaigns:body_convert"),
                "versions": f"{reverse('campaigns:version_list', args=[campaign.pk])}?variant={variant.label}",
                "adopt": reverse("v1_campaign_adopt", args=[campaign.pk]),
                "brief": reverse("campaigns:brief", args=[campaign.pk]),
                "angles": reverse("campaigns:angles", args=[campaign.pk]),
                "editor": static("django_prose_editor/editor.js"),
                "claims": reverse("v1_campaign_claims", args=[campaign.pk]),
                "contacts": "/v1/contacts",
            },
        }
        return super().get_context_data(
            shell_class="rail",
            variant=variant,
            variants=list(campaign.variants.all()),
            brief=data["brief"],
            voices=voices_for(campaign),
            languages=languages_for(data["brief"]["language"]),
            can_edit=can_edit,
            cannot_edit=not can_edit,
            sample=sample,
            generation=generation,
            data=data,
            subject_lines=SUBJECT_LINES,
            has_history=True,
            has_lab=can_edit,
            saved_words=f"Version {campaign.revision}",
            from_name=variant.comes_from.from_name if variant.comes_from else self.workspace.name,
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


class PreviewFrame(LivePreview):
    """The mail itself, for a sandboxed frame: as it is saved (GET), or as it is being written (POST)."""

    http_method_names = ["get", "post"]

    def written(self, asked: Mapping[str, Any], **kwargs: Any) -> Variant:
        """Return the campaign's variant."""
        campaign = selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        return selectors.get_variant(campaign, str(asked.get("variant") or "")[:40])

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Render a saved variant as a contact would get it."""
        variant = self.written(request.GET, **kwargs)
        contact = self.contact(request.GET.get("contact"))
        try:
            return framed(render_preview(variant=variant, contact=contact).html)
        except Invalid as refusal:
            return framed(explained(refusal.detail))


class BodyConvert(WorkspacePage):
    """Turn a body into another format, for the code tab; nothing is saved."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the new body and what would be lost, in sentences."""
        asked = read_json(request)
        unsaved = Variant(workspace=self.workspace)
        content = with_content(unsaved, asked)
        converted = convert(
            content.body,
            content.format,
            str(asked.get("to")),
            brand=Brand.of(self.workspace.brand),
            title=content.subject,
        )
        return JsonResponse({"body": converted.body, "losses": list(converted.losses)})

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:  # noqa: ARG002
        """Answer the page's script."""
        return problem(error)

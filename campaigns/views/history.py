"""The history of a variant, for the composer's panel: which versions there are, what each said, what differs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.content.preview import render_preview
from campaigns.models import Variant, VariantVersion
from campaigns.selectors import campaigns as selectors
from campaigns.services import versions
from campaigns.views.live_preview import explained, framed
from pulsequill.core.errors import Invalid


def _variant(page: WorkspacePage, request: HttpRequest, **kwargs: Any) -> Variant:
    campaign = selectors.get_campaign(page.workspace, kwargs["campaign_id"])
    return selectors.get_variant(campaign, request.GET.get("variant", "")[:40])


def _version(page: WorkspacePage, request: HttpRequest, **kwargs: Any) -> VariantVersion:
    return selectors.get_variant_version(_variant(page, request, **kwargs), kwargs["number"])


def as_variant(version: VariantVersion) -> Variant:
    """Return the variant as it was then, unsaved, so that it can be compiled."""
    variant = version.variant
    fields = ("subject", "preview_text", "format", "body", "text")
    return Variant(
        workspace=variant.workspace,
        campaign=variant.campaign,
        label=variant.label,
        **{name: getattr(version, name) for name in fields},
    )


class VersionList(WorkspaceTemplatePage):
    """The list: who, when, why."""

    permission = "campaign.view"
    template_name = "campaigns/_version_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the versions with the addresses of what the panel shows of each."""
        variant = _variant(self, self.request, **kwargs)
        rows = [
            (version, reverse("campaigns:version_detail", args=[variant.campaign_id, version.number]))
            for version in versions.list_versions(variant)
        ]
        return super().get_context_data(rows=rows, label=variant.label, **kwargs)


class VersionDetail(WorkspaceTemplatePage):
    """One version: what it looked like, and what differs from what the variant says now."""

    permission = "campaign.view"
    template_name = "campaigns/_version_detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the rows in which it differs from the saved variant."""
        version = _version(self, self.request, **kwargs)
        campaign_id = version.variant.campaign_id
        rows = versions.diff(version, version.variant)
        label = f"?variant={version.variant.label}"
        return super().get_context_data(
            version=version,
            rows=[row for row in rows if row.kind != "same"],
            frame=reverse("campaigns:version_frame", args=[campaign_id, version.number]) + label,
            restore=reverse("v1_variant_version_restore", args=[campaign_id, version.number]) + label,
            can_edit=role_allows(self.membership.role, "campaign.edit"),
            **kwargs,
        )


@method_decorator(xframe_options_sameorigin, name="dispatch")
class VersionFrame(WorkspacePage):
    """A version as a mail, for a sandboxed frame."""

    permission = "campaign.view"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Render the version with fallbacks."""
        version = _version(self, request, **kwargs)
        try:
            return framed(render_preview(variant=as_variant(version), contact=None).html)
        except Invalid as refusal:
            return framed(explained(refusal.detail))

"""Pictures: the page that keeps them, and the public address that mails show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.generic import View

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.content.pictures import CONTENT_TYPES, MAX_BYTES, MAX_PIXELS
from campaigns.models import Asset
from campaigns.selectors.assets import get_public_asset, list_assets
from campaigns.services import assets
from pulsequill.core.errors import DomainError, NotFound
from pulsequill.core.keyset import paginate

PAGE_SIZE = 24


def _get(page: WorkspacePage, asset_id: UUID) -> Asset:
    found = Asset.objects.for_workspace(page.workspace).select_related("workspace").filter(pk=asset_id).first()
    if found is None:
        raise NotFound
    return found


class MediaPage(WorkspaceTemplatePage):
    """The grid of pictures."""

    permission = "campaign.view"
    permission_by_method = {"POST": "campaign.edit"}
    nav = "media"
    template_name = "campaigns/media.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of pictures and the limits."""
        search = self.request.GET.get("q", "")[:200].strip()
        rows = list_assets(self.workspace, search=search)
        return super().get_context_data(
            page=paginate(rows, query=self.request.GET, address=self.request.path, limit=PAGE_SIZE),
            search=search,
            can_edit=role_allows(self.membership.role, "campaign.edit"),
            accepted=",".join(CONTENT_TYPES.values()),
            max_megabytes=MAX_BYTES // 1024**2,
            max_megapixels=MAX_PIXELS // 10**6,
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take a picture in; a script gets addresses and refusals as JSON."""
        is_script = request.headers.get("Accept", "").startswith("application/json")
        file = request.FILES.get("file")
        problem, is_new = "Choose a picture first.", False
        if file is not None:
            try:
                _, is_new = assets.add_asset(workspace=self.workspace, actor=self.user, file=file, name=file.name or "")
                problem = ""
            except DomainError as error:
                problem = error.detail
        if is_script:
            if problem:
                return JsonResponse({"detail": problem}, status=400)
            return JsonResponse({"url": reverse("campaigns:media"), "is_new": is_new}, status=201)
        if problem:
            messages.error(request, problem)
        else:
            messages.success(request, "Uploaded." if is_new else "This picture is here already.")
        return redirect("campaigns:media")


class AssetDescribe(WorkspacePage):
    """Say what a picture shows."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, asset_id: UUID) -> HttpResponseBase:
        """Save the description and go back to the grid."""
        asset = _get(self, asset_id)
        try:
            assets.describe_asset(asset=asset, alt=request.POST.get("alt", ""))
            messages.success(request, f"Saved what {asset.name} shows.")
        except DomainError as error:
            messages.error(request, error.detail)
        return redirect("campaigns:media")


class AssetDelete(WorkspacePage):
    """Delete a picture."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, asset_id: UUID) -> HttpResponseBase:
        """Delete it, or say where it is shown."""
        asset = _get(self, asset_id)
        try:
            assets.delete_asset(asset=asset, actor=self.user)
            messages.success(request, f"Deleted {asset.name}.")
        except DomainError as error:
            messages.error(request, f"{asset.name} was not deleted. {error.detail}")
        return redirect("campaigns:media")


class PictureFile(View):
    """A picture for mail programs: public, without cookies, kept by caches for good."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, asset_id: UUID, extension: str) -> HttpResponseBase:
        """Return the bytes with the type that we wrote, never one that a browser guesses."""
        asset = get_public_asset(asset_id, extension)
        if asset is None:
            raise Http404
        etag = quote_etag(asset.sha256)
        response = get_conditional_response(request, etag=etag) or self._file(asset)
        for name, text in {
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": etag,
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }.items():
            response[name] = text
        return response

    def _file(self, asset: Asset) -> HttpResponseBase:
        try:
            return FileResponse(asset.file.open("rb"), content_type=asset.content_type)
        except FileNotFoundError as error:
            raise Http404 from error

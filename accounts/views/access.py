"""The base of every page that belongs to a workspace: who may see it, and what a refusal looks like."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from accounts.middleware import PlacedRequest
from accounts.models import Membership, User, Workspace
from accounts.permissions import role_allows
from pulsequill.core.errors import DomainError, NotFound, NotPermitted


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx asks, which swaps fragments and needs `HX-Redirect` in place of a 302."""
    return request.headers.get("HX-Request") == "true"


def came_from(request: HttpRequest, *, otherwise: str) -> str:
    """Return the page on this site that the person came from, else the named address."""
    referrer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(referrer)
        return parts._replace(scheme="", netloc="").geturl() or resolve_url(otherwise)
    return resolve_url(otherwise)


class WorkspacePage(View):
    """A page of the active workspace.

    Visitors go to sign-in, people without a workspace to making one, a role that may not gets 403. Domain errors
    that a page does not handle itself become 404, 403, or a message on the page that the person came from.
    """

    #: A key of `accounts.permissions.PERMISSIONS`.
    permission: ClassVar[str] = "workspace.view"
    #: Exceptions by method: `{"POST": "contact.edit"}`.
    permission_by_method: ClassVar[dict[str, str]] = {}

    workspace: Workspace
    membership: Membership
    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the right people in and translate refusals."""
        if not request.user.is_authenticated:
            return self._go_to_sign_in(request)
        membership = cast("PlacedRequest", request).place.membership
        if membership is None:
            return redirect("accounts:workspace_new")
        self.membership, self.workspace, self.user = membership, membership.workspace, request.user
        if not role_allows(membership.role, self.permission_by_method.get(request.method or "", self.permission)):
            raise PermissionDenied
        try:
            response = super().dispatch(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(error.detail) from error
        except NotPermitted as error:
            raise PermissionDenied(error.detail) from error
        except DomainError as error:
            response = self.refused(request, error)
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:
        """Answer a domain error that the page did not handle: say it where the person came from."""
        if is_htmx(request):
            return HttpResponse(error.detail, status=error.status, content_type="text/plain; charset=utf-8")
        messages.error(request, error.detail)
        return redirect(came_from(request, otherwise="analytics:home"))

    @staticmethod
    def _go_to_sign_in(request: HttpRequest) -> HttpResponseBase:
        if is_htmx(request):
            page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
            return HttpResponse(status=204, headers={"HX-Redirect": redirect_to_login(page).url})
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


class WorkspaceTemplatePage(WorkspacePage, TemplateResponseMixin, ContextMixin):
    """A page of the active workspace that renders `template_name`; `nav` marks its place in the sidebar."""

    nav: ClassVar[str] = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the current navigation key."""
        return super().get_context_data(nav=self.nav, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Render the page."""
        return self.render_to_response(self.get_context_data(**kwargs))

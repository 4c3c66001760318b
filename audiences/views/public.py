"""Pages for readers: unsubscribe and preference centre.

They stand on a signed token, so they ask for no sign-in and no cookie, and set none. Reading one never acts: mail
scanners follow every link (RFC 8058 section 1). Acting is a POST, from a button or from the mailbox provider.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from audiences import services, tokens
from audiences.models import Contact, FormerContact
from audiences.selectors import with_status
from pulsequill.core.errors import DomainError
from pulsequill.core.rest.throttling import client_address
from pulsequill.core.signing import BadSignature


def _page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page that sets no cookie and is kept nowhere."""
    response = render(request, template, context, status=status)
    # The layout names the CSRF token; these pages need none, so nothing is set for it.
    request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _address(request: HttpRequest) -> str:
    """The reader's address; nothing when a proxy sent something else."""
    try:
        return str(ip_address(client_address(request)))
    except ValueError:
        return ""


def _contact(contact_id: UUID) -> Contact | None:
    rows = Contact.objects.across_workspaces().select_related("workspace")
    return rows.filter(pk=contact_id).first()


def _workspace_name(contact_id: UUID, contact: Contact | None) -> str:
    if contact:
        return contact.workspace.name
    former = FormerContact.objects.across_workspaces().select_related("workspace").filter(pk=contact_id).first()
    return former.workspace.name if former else "this sender"


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(View):
    """`/u/<token>`: GET and HEAD show a button, POST acts."""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Ask."""
        contact_id, message_id = self._read(token)
        contact = _contact(contact_id)
        return _page(
            request,
            "audiences/public/unsubscribe.html",
            contact=contact,
            sender=_workspace_name(contact_id, contact),
            preferences=tokens.preferences_token(contact_id, message_id),
        )

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Unsubscribe, at once and for good; a mailbox's one-click POST gets a plain 200 without a redirect."""
        contact_id, message_id = self._read(token)
        is_one_click = request.POST.get("List-Unsubscribe", "").lower() == "one-click"
        services.unsubscribe(
            contact_id=contact_id,
            message_id=message_id or None,
            source="one-click" if is_one_click else "unsubscribe page",
            ip=_address(request),
            user_agent=request.headers.get("User-Agent", ""),
        )
        if is_one_click:
            return HttpResponse("Unsubscribed.\n", content_type="text/plain; charset=utf-8")
        contact = _contact(contact_id)
        return _page(
            request,
            "audiences/public/unsubscribed.html",
            contact=contact,
            sender=_workspace_name(contact_id, contact),
            preferences=tokens.preferences_token(contact_id, message_id),
        )

    @staticmethod
    def _read(token: str) -> tuple[UUID, int]:
        try:
            return tokens.read_unsubscribe_token(token)
        except BadSignature as error:
            raise Http404 from error


@method_decorator(csrf_exempt, name="dispatch")
class PreferencesPage(View):
    """`/p/<token>`: a switch for each list, "no mail at all", and the way back."""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Show what the reader gets."""
        contact_id, _message_id = self._read(token)
        return self._show(request, _contact(contact_id))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Do what the pressed button says."""
        contact_id, message_id = self._read(token)
        contact = _contact(contact_id)
        if contact is None:
            return self._show(request, None)
        action, problem, done = request.POST.get("action", ""), "", ""
        try:
            if action == "save":
                chosen = [UUID(text) for text in request.POST.getlist("lists")[:500] if _is_uuid(text)]
                services.choose_lists(
                    contact=contact, list_ids=chosen, message_id=message_id or None, ip=_address(request)
                )
                done = "Saved what you get."
            elif action == "unsubscribe":
                services.unsubscribe(
                    contact_id=contact.pk,
                    message_id=message_id or None,
                    source="preference centre",
                    ip=_address(request),
                )
                done = "You get no more mail."
            elif action == "resubscribe":
                services.resubscribe(contact=contact, ip=_address(request))
                done = "Welcome back."
            else:
                problem = "Nothing was changed."
        except DomainError as error:
            problem = error.detail
        return self._show(request, contact, problem=problem, done=done)

    @staticmethod
    def _show(request: HttpRequest, contact: Contact | None, **context: Any) -> HttpResponseBase:
        if contact:
            with_status([contact])
        return _page(request, "audiences/public/preferences.html", contact=contact, **context)

    @staticmethod
    def _read(token: str) -> tuple[UUID, int]:
        try:
            return tokens.read_preferences_token(token)
        except BadSignature as error:
            raise Http404 from error


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

"""Whether the caller may do this here: finds the workspace, then asks the one table of permissions."""

from __future__ import annotations

from typing import Any, cast

import structlog
from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import selectors
from accounts.activity import acting_as
from accounts.middleware import SESSION_KEY
from accounts.models import ApiKey, Membership, User
from accounts.permissions import key_allows, role_allows

WORKSPACE_HEADER = "X-Workspace"


class WorkspaceRequired(APIException):
    """Several workspaces are possible and the request names none."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = f"You belong to several workspaces: name one in {WORKSPACE_HEADER}."
    default_code = "workspace_required"


def _choose(request: Request) -> Membership:
    memberships = selectors.get_memberships(cast("User", request.user))
    slug = request.headers.get(WORKSPACE_HEADER)
    if slug:
        found = next((m for m in memberships if m.workspace.slug == slug), None)
        if found is None:
            raise Http404
        return found
    if not memberships:
        raise PermissionDenied("You do not belong to a workspace yet; make one with POST /v1/workspaces.")
    if len(memberships) == 1:
        return memberships[0]
    chosen = request.session.get(SESSION_KEY) if request.auth is None else None  # a browser session
    for membership in memberships:
        if str(membership.workspace_id) == chosen:
            return membership
    raise WorkspaceRequired


def required_action(view: Any, method: str) -> str | None:
    """Return the key of `PERMISSIONS` that a view asks for; None when the method has no handler (405 follows)."""
    action = getattr(view, "action", None) or method.lower()
    table: dict[str, str] = view.permissions_by_action
    if action in ("options", "metadata"):
        return None
    if action not in table and getattr(view, action, None) is None:
        return None
    return table[action]


class WorkspacePermission(BasePermission):
    """The default of `/v1`. Sets `workspace`, `membership`, `actor` and `api_key` on the view."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Find the workspace and ask the table.

        Raises:
            NotAuthenticated, PermissionDenied, Http404, WorkspaceRequired: why not.
        """
        if isinstance(request.auth, ApiKey):
            self._enter_by_key(request, view, request.auth)
        elif request.user.is_authenticated:
            self._enter_by_membership(request, view)
        else:
            raise NotAuthenticated
        structlog.contextvars.bind_contextvars(workspace_id=str(view.workspace.pk))
        action = required_action(view, request.method or "")
        if action is None:
            return True
        if view.api_key is not None:
            if not key_allows(view.api_key.scopes, action):
                raise PermissionDenied(f"This API key may not do {action}.")
        elif not role_allows(view.membership.role, action):
            raise PermissionDenied("Your role does not allow this.")
        return True

    @staticmethod
    def _enter_by_key(request: Request, view: Any, key: ApiKey) -> None:
        if request.headers.get(WORKSPACE_HEADER, key.workspace.slug) != key.workspace.slug:
            raise Http404
        view.workspace, view.membership, view.actor, view.api_key = key.workspace, None, None, key
        acting_as.set(f"API key {key.name}")
        structlog.contextvars.bind_contextvars(api_key_prefix=key.prefix)

    @staticmethod
    def _enter_by_membership(request: Request, view: Any) -> None:
        if getattr(view, "membership", None) is None:  # the browsable API asks again for each form
            view.membership = _choose(request)
        view.workspace, view.actor, view.api_key = view.membership.workspace, request.user, None
        structlog.contextvars.bind_contextvars(user_id=str(request.user.pk))


class PersonPermission(BasePermission):
    """For endpoints about the person, whatever the workspace; API keys have no person."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Let signed-in people in.

        Raises:
            NotAuthenticated: nobody; PermissionDenied: an API key.
        """
        if isinstance(request.auth, ApiKey):
            raise PermissionDenied("This needs a person; an API key is not one.")
        if not request.user.is_authenticated:
            raise NotAuthenticated
        structlog.contextvars.bind_contextvars(user_id=str(request.user.pk))
        view.actor = request.user
        return True

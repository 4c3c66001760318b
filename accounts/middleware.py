"""Which workspace a page request is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts import selectors
from accounts.activity import acting_as

if TYPE_CHECKING:
    from accounts.models import Membership

#: Session key of the workspace that the person switched to.
SESSION_KEY = "workspace_id"


class Place:
    """Where the person is: found out with one query when first asked, never for requests that do not ask."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def memberships(self) -> list[Membership]:
        """All memberships of the person, for the workspace switcher; empty for a visitor."""
        user = self._request.user
        return selectors.get_memberships(user) if user.is_authenticated else []

    @cached_property
    def membership(self) -> Membership | None:
        """The membership of the workspace chosen in this session, else the first one."""
        if not self.memberships:
            return None
        chosen = self._request.session.get(SESSION_KEY)
        found = next((m for m in self.memberships if str(m.workspace_id) == chosen), self.memberships[0])
        structlog.contextvars.bind_contextvars(workspace_id=str(found.workspace_id), user_id=str(found.user_id))
        return found


class PlacedRequest(HttpRequest):
    """The type of a request that passed `WorkspaceMiddleware`."""

    place: Place


class WorkspaceMiddleware:
    """Give every request `place`, and lazily `workspace` and `membership` (falsy for visitors)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PlacedRequest) -> HttpResponse:
        acting_as.set("PulseQuill")  # worker threads are reused: nothing of the request before may remain
        place = request.place = Place(request)
        request.membership = SimpleLazyObject(lambda: place.membership)  # type: ignore[attr-defined]
        request.workspace = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: place.membership.workspace if place.membership else None
        )
        return self.get_response(request)

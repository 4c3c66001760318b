"""Every route that Django resolves, and what its view says about itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.v1.permissions import PersonPermission, WorkspacePermission
from accounts.views.access import WorkspacePage

METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One address pattern with its view."""

    pattern: str
    callback: Any

    @property
    def view(self) -> Any:
        """The view class, or None for a function."""
        return getattr(self.callback, "cls", None) or getattr(self.callback, "view_class", None)

    @property
    def is_api(self) -> bool:
        """Whether DRF answers."""
        return hasattr(self.view, "permission_classes")

    @property
    def kind(self) -> str:
        """What the view's base class makes of it."""
        permissions = getattr(self.view, "permission_classes", ())
        if WorkspacePermission in permissions or (self.view is not None and issubclass(self.view, WorkspacePage)):
            return "tenant"
        return "person" if PersonPermission in permissions else "other"

    def handler_name(self, method: str) -> str | None:
        """Return the name of the method's handler; None when there is none."""
        if self.view is not None and method not in self.view.http_method_names:
            return None
        actions = getattr(self.callback, "actions", None)
        if actions is not None:
            return actions.get(method)
        return method if self.view is None or hasattr(self.view, method) else None

    def permission(self, method: str) -> str:
        """Return the key of PERMISSIONS that a method asks for."""
        if self.is_api:
            return self.view.permissions_by_action[self.handler_name(method)]
        return self.view.permission_by_method.get(method.upper(), self.view.permission)

    def parameters(self) -> list[str]:
        """Return the names of the address' parameters."""
        return _PARAMETER.findall(self.pattern)

    def path(self, values: dict[str, str]) -> str:
        """Fill the parameters in."""
        filled = _PARAMETER.sub(lambda found: values[found[1]], self.pattern)
        return "/" if filled == "/" else f"/{filled}"


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[Route]:
    for entry in patterns:
        text = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, text)
        elif isinstance(entry, URLPattern):
            plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", text).replace("^", "").replace("$", "")
            yield Route(plain or "/", entry.callback)


def all_routes() -> list[Route]:
    """Return every route."""
    return list(_walk(get_resolver().url_patterns))

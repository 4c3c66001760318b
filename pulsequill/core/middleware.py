"""Middleware that belongs to no app."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from pulsequill.core.db import request_scope

ADMIN_PREFIX = "/admin/"


class RequestScopeMiddleware:
    """Make tenant models refuse queries that do not name their workspace. The admin sees all workspaces."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        with request_scope():
            return self.get_response(request)

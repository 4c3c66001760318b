"""Middleware that belongs to no app."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from pulsequill.core.db import request_scope
from pulsequill.core.ids import uuid7

ADMIN_PREFIX = "/admin/"
REQUEST_ID_HEADER = "X-Request-Id"
_USABLE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give every request an id (the caller's own, when it is usable) and send it back, on errors too.

    Stands first, so that even an answer of the security middleware carries it; the log lines bind the same id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _USABLE_REQUEST_ID.fullmatch(given) else str(uuid7())
        request.request_id = request_id  # type: ignore[attr-defined]
        request.META["HTTP_X_REQUEST_ID"] = request_id  # where the log middleware looks
        response = self.get_response(request)
        response.headers[REQUEST_ID_HEADER] = request_id
        return response


class PlainAddressMiddleware:
    """Answer 400 when the address holds U+0000, which PostgreSQL could not compare with anything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds the character U+0000.")
        return self.get_response(request)


class RequestScopeMiddleware:
    """Make tenant models refuse queries that do not name their workspace. The admin sees all workspaces."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(ADMIN_PREFIX):
            return self.get_response(request)
        with request_scope():
            return self.get_response(request)

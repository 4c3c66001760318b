"""The answer to an exception that nobody caught."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import TemplateDoesNotExist, loader
from django.views.defaults import server_error as django_server_error
from redis.exceptions import ConnectionError as ValkeyAway
from redis.exceptions import TimeoutError as ValkeySlow

RETRY_AFTER_S = "5"
#: What a dependency that is away raises, whichever layer asked it: view, middleware or template.
DEPENDENCY_AWAY = (OperationalError, InterfaceError, ValkeyAway, ValkeySlow)


def wants_json(request: HttpRequest) -> bool:
    """Return whether a program asked, rather than a person with a browser."""
    return request.path.startswith("/v1/") or not request.accepts("text/html")


def unavailable(request: HttpRequest) -> HttpResponse:
    """Say that something is away for the moment: 503, and when to come back. Uses neither database nor session."""
    headers = {"Retry-After": RETRY_AFTER_S, "Cache-Control": "no-store"}
    detail = "A service that PulseQuill needs is away for a moment. Nothing is lost; please try again."
    if wants_json(request):
        problem = {
            "type": "about:blank",
            "title": "Temporarily unavailable",
            "status": 503,
            "code": "unavailable",
            "detail": detail,
            "request_id": request.headers.get("X-Request-Id", ""),
            "errors": [],
        }
        return JsonResponse(problem, status=503, content_type="application/problem+json", headers=headers)
    try:
        page = loader.render_to_string("503.html", {"detail": detail})
    except TemplateDoesNotExist:
        return HttpResponse(detail, status=503, content_type="text/plain; charset=utf-8", headers=headers)
    return HttpResponse(page, status=503, headers=headers)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 when a dependency was away, and 500 for a bug. Django calls this while handling the exception."""
    if isinstance(sys.exc_info()[1], DEPENDENCY_AWAY):
        return unavailable(request)
    return django_server_error(request)

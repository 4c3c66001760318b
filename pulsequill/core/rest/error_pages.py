"""Django's error handlers: a problem document below `/v1`, the designed page everywhere else."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from pulsequill.core import error_views
from pulsequill.core.rest.problems import RETRY_AFTER_S, problem_response

API_PREFIX = "/v1/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`."""
    if request.path.startswith(API_PREFIX):
        return problem_response(request, status=400, code="malformed", detail="The request cannot be read.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler403`."""
    if request.path.startswith(API_PREFIX):
        return problem_response(request, status=403, code="not_permitted", detail="You may not do this.")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`."""
    if request.path.startswith(API_PREFIX):
        return problem_response(request, status=404, code="not_found", detail="There is nothing here.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: 503 when a dependency was away."""
    if not request.path.startswith(API_PREFIX):
        return error_views.server_error(request)
    if isinstance(sys.exc_info()[1], error_views.DEPENDENCY_AWAY):
        return problem_response(
            request,
            headers={"Retry-After": str(RETRY_AFTER_S)},
            status=503,
            code="unavailable",
            detail="A service that this needs is away for the moment.",
        )
    return problem_response(
        request,
        status=500,
        code="server_error",
        detail="Something went wrong on our side. It was logged under this request id.",
    )

"""`/healthz`, `/readyz` and `/metrics`: for probes and for Prometheus, not for people."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from pulsequill.core.health import run_checks

RETRY_AFTER_S = "5"


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """This process answers; it says nothing about what it depends on."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Everything that a campaign needs is there: 200, or 503 with the checks that failed."""
    checks = run_checks()
    is_ready = all(check.is_ok for check in checks)
    response = JsonResponse(
        {
            "status": "ready" if is_ready else "not ready",
            "checks": {check.name: {"ok": check.is_ok, "detail": check.detail} for check in checks},
        },
        status=200 if is_ready else 503,
        headers={} if is_ready else {"Retry-After": RETRY_AFTER_S},
    )
    # A probe that says "not yet" is an answer, not an error: Django would log each as one.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
        )
    try:
        is_loopback = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    # A proxy on this machine speaks for others: its requests are not local ones.
    return is_loopback and not any(name in request.headers for name in ("X-Forwarded-For", "Forwarded"))


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; to anybody else there is nothing here."""
    if not _may_read_metrics(request):
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    return response

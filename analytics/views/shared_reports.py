"""Pages for people without an account: a shared report, and stopping a mailed one.

They stand on a token, ask for no sign-in and set no cookie. Reading never acts: mail scanners follow every link.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from analytics import services
from analytics.models import ReportRecipient
from analytics.reports.answering import answer
from analytics.reports.query import read_query
from analytics.tokens import read_stop_token
from pulsequill.core.errors import NotFound
from pulsequill.core.rest.throttling import client_address, spend
from pulsequill.core.signing import BadSignature

#: Looks a minute, from one address.
LOOKS_A_MINUTE = 30
_LONGEST_TOKEN = 100


def _page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page that sets no cookie, is kept nowhere and found by no search."""
    response = render(request, template, context, status=status)
    request.META.pop("CSRF_COOKIE_NEEDS_UPDATE", None)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


class SharedReport(View):
    """`/r/<token>`: figures of a report, as they are now; read-only."""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Show it."""
        quota = spend(f"shared-report:{client_address(request)}", limit=LOOKS_A_MINUTE)
        if quota.is_exceeded:
            response = HttpResponse(
                "Too many looks at once. Try again in a minute.\n", status=429, content_type="text/plain"
            )
            response["Retry-After"] = str(max(1, quota.resets_in_s))
            return response
        try:
            share = services.open_share(token[:_LONGEST_TOKEN])
        except NotFound as error:
            raise Http404 from error
        found = answer(share.workspace, read_query(share.report.query), now=timezone.now())
        return _page(
            request, "analytics/shared_report.html", report=share.report, answer=found, workspace=share.workspace,
            expires_at=share.expires_at,
        )  # fmt: skip


@method_decorator(csrf_exempt, name="dispatch")  # mail programs post without a session; the token is the proof
class StopReport(View):
    """`/r/stop/<token>`: GET asks, POST stops, from a button or from the mail program (RFC 8058)."""

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Ask."""
        recipients = ReportRecipient.objects.across_workspaces().select_related("schedule__report", "workspace")
        recipient = recipients.filter(pk=self._read(token)).first()
        if recipient is None:
            raise Http404
        return _page(request, "analytics/report_stop.html", recipient=recipient, is_stopped=bool(recipient.stopped_at))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Stop."""
        try:
            recipient = services.stop_mails(recipient_id=self._read(token))
        except NotFound as error:
            raise Http404 from error
        return _page(request, "analytics/report_stop.html", recipient=recipient, is_stopped=True)

    @staticmethod
    def _read(token: str) -> Any:
        try:
            return read_stop_token(token)
        except BadSignature as error:
            raise Http404 from error

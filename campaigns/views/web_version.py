"""A message in the browser, for readers whose mail program shows it badly."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import View

from campaigns.delivery.rendering import Claimed, Renderer
from campaigns.delivery.tracking import BadSignature, read_web_version_token
from campaigns.models import Message
from pulsequill.core.errors import DomainError

#: Like a mail program: pictures and styles, no scripts; links may leave the page.
READER_POLICY = (
    f"default-src 'none'; img-src https: data: {settings.PUBLIC_URL}; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
_NO_ATTEMPT = UUID(int=0)


class WebVersion(View):
    """The page of one message; whoever holds its token may read it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:  # noqa: ARG002
        """Render the frozen content for this recipient."""
        try:
            key = read_web_version_token(token)
        except BadSignature as error:
            raise Http404 from error
        message = (
            Message.objects.across_workspaces()
            .select_related("campaign", "campaign__workspace", "campaign__sender")
            .filter(pk=key)
            .first()
        )
        if message is None or message.campaign is None or message.variant_id is None:
            raise Http404
        row = Claimed(message.pk, _NO_ATTEMPT, 0, message.contact_id, message.variant_id, message.email)
        try:
            html = Renderer(message.campaign, is_test=message.is_test).web_page(row)
        except DomainError as error:
            raise Http404 from error
        return HttpResponse(
            html,
            headers={
                "Content-Security-Policy": READER_POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Robots-Tag": "noindex",
                "Cache-Control": "private, no-store",
            },
        )

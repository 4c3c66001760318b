"""The outbox: what the `capture` provider kept, as a reader would see it, and simulated readers."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, is_htmx
from campaigns.delivery import readers
from campaigns.delivery.captured import body_of, parse
from campaigns.delivery.providers import active_provider
from campaigns.models import Campaign, CapturedMessage
from campaigns.selectors import ledger
from campaigns.services.readers import simulate_readers
from pulsequill.core.errors import DomainError
from pulsequill.core.keyset import paginate

#: A mail may show pictures and its own styles and nothing else; a click opens a new window.
MAIL_POLICY = (
    f"default-src 'none'; img-src https: data: {settings.PUBLIC_URL}; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_PIXEL = re.compile(r'<img[^>]+src="[^"]+/t/o/[^"]+"[^>]*>')
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def _campaign_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class OutboxPage(WorkspaceTemplatePage):
    """The list of captured mail."""

    permission = "outbox.view"
    nav = "outbox"
    template_name = "campaigns/outbox.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of mail, the filters, and how far the simulated readers have come."""
        chosen = _campaign_id(self.request.GET.get("campaign", ""))
        text = self.request.GET.get("q", "")[:200]
        rows = ledger.find_captured(self.workspace, campaign_id=chosen, text=text)
        return super().get_context_data(
            page=paginate(rows, query=self.request.GET, address=self.request.path, sort="-id", limit=50),
            campaigns=Campaign.objects.for_workspace(self.workspace)
            .filter(provider="capture", launched_at__isnull=False)
            .order_by("-launched_at")
            .only("id", "name")[:100],
            chosen=chosen,
            text=text,
            progress=readers.get_progress(self.workspace.pk),
            is_capturing=(provider := active_provider(self.workspace)) == "capture",
            provider=provider,
            **kwargs,
        )


class _OneMail(WorkspacePage):
    permission = "outbox.view"

    def mail(self, key: int) -> CapturedMessage:
        """Return a captured mail of this workspace, or 404."""
        rows = CapturedMessage.objects.for_workspace(self.workspace).select_related("campaign", "message")
        return get_object_or_404(rows, pk=key)


class OutboxMailPage(WorkspaceTemplatePage, _OneMail):
    """One captured mail: as it looks, its text, its headers."""

    permission = "outbox.view"
    nav = "outbox"
    template_name = "campaigns/outbox_mail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the mail and its parts."""
        row = self.mail(kwargs["key"])
        mail = parse(bytes(row.raw))
        return super().get_context_data(
            mail=row,
            sender=mail["From"],
            text=body_of(mail, "plain"),
            has_html=bool(mail.get_body(("html",))),
            headers=[(name, str(value)) for name, value in mail.items()],
            size=len(bytes(row.raw)),
            **kwargs,
        )


@method_decorator(xframe_options_sameorigin, name="dispatch")
class OutboxMailBody(_OneMail):
    """The HTML part alone, for a frame that can do nothing to the page around it."""

    def get(self, request: HttpRequest, key: int) -> HttpResponse:  # noqa: ARG002
        """Return the HTML without its pixel: looking at a mail here is not an open."""
        html = _PIXEL.sub("", body_of(parse(bytes(self.mail(key).raw)), "html"))
        html = _HEAD.sub(lambda head: head[0] + '<base target="_blank">', html, count=1)
        return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY, "Referrer-Policy": "no-referrer"})


class OutboxMailFile(_OneMail):
    """The bytes as they would have been sent."""

    def get(self, request: HttpRequest, key: int) -> HttpResponse:  # noqa: ARG002
        """Return the `.eml` file."""
        return HttpResponse(
            bytes(self.mail(key).raw),
            content_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="message-{key}.eml"'},
        )


class ReadersPage(WorkspacePage):
    """Starting simulated readers, and how far they have come."""

    permission = "outbox.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "outbox.simulate"}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the progress, for htmx to put into the page."""
        return render(request, "campaigns/_outbox_readers.html", {"progress": readers.get_progress(self.workspace.pk)})

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Let readers loose on all captured mail, or on one campaign's."""
        chosen = _campaign_id(request.POST.get("campaign", ""))
        campaign = (
            get_object_or_404(Campaign.objects.for_workspace(self.workspace), pk=chosen) if chosen is not None else None
        )
        try:
            simulate_readers(workspace=self.workspace, campaign=campaign, actor=self.user)
        except DomainError as error:
            if is_htmx(request):
                raise
            messages.error(request, error.detail)
        if is_htmx(request):
            return self.get(request)
        return redirect(f"{reverse('campaigns:outbox')}{f'?campaign={chosen}' if chosen else ''}")

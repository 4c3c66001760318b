"""The ledger of a campaign: every recipient, what became of the message, and the desk for what is in doubt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, came_from
from campaigns.models import Message
from campaigns.selectors import campaigns as campaign_selectors
from campaigns.selectors import ledger
from campaigns.services import messages
from pulsequill.core.errors import DomainError, NotFound
from pulsequill.core.keyset import paginate

#: What a skip reason of the ledger means to a reader of the page.
REASONS: dict[str, str] = {
    "suppressed_hard_bounce": "The address bounced before",
    "suppressed_complaint": "Complained before",
    "suppressed_unsubscribe": "Has unsubscribed",
    "suppressed_manual": "Suppressed by hand",
    "unsubscribed": "Left the list",
    "pending_confirmation": "Has not confirmed yet",
    "excluded": "On an excluded list or segment",
    "contact_deleted": "The contact was deleted",
    "cancelled": "The campaign was cancelled",
}

VERBS = {"mark-sent": messages.mark_sent, "resend": messages.resend}
DONE = {"mark-sent": "Marked as sent: {}.", "resend": "On its way again: {}."}


class MessageListPage(WorkspaceTemplatePage):
    """The ledger browser."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/message_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add counts, the chosen status and a page of rows."""
        campaign = campaign_selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        status = self.request.GET.get("status", "")
        if status not in Message.Status.values:
            status = ""
        text = self.request.GET.get("q", "")[:200]
        counts = ledger.count_by_status(campaign)[ledger.TOTAL]
        rows = ledger.find_messages(campaign, status=status, text=text)
        page = paginate(rows, query=self.request.GET, address=self.request.path, sort="id", limit=50)
        for row in page.items:
            row.words = REASONS.get(row.reason, row.reason)  # type: ignore[attr-defined]
        return super().get_context_data(
            campaign=campaign,
            tabs=[
                (value, label, counts[value])
                for value, label in Message.Status.choices
                if counts[value] or value == status
            ],
            total=sum(counts.values()),
            in_doubt=counts[Message.Status.IN_DOUBT],
            status=status,
            text=text,
            page=page,
            may_settle_here=status in (Message.Status.IN_DOUBT, Message.Status.FAILED),
            **kwargs,
        )


class MessageSettlePage(WorkspacePage):
    """What a person decides about one row."""

    permission = "message.settle"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, message_id: UUID, verb: str) -> HttpResponseBase:
        """Mark it as sent, or send it again; go back to where the person was."""
        message = ledger.get_message(self.workspace, message_id)
        if message.campaign_id is None or verb not in VERBS:
            raise NotFound
        try:
            VERBS[verb](message=message, actor=self.user)
        except DomainError as error:
            notes.error(request, error.detail)
        else:
            notes.success(request, DONE[verb].format(message.email))
        return redirect(came_from(request, otherwise=reverse("campaigns:message_list", args=[message.campaign_id])))

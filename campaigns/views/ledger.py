"""The ledger of a campaign: every recipient, what became of the message, and all of it as a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from django.contrib import messages as notes
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, came_from
from campaigns.exporting import ledger_csv
from campaigns.models import Campaign, Message
from campaigns.selectors import campaigns as campaign_selectors
from campaigns.selectors import ledger
from campaigns.selectors.message_timeline import get_message_timeline
from campaigns.selectors.reasons import in_words
from campaigns.services import messages
from pulsequill.core.csv_file import csv_response
from pulsequill.core.errors import DomainError, NotFound
from pulsequill.core.keyset import paginate

PAGE_SIZE = 50
#: Statuses whose rows have a reason to choose by.
WITH_REASONS = (
    Message.Status.HELD, Message.Status.SKIPPED, Message.Status.FAILED, Message.Status.IN_DOUBT,
    Message.Status.RETRYING,
)  # fmt: skip
MOST_REASONS = 12
#: Mailboxes that most people have; any other domain can be typed.
DOMAINS = ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "gmx.de", "web.de", "proton.me")

VERBS = {"mark-sent": messages.mark_sent, "resend": messages.resend}
DONE = {"mark-sent": "Marked as sent: {}.", "resend": "On its way again: {}."}


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which rows of a ledger somebody wants to see."""

    status: str = ""
    text: str = ""
    variant: str = ""
    reason: str = ""
    domain: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """Return the filter of an address; what makes no sense counts as not given."""
        status = query.get("status", "")
        return cls(
            status=status if status in Message.Status.values else "",
            text=_clean(query.get("q", "")),
            variant=_clean(query.get("variant", "")),
            reason=_clean(query.get("reason", "")),
            domain=_clean(query.get("domain", "")),
        )

    def rows(self, campaign: Campaign) -> QuerySet[Message]:
        """Return what it means."""
        return ledger.find_messages(campaign, **asdict(self))

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the status is chosen."""
        return bool(self.text or self.variant or self.reason or self.domain)


def _clean(text: str) -> str:
    return text.strip()[:200]


class MessageListPage(WorkspaceTemplatePage):
    """The ledger browser."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/message_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add counts, the filter, a page of rows, and the message that `?open=` names."""
        campaign = campaign_selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        wanted = LedgerFilter.read(self.request.GET)
        query = self.request.GET.copy()
        opened = query.pop("open", [""])[-1]
        counts = ledger.count_for_page(campaign)
        page = paginate(wanted.rows(campaign), query=query, address=self.request.path, sort="id", limit=PAGE_SIZE)
        for row in page.items:
            row.words = in_words(row.reason)  # type: ignore[attr-defined]
        message = self._opened(campaign, opened)
        query.pop("cursor", None)
        return super().get_context_data(
            campaign=campaign,
            tabs=[
                (value, label, counts[value])
                for value, label in Message.Status.choices
                if counts[value] or value == wanted.status
            ],
            total=sum(counts.values()),
            in_doubt=counts[Message.Status.IN_DOUBT],
            wanted=wanted,
            reasons=self._reasons(campaign, wanted),
            labels=[variant.label for variant in campaign.variants.all()],
            domains=DOMAINS,
            page=page,
            keep=query.urlencode(),
            message=message,
            timeline=get_message_timeline(message) if message else [],
            **kwargs,
        )

    def _opened(self, campaign: Campaign, public_id: str) -> Message | None:
        try:
            message = ledger.get_message(self.workspace, UUID(public_id))
        except (ValueError, NotFound):
            return None
        return message if message.campaign_id == campaign.pk else None

    def _reasons(self, campaign: Campaign, wanted: LedgerFilter) -> list[tuple[str, str, int]]:
        """Return the most frequent reasons of the chosen status: value, words, count."""
        if wanted.status not in WITH_REASONS:
            return []
        counted = list(ledger.count_by_reason(campaign, wanted.status).items())[:MOST_REASONS]
        return [(reason, in_words(reason), count) for reason, count in counted if reason]


class MessageExport(WorkspacePage):
    """The ledger as a file, filtered as the page is."""

    permission = "campaign.view"

    def get(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Stream the file."""
        campaign = campaign_selectors.get_campaign(self.workspace, campaign_id)
        rows = LedgerFilter.read(request.GET).rows(campaign)
        return csv_response(ledger_csv(rows), f"messages-{campaign.pk}.csv")


class MessageSettlePage(WorkspacePage):
    """What a person decides about one row."""

    permission = "message.settle"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, message_id: UUID, verb: str) -> HttpResponseBase:
        """Mark it as sent, or send it again; go back to where the person was."""
        message = ledger.get_message(self.workspace, message_id)
        if verb not in VERBS:
            raise NotFound
        try:
            VERBS[verb](message=message, actor=self.user)
        except DomainError as error:
            notes.error(request, error.detail)
        else:
            notes.success(request, DONE[verb].format(message.email))
        home = (
            reverse("campaigns:message_list", args=[message.campaign_id])
            if message.campaign_id
            else reverse("campaigns:doubt_list")
        )
        return redirect(came_from(request, otherwise=home))

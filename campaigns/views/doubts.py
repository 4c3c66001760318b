"""The desk for what is in doubt: every message of the workspace that nobody can be sure of, and what to do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notes
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from campaigns.models import Message
from campaigns.selectors import ledger
from campaigns.selectors.reasons import in_words
from campaigns.services import doubts
from pulsequill.core.errors import NotFound
from pulsequill.core.ids import bigint_from_uuid7
from pulsequill.core.keyset import paginate

PAGE_SIZE = 50
#: Fact of the ledger -> what it says about a message in doubt, the strongest first.
EVIDENCE: dict[str, str] = {
    "first_clicked_at": "Clicked: it arrived",
    "first_opened_at": "Opened: it arrived",
    "complained_at": "Reported as spam: it arrived",
    "unsubscribed_at": "Unsubscribed through it: it arrived",
    "delivered_at": "Reported as delivered",
    "bounced_at": "Bounced: it was handed over",
    "first_machine_clicked_at": "A machine followed a link",
    "first_machine_opened_at": "A machine opened it",
}
VERBS = {"mark-sent": doubts.mark_sent, "resend": doubts.resend}
DONE = {"mark-sent": "{} marked as sent.", "resend": "{} on the way again."}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _count(number: int) -> str:
    return "1 message is" if number == 1 else f"{number:,} messages are"


def _evidence(row: Message) -> str:
    return next((words for name, words in EVIDENCE.items() if getattr(row, name)), "Nothing was heard of it")


class DoubtListPage(WorkspaceTemplatePage):
    """The desk."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/doubt_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of rows, the campaigns they belong to, and what the last decision was."""
        query = self.request.GET
        campaign_id, text = _uuid(query.get("campaign", "")), query.get("q", "")[:200]
        rows = ledger.find_in_doubt(self.workspace, campaign_id=campaign_id, text=text)
        kept = query.copy()
        kept.pop("undo", None)
        page = paginate(rows, query=kept, address=self.request.path, sort="-id", limit=PAGE_SIZE)
        for row in page.items:
            row.words, row.evidence = in_words(row.reason), _evidence(row)  # type: ignore[attr-defined]
        campaigns = ledger.count_in_doubt_by_campaign(self.workspace)
        return super().get_context_data(
            page=page,
            campaigns=[row for row in campaigns if row[0]],
            total=sum(count for _key, _name, count in campaigns),
            shown=rows.count() if campaign_id or text else sum(count for _key, _name, count in campaigns),
            campaign_id=campaign_id,
            text=text,
            undo=_uuid(query.get("undo", "")),
            most=doubts.MOST_AT_ONCE,
            **kwargs,
        )


class DoubtSettle(WorkspacePage):
    """One decision about the ticked rows, or about all that the filter shows."""

    permission = "message.settle"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Do it, and go back to the desk with a way to undo it where there is one."""
        verb, _, scope = request.POST.get("action", "").partition(":")
        if verb not in VERBS:
            raise NotFound
        campaign_id, text = _uuid(request.POST.get("campaign", "")), request.POST.get("q", "")[:200]
        filters = {name: str(value) for name, value in (("campaign", campaign_id), ("q", text)) if value}
        rows = ledger.find_in_doubt(self.workspace, campaign_id=campaign_id, text=text)
        rows = rows if scope == "all" else rows.filter(pk__in=_keys(request.POST.getlist("ids")))
        settled = VERBS[verb](rows=_plain(rows), workspace=self.workspace, actor=self.user)
        if not settled.changed and not settled.left:
            notes.error(request, "Tick the messages first, or they have been settled meanwhile.")
        elif settled.changed:
            notes.success(request, DONE[verb].format(_count(settled.changed)))
            if verb == "mark-sent":
                filters["undo"] = str(settled.batch)
        if settled.left:
            notes.warning(
                request, f"{_count(settled.left)} of a cancelled campaign or of an erased person: left alone."
            )
        return redirect(f"{reverse('campaigns:doubt_list')}{'?' if filters else ''}{urlencode(filters)}")


def _keys(public_ids: list[str]) -> list[int]:
    found = (_uuid(text) for text in public_ids[: doubts.MOST_AT_ONCE])
    keys = (bigint_from_uuid7(key) for key in found if key)
    return [key for key in keys if 0 < key < 2**63]


def _plain(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Without the joins that the page needs: rows are locked next."""
    return rows.select_related(None)


class DoubtUndo(WorkspacePage):
    """Take a marking back."""

    permission = "message.settle"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, settlement_id: UUID) -> HttpResponseBase:
        """Put what was marked back in doubt, except where something proves that it arrived."""
        settled = doubts.undo_marking(settlement=ledger.get_settlement(self.workspace, settlement_id), actor=self.user)
        if settled.changed:
            notes.success(request, f"{_count(settled.changed)} in doubt again.")
        if settled.left:
            notes.warning(request, f"{_count(settled.left)} known to have arrived by now, and stay sent.")
        return redirect("campaigns:doubt_list")

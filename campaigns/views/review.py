"""Audience, preflight, test, and the decision to send: the last page before it goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from audiences import selectors as audiences
from campaigns import preflight
from campaigns.forms import AudienceForm, ChooseSenderForm, SenderForm, TestSendForm
from campaigns.lifecycle import EDITABLE
from campaigns.models import Campaign
from campaigns.preflight import Report
from campaigns.selectors import campaigns as selectors
from campaigns.services import composing, senders, sending
from campaigns.services.link_checking import get_link_check
from campaigns.views.brake_form import BrakeForm
from campaigns.views.campaigns import page_of
from campaigns.views.pace_form import NOW, PaceForm
from campaigns.views.review_bar import SendBar
from campaigns.windows import WEEKDAYS, read_window, zone_of
from pulsequill.core.errors import Blocked, DomainError, Invalid

#: Reason of `audiences.selectors.audience_sql` -> words and colour of the page.
SKIP_LOOKS: dict[str, tuple[str, str]] = {
    "unsubscribed": ("Unsubscribed from the list", "f-bounce"),
    "suppressed_unsubscribe": ("Unsubscribed from everything", "f-bounce"),
    "suppressed_hard_bounce": ("Address bounced before", "f-complaint"),
    "suppressed_complaint": ("Marked a mail as spam", "f-complaint"),
    "suppressed_manual": ("Suppressed by hand", "f-machine"),
    "pending_confirmation": ("Has not confirmed the subscription yet", "f-machine"),
    "held_out": ("Held out, to compare with", "f-machine"),
    "excluded": ("On an excluded list or segment", "f-machine"),
}


#: Reason -> the status by which the contact list shows them.
SKIP_STATUS: dict[str, str] = {
    "unsubscribed": "unsubscribed",
    "suppressed_unsubscribe": "unsubscribed",
    "suppressed_hard_bounce": "bounced",
    "suppressed_complaint": "complained",
    "suppressed_manual": "suppressed",
    "pending_confirmation": "pending",
}


def gates(count: audiences.AudienceCount, held_out: int) -> dict[str, Any]:
    """Return the bar "who gets it, and why not": total, rows, and the geometry of its parts in percent.

    Args:
        count: who may be mailed, and who not.
        held_out: how many of those who may be mailed get nothing, to compare with.
    """
    total = count.included + sum(count.skipped.values())
    count = audiences.AudienceCount(count.included - held_out, {**count.skipped, "held_out": held_out})
    parts = [("f-click", count.included)]
    parts += [(SKIP_LOOKS.get(reason, ("", "f-machine"))[1], number) for reason, number in count.skipped.items()]
    geometry, x = [], 0.0
    for colour, number in parts:
        width = 100 * number / total if total else 0
        geometry.append({"colour": colour, "x": round(x, 2), "width": round(max(width - 0.4, 0.4), 2) if number else 0})
        x += width
    rows = [
        {"label": SKIP_LOOKS.get(reason, (reason.replace("_", " ").capitalize(), ""))[0],
         "colour": SKIP_LOOKS.get(reason, ("", "f-machine"))[1], "number": number,
         "status": SKIP_STATUS.get(reason, "")}
        for reason, number in count.skipped.items()
        if number
    ]  # fmt: skip
    return {"total": total, "rows": rows, "parts": geometry, "included": count.included}


class ReviewPage(WorkspaceTemplatePage):
    """Review and send."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/review.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ARG002
        """Show the review of a draft or a scheduled campaign; others are watched instead."""
        campaign = selectors.get_campaign(self.workspace, kwargs["campaign_id"])
        if campaign.status not in (*EDITABLE, Campaign.Status.SCHEDULED):
            return redirect(page_of(campaign))
        return self.render_to_response(self.get_context_data(campaign=campaign))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the preflight report, the audience's count, and the forms."""
        campaign: Campaign = kwargs["campaign"]
        report: Report = preflight.examine(campaign)
        zone = zone_of(self.workspace.time_zone)
        in_an_hour = (timezone.now() + timedelta(hours=1)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
        chosen = {name: [row.pk for row in getattr(campaign, name).all()] for name in composing.AUDIENCE}
        kwargs.setdefault("sender_form", SenderForm())
        initial = PaceForm.initial_of(campaign, zone, proposed=in_an_hour)
        kwargs.setdefault("pace_form", PaceForm(zone=zone, initial=initial))
        kwargs.setdefault("brake_form", BrakeForm(initial=BrakeForm.initial_of(campaign)))
        blocks, can_send = report.count("block"), role_allows(self.membership.role, "campaign.send")
        count, held_out = report.examined.count, report.examined.held_out
        bar = SendBar(count.included - held_out, zone, held_out, blocks=blocks, may_send=can_send)
        bar.choose(campaign, report.examined.estimate, is_now=kwargs["pace_form"]["when"].value() == NOW)
        kwargs.setdefault("test_form", TestSendForm(initial={"to": self.user.email}))
        return super().get_context_data(
            report=report,
            blocks=blocks,
            bar=bar,
            window=read_window(campaign.send_window),
            weekdays=[(number, name[:3]) for number, name in enumerate(WEEKDAYS, start=1)],
            link_check=get_link_check(campaign),
            time_zones=bar.zones,
            warnings=report.count("warn"),
            notes=report.count("info"),
            gates=gates(count, held_out),
            has_audience=report.examined.has_audience,
            audience_form=AudienceForm(workspace=self.workspace, initial=chosen),
            list_counts=audiences.count_by_list(self.workspace),
            senders=list(selectors.list_senders(self.workspace)),
            variant=selectors.get_variant(campaign),
            variants=list(campaign.variants.all()),
            zone=zone,
            is_scheduled=campaign.status == Campaign.Status.SCHEDULED,
            can_edit=campaign.status in EDITABLE and role_allows(self.membership.role, "campaign.edit"),
            can_send=can_send,
            missed=campaign.status_reason if campaign.status == Campaign.Status.DRAFT else "",
            can_edit_senders=role_allows(self.membership.role, "sender.edit"),
            **kwargs,
        )


class ReviewAction(WorkspacePage):
    """Base of the forms on the review page: acts, then goes back to it and says what happened."""

    http_method_names = ["post"]
    #: Where on the review page the reader goes on.
    anchor: ClassVar[str] = ""

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Act on the campaign of the address; a refusal is shown on the review page."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        try:
            answer = self.act(request, campaign)
        except Blocked as refusal:
            messages.error(request, refusal.detail)
            answer = None
        return answer or redirect(f"{self.review_url(campaign)}{'#' + self.anchor if self.anchor else ''}")

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Do what the form is for; an answer of its own replaces the way back to the review page."""
        raise NotImplementedError

    def refused(self, request: HttpRequest, error: DomainError) -> HttpResponseBase:
        """Go back to the review page and say why."""
        messages.error(request, error.detail)
        return redirect("campaigns:review", self.kwargs["campaign_id"])

    @staticmethod
    def review_url(campaign: Campaign) -> str:
        """Return the review page's address."""
        return str(redirect("campaigns:review", campaign.pk).url)

    def again(self, request: HttpRequest, campaign: Campaign, **forms: Any) -> HttpResponseBase:
        """Show the review page with a form that needs correction."""
        page = ReviewPage()
        page.setup(request, campaign_id=campaign.pk)
        page.workspace, page.membership, page.user = self.workspace, self.membership, self.user
        return render(request, ReviewPage.template_name, page.get_context_data(campaign=campaign, **forms), status=400)


class ReviewAudience(ReviewAction):
    """Choose who gets it."""

    permission = "campaign.edit"
    anchor = "audience"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Save the chosen lists and segments."""
        form = AudienceForm(request.POST, workspace=self.workspace)
        if not form.is_valid():
            raise Invalid("One of the lists or segments does not exist any more.")
        changes = {name: list(form.cleaned_data[name]) for name in composing.AUDIENCE}
        composing.update_campaign(campaign=campaign, actor=self.user, changes=changes)
        messages.success(request, "Audience saved.")
        return None


class ReviewSender(ReviewAction):
    """Choose or make the sender."""

    permission = "campaign.edit"
    anchor = "sender"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Save the chosen sender, or make the one that was filled in."""
        if request.POST.get("sender"):
            form = ChooseSenderForm(request.POST, workspace=self.workspace)
            if not form.is_valid():
                raise Invalid("This sender does not exist any more.")
            sender = form.chosen()
        else:
            made = SenderForm(request.POST)
            if not role_allows(self.membership.role, "sender.edit"):
                raise Invalid("Only owners and admins may add senders.")
            if not made.is_valid():
                return self.again(request, campaign, sender_form=made)
            try:
                sender = senders.create_sender(workspace=self.workspace, actor=self.user, **made.cleaned_data)
            except Invalid as refusal:
                made.add_error(refusal.errors[0].field if refusal.errors else None, refusal.detail)
                return self.again(request, campaign, sender_form=made)
        composing.update_campaign(campaign=campaign, actor=self.user, changes={"sender": sender})
        messages.success(request, f"It will come from {sender}.")
        return None


class ReviewTest(ReviewAction):
    """Send a test."""

    permission = "campaign.edit"
    anchor = "test"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Send the first variant, or the named one, to the addresses."""
        form = TestSendForm(request.POST)
        if not form.is_valid():
            return self.again(request, campaign, test_form=form)
        variant = selectors.get_variant(campaign, request.POST.get("variant", "")[:40])
        try:
            sending.send_test(
                campaign=campaign, variant=variant, to=form.cleaned_data["to"], contact=None, actor=self.user
            )
        except Invalid as refusal:
            form.add_error("to", refusal.detail)
            return self.again(request, campaign, test_form=form)
        messages.success(request, f"A test is on its way to {', '.join(form.cleaned_data['to'])}.")
        return None


REVIEW_ACTIONS: dict[str, Callable[..., HttpResponseBase]] = {
    "audience": ReviewAudience.as_view(),
    "sender": ReviewSender.as_view(),
    "test": ReviewTest.as_view(),
}

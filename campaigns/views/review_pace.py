"""When it goes: the estimate beside the choice, sending, scheduling, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.permissions import role_allows
from audiences import selectors as audiences
from campaigns import preflight
from campaigns.models import Campaign
from campaigns.selectors import campaigns as selectors
from campaigns.selectors.finish import estimate_launch
from campaigns.selectors.waves import count_held_out
from campaigns.services import brakes, link_checking, sending
from campaigns.views.brake_form import BrakeForm
from campaigns.views.pace_form import AT, NOW, PaceForm
from campaigns.views.review import SKIP_LOOKS, ReviewAction
from campaigns.views.review_bar import SendBar
from campaigns.windows import zone_of

#: The audience is not counted anew for each change of the form.
COUNT_REMEMBERED_S = 30


def with_default(data: QueryDict, when: str) -> QueryDict:
    """Return the form's input with a choice where none was made: a button of another page, or a program."""
    if "when" in data:
        return data
    filled = data.copy()
    filled["when"] = when
    return filled


class ReviewEstimate(ReviewAction):
    """What the choice means, before it is made."""

    permission = "campaign.view"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Return the bar with the finish that the form's input would bring; nothing is saved."""
        zone = zone_of(self.workspace.time_zone)
        form = PaceForm(with_default(request.POST, NOW), zone=zone)
        included, held_out = self._included(campaign)
        blocks = int(request.POST.get("blocks", "0") or 0) if request.POST.get("blocks", "0").isdigit() else 0
        can_send = role_allows(self.membership.role, "campaign.send")
        bar = SendBar(included - held_out, zone, held_out, blocks=blocks, may_send=can_send)
        if form.is_valid():
            campaign.send_at = form.cleaned_data["send_at"]
            for name, value in form.pace.items():
                setattr(campaign, name, value)
            bar.choose(campaign, estimate_launch(campaign, included=included, now=timezone.now()), is_now=form.is_now)
        else:
            bar.problem = next(str(error) for errors in form.errors.values() for error in errors)
        context = {"campaign": campaign, "bar": bar, "variant": selectors.get_variant(campaign), "is_update": True}
        return render(request, "campaigns/_send_bar.html", context)

    def _included(self, campaign: Campaign) -> tuple[int, int]:
        """Return how many may be mailed, and how many of them are held out."""
        key = f"audience:{campaign.pk}:{campaign.revision}"
        found: tuple[int, int] | None = cache.get(key)
        if found is None:
            chosen = selectors.audience_of(campaign)
            has_audience = bool(chosen["lists"] or chosen["segments"])
            found = (audiences.count_audience(**chosen).included, count_held_out(campaign)) if has_audience else (0, 0)
            cache.set(key, found, COUNT_REMEMBERED_S)
        return found


class _Go(ReviewAction):
    """Base of sending and scheduling: one form, whose first question decides."""

    permission = "campaign.send"
    anchor = "when"
    when = NOW

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Keep the pace, then launch or schedule; a form that cannot be read is shown again."""
        zone = zone_of(self.workspace.time_zone)
        is_form = "when" in request.POST
        form = PaceForm(with_default(request.POST, self.when), zone=zone)
        has_brake = "brake" in request.POST
        brake_form = BrakeForm(request.POST if has_brake else None, initial=BrakeForm.initial_of(campaign))
        if not form.is_valid() or (has_brake and not brake_form.is_valid()):
            return self.again(request, campaign, pace_form=form, brake_form=brake_form)
        with transaction.atomic():
            if is_form:
                sending.set_pace(campaign=campaign, **form.pace)
            if has_brake:
                brakes.set_brake(campaign=campaign, **brake_form.brake)
            if form.is_now:
                sending.launch_campaign(campaign=campaign, actor=self.user)
            else:
                sending.schedule_campaign(campaign=campaign, send_at=form.cleaned_data["send_at"], actor=self.user)
        if form.is_now:
            messages.success(request, f"“{campaign.name}” is being sent.")
            return redirect("analytics:live", campaign.pk)
        messages.success(request, f"It will be sent on {_said(form.cleaned_data['send_at'], zone, campaign)}.")
        return None


def _said(moment: datetime, zone: ZoneInfo, campaign: Campaign) -> str:
    by_contact = campaign.timezone_mode == Campaign.TimezoneMode.CONTACT
    clock = "each reader’s own time" if by_contact else f"{zone.key} time"
    return f"{moment.astimezone(zone):%-d %B at %H:%M}, {clock}"


class ReviewSend(_Go):
    """Send it now, unless the form says when."""


class ReviewSchedule(_Go):
    """Send it at a time, unless the form says now."""

    when = AT


class ReviewUnschedule(ReviewAction):
    """Take it back."""

    permission = "campaign.send"
    anchor = "when"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Make it a draft again."""
        sending.unschedule_campaign(campaign=campaign, actor=self.user)
        messages.success(request, "It is a draft again.")
        return None


class ReviewLinks(ReviewAction):
    """Ask the addresses in the mail whether they answer."""

    permission = "campaign.view"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Start asking, or say how far it has come; the page asks again until it is done."""
        check = link_checking.start_link_check(campaign)
        return render(request, "campaigns/_link_check.html", {"campaign": campaign, "check": check})


class ReviewWhy(ReviewAction):
    """Why does this person get it, or not?"""

    permission = "contact.view"

    def act(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase | None:
        """Answer for one address."""
        email = request.POST.get("email", "").strip()[:254]
        found = preflight.why(campaign, email)
        words = "" if found is None else SKIP_LOOKS.get(found, (found.replace("_", " ").capitalize(), ""))[0]
        context = {"email": email, "found": found, "words": words}
        return render(request, "campaigns/_why.html", context)


PACE_ACTIONS: dict[str, Callable[..., HttpResponseBase]] = {
    "estimate": ReviewEstimate.as_view(),
    "send": ReviewSend.as_view(),
    "schedule": ReviewSchedule.as_view(),
    "unschedule": ReviewUnschedule.as_view(),
    "links": ReviewLinks.as_view(),
    "why": ReviewWhy.as_view(),
}

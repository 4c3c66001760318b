"""When it leaves: a time that has passed, hours that never come, days that a warm-up takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity
from campaigns.selectors.finish import Estimate
from campaigns.windows import read_window, zone_of

#: A mail that is still on its way after so long has been overtaken by what it says.
LONG = timedelta(days=3)


def find(examined: Examined) -> Iterator[Finding]:
    """Find windows that never open, times in the past, and sends that take longer than anybody expects."""
    campaign, here = examined.campaign, examined.page("campaigns:review", "when")
    window = read_window(campaign.send_window)
    if window is not None and window.never_opens:
        yield Finding(
            "window_never_opens",
            Severity.BLOCK,
            "The sending window never opens",
            here,
            detail="Choose at least one day of the week, and an end that is not the beginning.",
        )
        return
    now, zone = timezone.now(), zone_of(examined.workspace.time_zone)
    if campaign.status == Campaign.Status.DRAFT and campaign.send_at is not None and campaign.send_at <= now:
        yield Finding(
            "schedule_past",
            Severity.WARN,
            f"Its time, {campaign.send_at.astimezone(zone):%-d %B %H:%M}, has passed",
            here,
            detail="Choose a new time, or send it now.",
        )
    found = examined.estimate
    if found is None:
        return
    if found.a_day_later:
        yield Finding(
            "local_time_passed",
            Severity.INFO,
            f"For {found.a_day_later:,} contacts that time has passed where they are",
            here,
            found.a_day_later,
            "They get it at that time the next day.",
        )
    takes = found.finish_at - found.starts_at
    if found.limited_by == "warm_up":
        yield Finding(
            "warm_up_over_days",
            Severity.WARN,
            f"The warm-up spreads it over {_days(found, zone)} days",
            reverse("campaigns:sending"),
            examined.count.included,
            f"The last message leaves about {found.finish_at.astimezone(zone):%-d %B}: mail fewer, or raise the plan.",
        )
    elif takes > LONG:
        yield Finding(
            "takes_long",
            Severity.WARN,
            f"It takes {takes.days} days to send",
            here,
            detail="Raise the limit an hour, or widen the window.",
        )


def _days(found: Estimate, zone: ZoneInfo) -> int:
    return (found.finish_at.astimezone(zone).date() - found.starts_at.astimezone(zone).date()).days + 1

"""The bar at the foot of the review: to how many, from when on, done by when, and what decides about that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from campaigns.models import Campaign
from campaigns.selectors.finish import Estimate, waits_for_test

#: `Estimate.limited_by` -> why it takes so long, for people.
DECIDES = {
    "speed": "At the speed of your last sends",
    "rate": "The account’s limit a second decides",
    "throttle": "Your limit an hour decides",
    "warm_up": "The warm-up decides: so many a day",
    "window": "It rests outside the sending window",
    "local_time": "It follows its readers’ clocks",
    "send_delay": "A variant leaves later than the others",
    "canary": "The first readers are watched before the others get it",
}


@dataclass
class SendBar:
    """What the bar shows: how many get it and how many are held out; `problem` is an input that cannot be read."""

    included: int
    zone: ZoneInfo
    held_out: int = 0
    blocks: int = 0
    may_send: bool = True
    is_now: bool = True
    starts: str = ""
    done: str = ""
    decides: str = ""
    later: int = 0
    zones: int = 1
    is_scheduled: bool = False
    waits_for_test: bool = False
    problem: str = ""

    def choose(self, campaign: Campaign, estimate: Estimate | None, *, is_now: bool) -> None:
        """Take over what a choice of time and pace would bring."""
        self.is_now, self.is_scheduled = is_now, campaign.status == Campaign.Status.SCHEDULED
        self.waits_for_test = waits_for_test(campaign)
        if estimate is None:
            return
        now = timezone.now()
        begins_later = estimate.starts_at - now > timedelta(minutes=1)
        self.starts = self._moment(estimate.starts_at, now) if begins_later else ""
        self.done = _duration(estimate.finish_at - now) if self._is_soon(estimate, now) else self._by(estimate, now)
        self.decides, self.later, self.zones = DECIDES[estimate.limited_by], estimate.a_day_later, estimate.zones

    def _is_soon(self, estimate: Estimate, now: datetime) -> bool:
        return not self.starts and estimate.finish_at - now < timedelta(hours=1)

    def _by(self, estimate: Estimate, now: datetime) -> str:
        return f"by about {self._moment(estimate.finish_at, now)}"

    def _moment(self, at: datetime, now: datetime) -> str:
        there, here = at.astimezone(self.zone), now.astimezone(self.zone)
        days = (there.date() - here.date()).days
        day = {0: "", 1: "tomorrow "}.get(days, f"{there:%A} " if days < 7 else f"{there:%-d %B} ")
        return f"{day}{there:%H:%M}"

    @property
    def headline(self) -> str:
        """One sentence: how many, from when, until when."""
        if not self.included:
            return "Nobody gets it yet"
        people = f"{self.included:,} contact" + ("s" if self.included != 1 else "")
        starts = f"from {self.starts}" if self.starts else "starting now"
        ends = "the test done" if self.waits_for_test else "done"
        held = f"{self.held_out:,} held back to compare with" if self.held_out else ""
        return ", ".join(filter(None, (people, held, starts, f"{ends} {self.done}" if self.done else "")))

    @property
    def confirm(self) -> str:
        """What the last question says before it goes."""
        return f"{self.headline}. {'It starts at once.' if self.is_now else 'You can change or cancel it until then.'}"


def _duration(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return "within a minute" if minutes < 2 else f"in about {minutes} minutes"

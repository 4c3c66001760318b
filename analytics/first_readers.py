"""What preflight says about the first readers: whether so few can show that something is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.brake import is_reached, percent
from campaigns.braking import RATES, limits_of
from campaigns.models import Experiment
from campaigns.preflight import Check, Finding, Severity
from campaigns.preflight.examined import Examined
from campaigns.tickets import FEWEST

#: Worth a word when nothing less than so many times the limit would stop the campaign.
BLUNT = 5


def has_first_readers(examined: Examined) -> bool:
    """Return whether a few get it first, and somebody gets it at all."""
    return bool(examined.campaign.canary_share) and examined.has_audience and examined.count.included > 0


def expected(examined: Examined) -> int:
    """Return how many get it first, on average: each is drawn, from the test's part when the rest waits for a test.

    A draw that comes to less is filled up to `FEWEST`.
    """
    campaign, share = examined.campaign, 1.0
    if len(examined.variants) > 1:
        plan = Experiment.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign).first()
        share = plan.test_share / 100 if plan is not None and plan.mode != Experiment.Mode.EVEN else 1.0
    reached = examined.count.included * (1 - campaign.holdout_share / 100)
    drawn = reached * share * campaign.canary_share / 100
    return max(1, round(max(drawn, min(FEWEST, reached))))


def fewest(readers: int, limit: float) -> int | None:
    """Return how many of so many readers must come to grief before the brake stops it; None when all are not enough."""
    return next((count for count in range(1, readers + 1) if is_reached(count, readers, limit)), None)


def find(examined: Examined) -> Iterator[Finding]:
    """Find first readers who are too few to show anything, or anything but a disaster."""
    if not has_first_readers(examined):
        return
    limits = limits_of(examined.campaign.brake)
    rates = [(name, float(limit)) for name, limit in limits.items() if name in RATES and limit is not None]
    if not rates:
        return
    readers = expected(examined)
    enough = {name: fewest(readers, limit) for name, limit in rates}
    here, some = examined.page("campaigns:review", "when"), "1 person" if readers == 1 else f"{readers:,} people"
    if not any(enough.values()):
        yield Finding(
            "first_readers_too_few",
            Severity.WARN,
            f"About {some} would get it first, too few to show anything",
            here,
            readers,
            "Whatever becomes of these mails, the others would get it too. Let more of them have it first.",
        )
        return
    name, limit = rates[0]
    count = enough[name]
    if count is None or count / readers >= BLUNT * limit:
        least = f"only from {count:,} of them on" if count else "not even when it happens to all of them"
        yield Finding(
            "first_readers_few",
            Severity.INFO,
            f"About {some} would get it first, enough only to show great trouble",
            here,
            readers,
            f"“{RATES[name].label}” would stop it {least}; its limit is {percent(limit)}. More readers show more.",
        )


CHECK = Check("first_readers", find, "The first readers are enough to show trouble", has_first_readers)

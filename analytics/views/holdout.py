"""The hold-out on pages: what the mail brought, in words that claim no more than the figures do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime

from analytics.reports.campaign_overview import money
from analytics.selectors.holdout import get_holdout
from campaigns.models import Campaign

#: Verdict -> tone, icon and word of the chip.
LOOKS: dict[str, tuple[str, str, str]] = {
    "counting": ("accent", "clock", "Still counting"),
    "not_enough": ("", "info", "Not enough to tell yet"),
    "more": ("ok", "check", "It brought more"),
    "fewer": ("bad", "warn", "It brought less"),
}


def get_card(campaign: Campaign) -> dict[str, Any]:
    """Return what `analytics/_holdout.html` shows, as its `holdout`; empty when nobody is held out."""
    return card_of(get_holdout(campaign))


def card_of(found: dict[str, Any] | None) -> dict[str, Any]:
    """Return the card of what `get_holdout` found."""
    if not found:
        return {}
    counted, revenue = found["conversions"], found["revenue"]
    currency = found["currency"]
    return {
        **found,
        "look": LOOKS[counted["verdict"]],
        "counts_until": parse_datetime(found["counts_until"]),
        "verdict": _verdict(found),
        "points": f"{100 * counted['difference']:+.2f}",
        "low": f"{100 * counted['low']:+.2f}",
        "high": f"{100 * counted['high']:+.2f}",
        "extra": _between(counted, lambda number: f"{number:+,}"),
        "revenue": revenue and {
            **revenue,
            "look": LOOKS[revenue["verdict"]],
            "each": money(round(revenue["difference"]), currency),
            "extra": _between(revenue, lambda minor: money(minor, currency)),
        },
        "groups": [
            (word, found[name], money(round(found[name]["mean"]), currency))
            for word, name in (("Mailed", "mailed"), ("Held out", "held_out"))
        ],
    }  # fmt: skip


def _between(compared: dict[str, Any], word: Callable[[int], str]) -> str:
    return f"{word(compared['extra'])}, 95 % between {word(compared['extra_low'])} and {word(compared['extra_high'])}"


def _verdict(found: dict[str, Any]) -> str:
    """Return what can be said, in a sentence."""
    verdict = found["conversions"]["verdict"]
    if not found["has_goals"]:
        return "There is no goal yet, so nothing can be compared."
    if verdict == "counting":
        return "Figures move until the goals’ time is up; nothing is concluded before."
    if verdict == "not_enough":
        return "Not enough to tell yet: chance alone explains a difference like this."
    lift = found["conversions"]["lift"]
    by = f" by {abs(lift):.0%} of what happens anyway".replace("%", " %") if lift is not None else ""
    if verdict == "more":
        return f"More goals were reached because of this mail{by}, beyond chance."
    return f"Fewer goals were reached because of this mail{by}, beyond chance."

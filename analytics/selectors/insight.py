"""What a finished campaign's figures say: as texts with their numbers, compared with the workspace's own average.

Opens and clicks are people's; machines are left out. A comparison names how many campaigns it rests on, says when there
are too few, and calls a rate above or below the average only when chance alone would hardly explain it.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from django.db.models import QuerySet

from analytics.selectors.breakdowns import get_links
from analytics.selectors.figures import get_campaign_stats, interval_95, list_campaign_figures
from analytics.selectors.live import LIMITS, MIN_FOR_ALERT
from campaigns.models import Campaign

#: A campaign with fewer delivered mails says nothing about a rate.
MIN_DELIVERED = 50
#: Fewer earlier campaigns are no average.
MIN_CAMPAIGNS = 3
#: The average is over this many of the latest campaigns before it.
MOST_CAMPAIGNS = 20

Verdict = Literal["above", "below", "same", "not_enough_data"]


class Comparison(TypedDict):
    """One rate beside the workspace's average."""

    figure: str
    verdict: Verdict
    campaigns: int
    text: str


class Facts(TypedDict):
    """All that may be said about a campaign. The same figures give the same facts."""

    campaign: str
    figures: list[str]
    derived: list[str]
    comparisons: list[Comparison]


def is_finished(campaign: Campaign) -> bool:
    """Return whether a campaign has left and can be summed up."""
    return campaign.status == Campaign.Status.SENT


def percent(rate: float) -> str:
    """Return a rate as it is written everywhere: one decimal."""
    return f"{rate * 100:.1f} %"


def get_facts(campaign: Campaign) -> tuple[Facts, list[str]]:
    """Return what the figures of a campaign say, and two lines made of it by rules."""
    stats = get_campaign_stats(campaign)
    comparisons = _comparisons(campaign, stats)
    facts = Facts(
        campaign=campaign.name,
        figures=_figures(campaign, stats),
        derived=_derived(campaign, stats),
        comparisons=comparisons,
    )
    return facts, [_what_happened(campaign, stats), _what_stands_out(stats, comparisons)]


def _watched(campaign: Campaign) -> list[tuple[str, str, str]]:
    """Return what was tracked: counter, rate, word."""
    kinds = (
        (campaign.track_opens, ("unique_opens", "open_rate", "opened")),
        (campaign.track_clicks, ("unique_clicks", "click_rate", "clicked")),
    )
    return [kind for is_tracked, kind in kinds if is_tracked]


def _figures(campaign: Campaign, stats: dict[str, Any]) -> list[str]:
    texts = [f"{stats['sent']:,} sent", f"{stats['delivered']:,} delivered, {percent(stats['delivery_rate'])}"]
    texts += [
        f"{_people(stats[count])} {word}, {percent(stats[rate])} of the delivered"
        for count, rate, word in _watched(campaign)
    ]
    if campaign.track_opens and campaign.track_clicks and stats["unique_opens"]:
        texts.append(f"click-to-open rate {percent(stats['click_to_open_rate'])}")
    texts += [
        f"{stats[count]:,} {word}, {percent(stats[rate])}"
        for count, rate, word in (
            ("bounced", "bounce_rate", "bounced"),
            ("unsubscribed", "unsubscribe_rate", "unsubscribed"),
            ("complained", "complaint_rate", "complained"),
        )
    ]
    top = next((link for link in get_links(campaign, limit=1) if link["unique_clicks"]), None)
    if top and campaign.track_clicks:
        texts.append(f"most clicked link {top['label']}: {_people(top['unique_clicks'])}")
    return texts


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def _derived(campaign: Campaign, stats: dict[str, Any]) -> list[str]:
    """Return what follows from the figures by one step: the others, and rates without decimals."""
    texts = []
    for count, rate, word in _watched(campaign):
        others = max(0, stats["delivered"] - stats[count])
        texts.append(f"{_people(others)} {'has' if others == 1 else 'have'} not {word}")
        texts.append(f"{round(stats[rate] * 100)} % {word}")
    return texts


def list_earlier(campaign: Campaign) -> QuerySet[Campaign]:
    """Return the campaigns that one is compared with: the latest that were sent before it."""
    sent = Campaign.objects.for_workspace(campaign.workspace_id).filter(status=Campaign.Status.SENT)
    earlier = sent.exclude(pk=campaign.pk).filter(launched_at__lt=campaign.launched_at)
    return earlier.order_by("-launched_at")[:MOST_CAMPAIGNS]


def _comparisons(campaign: Campaign, stats: dict[str, Any]) -> list[Comparison]:
    latest = list_campaign_figures(list_earlier(campaign))
    usable = [(other, figures) for other, figures in latest if figures["delivered"] >= MIN_DELIVERED]
    result = []
    for count, rate, word in _watched(campaign):
        is_tracked = "track_opens" if word == "opened" else "track_clicks"
        others = [figures for other, figures in usable if getattr(other, is_tracked)]
        result.append(_compared(f"{word.removesuffix('ed')} rate", stats, count, rate, others))
    return result


def _compared(name: str, stats: dict[str, Any], count: str, rate: str, others: list[dict[str, Any]]) -> Comparison:
    number = len(others)
    if stats["delivered"] < MIN_DELIVERED or number < MIN_CAMPAIGNS:
        reason = (
            f"{stats['delivered']:,} delivered, {MIN_DELIVERED} are needed"
            if stats["delivered"] < MIN_DELIVERED
            else f"{number} earlier campaign{'' if number == 1 else 's'}, {MIN_CAMPAIGNS} are needed"
        )
        text = f"Not enough data to compare the {name}: {reason}."
        return Comparison(figure=rate, verdict="not_enough_data", campaigns=number, text=text)
    average = sum(figures[count] for figures in others) / sum(figures["delivered"] for figures in others)
    low, high = interval_95(stats[count], stats["delivered"])
    own = f"The {name} of {percent(stats[rate])}"
    of_what = f"the average of {percent(average)} of the last {number} campaigns"
    verdict: Verdict = "above" if low > average else "below" if high < average else "same"
    if verdict == "same":
        text = f"{own} is about {of_what}; the difference may be chance."
    else:
        text = f"{own} is {verdict} {of_what}."
    return Comparison(figure=rate, verdict=verdict, campaigns=number, text=text)


def _what_happened(campaign: Campaign, stats: dict[str, Any]) -> str:
    did = [f"{_people(stats[count])} {word} ({percent(stats[rate])})" for count, rate, word in _watched(campaign)]
    done = f"; {' and '.join(did)}" if did else "; opens and clicks were not tracked"
    return f"{stats['sent']:,} sent and {stats['delivered']:,} delivered{done}."


def _what_stands_out(stats: dict[str, Any], comparisons: list[Comparison]) -> str:
    words = {"bounce_rate": "bounced", "complaint_rate": "complained"}
    for rate, limit in LIMITS.items():
        if stats["sent"] >= MIN_FOR_ALERT and stats[rate] >= limit:
            return f"{percent(stats[rate])} {words[rate]}, which is over the line of {percent(limit)}."
    told = [one["text"] for one in comparisons if one["verdict"] in ("above", "below")]
    texts = told or [one["text"] for one in comparisons]
    return texts[-1] if texts else "There is nothing to compare."

"""The figures of a campaign: ledger counts, event rollups and every rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Sum

from analytics.experiments.lift import wilson
from analytics.models import CampaignStats
from campaigns.models import Campaign, DeliveryMinute, Message, Variant
from campaigns.selectors.tally import TOTAL, get_tally

#: Rate -> what is divided by what. Opens and clicks are unique and human unless the name says otherwise.
RATES: dict[str, tuple[str, str]] = {
    "delivery_rate": ("delivered", "sent"),
    "open_rate": ("unique_opens", "delivered"),
    "click_rate": ("unique_clicks", "delivered"),
    "click_to_open_rate": ("unique_clicks", "unique_opens"),
    "machine_open_rate": ("machine_opens", "delivered"),
    "machine_click_rate": ("machine_clicks", "delivered"),
    "any_open_rate": ("any_opens", "delivered"),
    "any_click_rate": ("any_clicks", "delivered"),
    "bounce_rate": ("bounced", "sent"),
    "complaint_rate": ("complained", "delivered"),
    "unsubscribe_rate": ("unsubscribed", "delivered"),
}
STATUSES: tuple[str, ...] = tuple(Message.Status.values)
#: Not tried to the end yet.
OPEN_STATUSES = ("held", "queued", "sending", "retrying")
EVENT_COUNTERS: tuple[str, ...] = (
    "deferred", "bounced", "complained", "unsubscribed", "opens", "unique_opens", "machine_opens", "any_opens",
    "clicks", "unique_clicks", "machine_clicks", "any_clicks",
)  # fmt: skip


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def interval_95(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a rate, to six digits."""
    low, high = wilson(successes, trials)
    return round(low, 6), round(high, 6)


def figures_of(ledger: dict[str, int], counted: dict[str, int]) -> dict[str, Any]:
    """Return counts and rates.

    Args:
        ledger: message status -> how many.
        counted: the sums of `CampaignStats`, and `accepted`: messages that counted as delivered when a provider
            without delivery reports took them.
    """
    figures: dict[str, Any] = {"recipients": sum(ledger.values())}
    figures |= {status: ledger.get(status, 0) for status in STATUSES}
    delivered = counted.get("delivered", 0) + counted.get("accepted", 0) - counted.get("returned", 0)
    figures["delivered"] = max(0, delivered)
    figures |= {name: counted.get(name, 0) for name in EVENT_COUNTERS}
    figures |= {name: _rate(figures[part], figures[whole]) for name, (part, whole) in RATES.items()}
    return figures


def count_by_variant(campaign_ids: Iterable[Any]) -> dict[Any, dict[str, int]]:
    """Return sums of the rollups: `(campaign id, variant id)` -> what `figures_of` takes, and `sent` and `failed`."""
    names = ("delivered", "returned", *EVENT_COUNTERS)
    ids = list(campaign_ids)
    rows = CampaignStats.objects.filter(campaign_id__in=ids).values("campaign_id", "variant_id", *names)
    counted: dict[Any, dict[str, int]] = {
        (row.pop("campaign_id"), row.pop("variant_id")): {name: int(row[name]) for name in names} for row in rows
    }
    accepted = (
        DeliveryMinute.objects.filter(campaign_id__in=ids)
        .values("campaign_id", "variant_id")
        .annotate(total=Sum("delivered"), total_sent=Sum("sent"), total_failed=Sum("failed"))
    )
    for row in accepted:
        counts = counted.setdefault((row["campaign_id"], row["variant_id"]), {})
        counts["accepted"], counts["sent"] = row["total"] or 0, row["total_sent"] or 0
        counts["failed"] = row["total_failed"] or 0
    return counted


def _added(many: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in many:
        for name, value in counts.items():
            total[name] = total.get(name, 0) + value
    return total


def get_campaign_stats(campaign: Campaign, *, may_count: bool = True) -> dict[str, Any]:
    """Return the figures of a campaign and of each of its variants (API.md, `/v1/campaigns/{id}/stats`).

    Args:
        campaign: which one; test sends are left out.
        may_count: False when whoever asks must not wait for a count of a large ledger (`campaigns.selectors.tally`).
    """
    tally = get_tally(campaign, may_count=may_count)
    counted = count_by_variant([campaign.pk])
    ledger = tally.brought_forward(
        {str(variant): (counts.get("sent", 0), counts.get("failed", 0)) for (_, variant), counts in counted.items()}
    )
    stats = figures_of(ledger[TOTAL], _added(counted.values()))
    variants = (
        Variant.objects.for_workspace(campaign.workspace_id)
        .filter(campaign=campaign)
        .order_by("label")
        .only("id", "label", "subject", "is_winner", "workspace_id")
    )
    stats["variants"] = [
        {
            "id": str(variant.pk),
            "label": variant.label,
            "subject": variant.subject,
            "is_winner": variant.is_winner,
            **figures_of(ledger.get(str(variant.pk), {}), counted.get((campaign.pk, variant.pk), {})),
        }
        for variant in variants
    ]
    return stats


def list_campaign_figures(campaigns: Iterable[Campaign]) -> list[tuple[Campaign, dict[str, Any]]]:
    """Return sent campaigns with their figures, from the rollups alone: two queries however many campaigns.

    `sent` comes from the delivery minutes, and the ledger statuses other than `sent` are not counted here.
    """
    campaigns = list(campaigns)
    totals: dict[Any, list[dict[str, int]]] = {}
    for (campaign_id, _variant_id), counts in count_by_variant(c.pk for c in campaigns).items():
        totals.setdefault(campaign_id, []).append(counts)
    result = []
    for campaign in campaigns:
        counted = _added(totals.get(campaign.pk, []))
        figures = figures_of({"sent": counted.get("sent", 0)}, counted)
        figures["recipients"] = campaign.recipients
        result.append((campaign, figures))
    return result

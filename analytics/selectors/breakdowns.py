"""One campaign's figures by link, by recipient domain and by mailbox provider, and its latest events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.db.models import QuerySet

from analytics.models import Breakdown, Event, EventArchive, LinkStats
from analytics.selectors.mailboxes import OTHER, provider_of
from campaigns.models import Campaign, Link

#: More domains than anybody reads; the rest is added up.
MAX_DOMAINS = 100
MAX_PROVIDERS = 6
#: Rows of a list of what people read with; the rest is added up.
MAX_READERS = 5
#: What people read with and where: name of the list -> dimension of the breakdowns.
READERS: dict[str, str] = {"devices": "device", "clients": "client", "countries": "country"}
DOMAIN_COUNTERS = (
    "sent",
    "delivered",
    "deferred",
    "bounced",
    "complained",
    "unsubscribed",
    "unique_opens",
    "unique_clicks",
)

_BY_DOMAIN = """
SELECT split_part(email_normalized, '@', 2) AS domain,
       count(*) FILTER (WHERE status = 'sent'),
       count(*) FILTER (WHERE delivered_at IS NOT NULL AND bounced_at IS NULL),
       count(bounced_at), count(complained_at), count(unsubscribed_at), count(first_opened_at), count(first_clicked_at)
  FROM campaigns_message WHERE campaign_id = %s AND NOT is_test GROUP BY domain
"""
_DEFERRED = """
SELECT split_part(message.email_normalized, '@', 2), count(DISTINCT message.id)
  FROM (SELECT message_id FROM analytics_event WHERE campaign_id = %s AND kind = 'deferred'
        UNION ALL
        SELECT message_id FROM analytics_eventarchive WHERE campaign_id = %s AND kind = 'deferred') AS event
  JOIN campaigns_message AS message ON message.id = event.message_id
 GROUP BY 1
"""

#: Part of a user agent -> what people call it; the first match counts.
_CLIENTS: tuple[tuple[str, str], ...] = (
    ("Thunderbird", "Thunderbird"), ("Outlook", "Outlook"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Android", "Android"), ("Windows", "Windows"), ("Macintosh", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux"),
)  # fmt: skip


#: Reason of a class (`analytics.ingest.bots`) -> what people read.
REASON_LABELS: dict[str, str] = {
    "apple_privacy": "Apple privacy relay",
    "image_proxy": "image proxy",
    "link_scanner": "link scanner",
    "link_preview": "link preview",
    "crawler": "crawler",
    "head_request": "asked for headers only",
    "provider": "the provider says so",
    "before_sending": "before the message had left",
    "too_quick": "quicker than a mailbox delivers",
    "honeypot": "followed a link that people cannot see",
    "all_links": "followed all links within seconds",
}


def mask_email(email: str) -> str:
    """Return an address that can be shown on a wall: first and last letter of the name, and the domain."""
    if "@" not in email:
        return "an erased person"
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••{name[-1:] if len(name) > 1 else ''}@{domain}"


def short_url(url: str) -> str:
    """Return how a link is called where there is little room: its path, or its host when it has none.

    The campaign's parameters are left out, because they are alike on all links.
    """
    parts = urlsplit(url)
    path = parts.path if parts.path not in ("", "/") else parts.netloc
    query = "&".join(part for part in parts.query.split("&") if part and not part.startswith("utm_"))
    return f"{path}?{query}" if query else path


def get_links(campaign: Campaign, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the campaign's links, most clicked first; addresses that several variants share are added up."""
    links = Link.objects.filter(
        workspace_id=campaign.workspace_id, variant__campaign=campaign, is_honeypot=False
    ).order_by("id")
    stats = {row.link_id: row for row in LinkStats.objects.filter(campaign=campaign)}
    by_url: dict[tuple[str, str], dict[str, Any]] = {}
    for link in links:
        row = by_url.setdefault(
            (link.url, link.original_url),
            {"id": str(link.public_id), "url": link.url, "original_url": link.original_url,
             "label": short_url(link.url), "position": link.position, "clicks": 0, "unique_clicks": 0,
             "machine_clicks": 0},
        )  # fmt: skip
        if counted := stats.get(link.pk):
            for name in ("clicks", "unique_clicks", "machine_clicks"):
                row[name] += getattr(counted, name)
    rows = sorted(by_url.values(), key=lambda row: (-row["unique_clicks"], -row["clicks"], row["position"]))
    total = sum(row["unique_clicks"] for row in rows)
    for row in rows:
        row["share"] = round(row["unique_clicks"] / total, 4) if total else 0.0
    return rows[:limit]


def get_domains(campaign: Campaign) -> list[dict[str, Any]]:
    """Return the figures by recipient domain, largest first; reads the ledger, so it costs what the campaign is big."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_DOMAIN, [campaign.pk])
        found = cursor.fetchall()
        cursor.execute(_DEFERRED, [campaign.pk, campaign.pk])
        deferred = dict(cursor.fetchall())
    rows = [
        dict(
            zip(("domain", *DOMAIN_COUNTERS), (row[0], row[1], row[2], deferred.get(row[0], 0), *row[3:]), strict=True)
        )
        for row in found
    ]
    rows.sort(key=lambda row: (-row["sent"], row["domain"]))
    shown, rest = rows[:MAX_DOMAINS], rows[MAX_DOMAINS:]
    if rest:
        shown.append({"domain": "", **{name: sum(row[name] for row in rest) for name in DOMAIN_COUNTERS}})
    return [_with_rates({**row, "provider": provider_of(row["domain"])}) for row in shown]


def get_providers(campaign: Campaign) -> list[dict[str, Any]]:
    """Return the figures by mailbox provider; domains that no large provider runs are named when they are few."""
    rows = get_domains(campaign)
    small = [row["domain"] for row in rows if row["provider"] == OTHER and row["domain"]]
    known = len({row["provider"] for row in rows} - {OTHER})
    names = set(small[: max(0, MAX_PROVIDERS - known)])
    by_name: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["domain"] if row["domain"] in names else row["provider"]
        total = by_name.setdefault(name, {"provider": name, **dict.fromkeys(DOMAIN_COUNTERS, 0)})
        for counter in DOMAIN_COUNTERS:
            total[counter] += row[counter]
    ordered = sorted(by_name.values(), key=lambda row: (row["provider"] == OTHER, -row["sent"], row["provider"]))
    return [_with_rates(row) for row in ordered]


def get_breakdown(campaign: Campaign, dimension: str) -> list[dict[str, Any]]:
    """Return the campaign's counts by device, mail program, country or mailbox provider, the largest first.

    Args:
        campaign: whose.
        dimension: one of `Breakdown.Dimension`.

    Returns:
        Rows with `value`, human `opens` and `clicks` (repeats included), what the provider's events reported
        (`delivered`, `deferred`, `bounced`, `complained`; by mailbox only), and `share` of the opens and clicks. The
        row of what is not known (`Other`) comes last.
    """
    counters = ("opens", "clicks", "delivered", "deferred", "bounced", "complained")
    rows = list(Breakdown.objects.filter(campaign=campaign, dimension=dimension).values("value", *counters))
    rows = [row for row in rows if any(row[name] for name in counters)]
    total = sum(row["opens"] + row["clicks"] for row in rows)
    for row in rows:
        row["share"] = round((row["opens"] + row["clicks"]) / total, 4) if total else 0.0
    return sorted(
        rows, key=lambda row: (row["value"] == OTHER, -row["opens"] - row["clicks"], -row["delivered"], row["value"])
    )


def get_readers(campaign: Campaign) -> dict[str, list[dict[str, Any]]]:
    """Return `devices`, `clients` and `countries`: rows of `{label, count, share}` of people's opens and clicks.

    The largest come first, the rest is one row. Without a database of countries there are none.
    """
    return {name: _ranked(get_breakdown(campaign, dimension)) for name, dimension in READERS.items()}


def _ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the largest of a breakdown by what people did, and the rest in one row."""
    counted = [(str(row["value"]), row["opens"] + row["clicks"]) for row in rows if row["opens"] + row["clicks"]]
    total = sum(count for _, count in counted)
    shown, rest = counted[:MAX_READERS], counted[MAX_READERS:]
    if rest:
        shown.append((f"{len(rest)} more", sum(count for _, count in rest)))
    return [{"label": label, "count": count, "share": round(count / total, 4)} for label, count in shown]


def _with_rates(row: dict[str, Any]) -> dict[str, Any]:
    delivered = row["delivered"]
    row["open_rate"] = round(row["unique_opens"] / delivered, 6) if delivered else 0.0
    row["click_rate"] = round(row["unique_clicks"] / delivered, 6) if delivered else 0.0
    return row


def client_of(agent: str) -> str:
    """Return what people call the program that asked, or ''."""
    return next((name for part, name in _CLIENTS if part in agent), "")


def _detail(event: Event | EventArchive) -> str:
    if event.actor == Event.Actor.MACHINE:
        return REASON_LABELS.get(event.actor_reason, event.actor_reason)
    if event.kind == Event.Kind.CLICKED:
        return short_url(event.link.url) if event.link else ""
    if event.kind == Event.Kind.OPENED:
        return client_of(event.user_agent)
    return str(event.data.get("detail", ""))[:80]


def describe(event: Event | EventArchive) -> dict[str, Any]:
    """Return an event as pages and sockets show it: who is masked, what is in words."""
    moment: datetime = event.occurred_at
    return {
        "id": str(event.public_id),
        "kind": event.kind,
        "actor": event.actor,
        "email": mask_email(event.message.email) if event.message else "",
        "detail": _detail(event),
        "at": moment.isoformat().replace("+00:00", "Z"),
    }


def recent_events(campaign: Campaign, *, limit: int) -> list[dict[str, Any]]:
    """Return the latest events of a campaign, newest first."""
    events: QuerySet[Event] = (
        Event.objects.for_workspace(campaign.workspace_id)
        .filter(campaign=campaign)
        .select_related("message", "link")
        .only(
            "id", "kind", "actor", "actor_reason", "user_agent", "data", "occurred_at", "received_at", "workspace_id",
            "campaign_id", "message__email", "link__url",
        )
        .order_by("-id")[:limit]
    )  # fmt: skip
    return [describe(event) for event in events]

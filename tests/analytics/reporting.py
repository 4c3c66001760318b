"""A campaign with everything in it that a report shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Workspace
from analytics.ingest.store import store
from audiences.models import Contact, ContactList
from campaigns.delivery import pipeline, planner
from campaigns.models import Campaign, Link, Message, Variant
from pulsequill.core.event_log import encode
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
SHOP = "https://shop.example.io/"
BODY: list[dict[str, Any]] = [
    {"type": "heading", "text": "The harvest is here", "level": 1},
    {"type": "text", "html": f'<p>Hi {{{{first_name}}}}, see <a href="{SHOP}beans">the beans</a>.</p>'},
    {"type": "button", "label": "Reserve a bag", "url": f"{SHOP}reserve"},
    {"type": "text", "html": f'<p>New here? Read <a href="{SHOP}guide">our guide</a>.</p>'},
]
DOMAINS = ("gmail.com", "outlook.com", "example.org")


@dataclass
class Sent:
    """A campaign that went through the real launch and the real delivery."""

    workspace: Workspace
    campaign: Campaign
    list: ContactList
    contacts: list[Contact]

    @property
    def rows(self) -> list[Message]:
        """The ledger in the order of the contacts."""
        found = {row.email: row for row in Message.objects.filter(campaign=self.campaign, is_test=False)}
        return [found[contact.email] for contact in self.contacts]

    def links(self, label: str = "A") -> list[Link]:
        """The links of a variant that people see, in their order."""
        links = Link.objects.filter(variant__campaign=self.campaign, variant__label=label, is_honeypot=False)
        return list(links.order_by("position"))

    def happen(self, *events: bytes) -> None:
        """Let things happen, through the real consumer."""
        store(list(events))


def make_sent(
    size: int = 6,
    *,
    workspace: Workspace | None = None,
    variants: int = 1,
    name: str = "Harvest launch",
    who: str = "reader",
    **changes: Any,
) -> Sent:
    """A campaign whose mails have been delivered to the outbox."""
    workspace = workspace or make_workspace()
    contacts = [make_contact(workspace, f"{who}{n}@{DOMAINS[n % 3]}", first_name=f"Reader {n}") for n in range(size)]
    chosen = make_list(workspace, *contacts, name=f"Newsletter of {who}s")
    contents = [
        {"label": chr(65 + n), "subject": f"Beans {n}", "preview_text": "Picked in June", "body": BODY,
         "share": 100 // variants}
        for n in range(variants)
    ]  # fmt: skip
    campaign = make_campaign(
        workspace, name=name, lists=[chosen], variants=contents, utm={"source": "news", "medium": "email"}, **changes
    )
    planner.launch(campaign, now=timezone.now())
    pipeline.deliver(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    return Sent(workspace, campaign, chosen, contacts)


def event(
    row: Message, kind: str, *, agent: str = BROWSER, link: Link | None = None, at: datetime | None = None, **data: Any
) -> bytes:
    """One event about a message, a little after it was sent."""
    return encode(
        kind=kind,
        message_id=row.pk,
        source="tracking" if kind in ("opened", "clicked") else "bounce",
        user_agent=agent,
        link_id=link.pk if link else None,
        occurred_at=at or (row.sent_at or timezone.now()) + timedelta(minutes=3),
        data=data,
    )


def second_variant(sent: Sent) -> Variant:
    """The variant B."""
    return Variant.objects.get(campaign=sent.campaign, label="B")

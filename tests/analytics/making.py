"""Campaigns with ledger rows, as delivery leaves them, and a straightforward count over raw events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Membership, User, Workspace
from accounts.models.membership import Role
from audiences.models import Contact
from campaigns.models import Campaign, DeliveryMinute, Link, Message, Variant

SENT_AT = datetime(2025, 6, 2, 10, 0, 0, tzinfo=UTC)


def make_workspace(name: str = "Northwind Coffee") -> Workspace:
    return Workspace.objects.create(name=name, slug=Workspace.free_slug(name))


def make_member(workspace: Workspace, email: str = "maya@northwind.example", role: str = Role.OWNER) -> User:
    user = User.objects.create_user(email, "pour-over-at-dawn", name="Maya Okafor")
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


@dataclass
class Mailing:
    """A campaign that was sent, with its rows at hand."""

    workspace: Workspace
    campaign: Campaign
    variants: list[Variant]
    messages: list[Message]
    links: list[Link]


def make_mailing(
    workspace: Workspace | None = None,
    *,
    size: int = 5,
    variants: int = 1,
    provider: str = "sendgrid",
    status: str = Message.Status.SENT,
    campaign_status: str = Campaign.Status.SENDING,
    name: str = "Harvest roast launch",
    sent_at: datetime = SENT_AT,
    with_contacts: bool = True,
    domains: Sequence[str] = ("example.com",),
) -> Mailing:
    workspace = workspace or make_workspace()
    campaign = Campaign.objects.create(
        workspace=workspace,
        name=name,
        status=campaign_status,
        provider=provider,
        recipients=size,
        launched_at=sent_at - timedelta(seconds=5),
    )
    made = [
        Variant.objects.create(
            workspace=workspace, campaign=campaign, label=chr(65 + n), subject=f"Subject {n}", share=100 // variants
        )
        for n in range(variants)
    ]
    links = [
        Link.objects.create(workspace=workspace, variant=variant, url=f"https://shop.example/{path}", position=position)
        for variant in made
        for position, path in enumerate(("harvest-roast", "subscribe"))
    ]
    contacts: list[Contact | None] = [None] * size
    if with_contacts:
        contacts = list(
            Contact.objects.bulk_create(
                Contact(
                    workspace=workspace,
                    email=f"reader{n}-{campaign.pk.hex[-6:]}@{domains[n % len(domains)]}",
                    email_normalized=f"reader{n}-{campaign.pk.hex[-6:]}@{domains[n % len(domains)]}",
                )
                for n in range(size)
            )
        )
    is_accepted = status == Message.Status.SENT
    reports_itself = provider == "sendgrid"
    messages = Message.objects.bulk_create(
        Message(
            workspace=workspace,
            campaign=campaign,
            variant=made[n % variants],
            contact=contact,
            email=contact.email if contact else f"reader{n}@{domains[n % len(domains)]}",
            email_normalized=contact.email if contact else f"reader{n}@{domains[n % len(domains)]}",
            status=status,
            provider=provider,
            claimed_at=sent_at - timedelta(seconds=1),
            sent_at=sent_at if is_accepted else None,
            delivered_at=sent_at if is_accepted and not reports_itself else None,
        )
        for n, contact in enumerate(contacts)
    )
    if is_accepted:
        for n, variant in enumerate(made):
            count = len(messages[n::variants])
            DeliveryMinute.objects.create(
                campaign=campaign,
                variant=variant,
                minute=sent_at.replace(second=0, microsecond=0),
                sent=count,
                delivered=0 if reports_itself else count,
            )
    return Mailing(workspace, campaign, made, list(messages), links)


def straightforward_count(events: Iterable[dict[str, Any]], accepted: int = 0) -> dict[str, int]:
    """Count events as one would on paper: every key once, uniques by sets."""
    once = {event["key"]: event for event in events}.values()

    def of(kind: str, actor: str | None = None) -> list[dict[str, Any]]:
        return [e for e in once if e["kind"] == kind and (actor is None or e["actor"] == actor)]

    def people(found: list[dict[str, Any]]) -> set[int]:
        return {e["message"] for e in found}

    delivered, bounced = people(of("delivered")), people(of("bounced"))
    return {
        "delivered": len(delivered),
        "returned": len(delivered & bounced) if not accepted else len(bounced),
        "deferred": len(of("deferred")),
        "bounced": len(bounced),
        "complained": len(people(of("complained"))),
        "unsubscribed": len(people(of("unsubscribed"))),
        "opens": len(of("opened", "human")),
        "unique_opens": len(people(of("opened", "human"))),
        "machine_opens": len(people(of("opened", "machine"))),
        "any_opens": len(people(of("opened"))),
        "clicks": len(of("clicked", "human")),
        "unique_clicks": len(people(of("clicked", "human"))),
        "machine_clicks": len(people(of("clicked", "machine"))),
        "any_clicks": len(people(of("clicked"))),
    }

"""What one contact did with our mails, for the contact's timeline."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from analytics.models import Event, EventArchive
from analytics.selectors.breakdowns import describe
from audiences.models import Contact
from audiences.selectors.contacts import TimelineEntry
from campaigns.models import Message

#: Kind of event -> icon and words.
LOOKS: dict[str, tuple[str, str]] = {
    "delivered": ("check", "Delivered"),
    "deferred": ("clock", "Delayed"),
    "bounced": ("bounce", "Bounced"),
    "complained": ("flag", "Complained"),
    "opened": ("eye", "Opened"),
    "clicked": ("click", "Clicked"),
    "unsubscribed": ("unsubscribe", "Unsubscribed"),
    "rejected": ("block", "Rejected"),
    "failed": ("warn", "Failed"),
    "converted": ("star", "Reached a goal"),
}


def contact_timeline(contact: Contact, limit: int) -> Iterator[TimelineEntry]:
    """Yield the mails that a contact got and what they did with them, newest first."""
    messages = (
        Message.objects.for_workspace(contact.workspace_id)
        .filter(contact=contact, sent_at__isnull=False)
        .select_related("campaign")
        .order_by("-id")[:limit]
    )
    for message in messages:
        name = message.campaign.name if message.campaign else "a message"
        if message.sent_at:
            url = reverse("analytics:live", args=[message.campaign_id]) if message.campaign_id else ""
            yield TimelineEntry(message.sent_at, "send", f"Sent {name}", url=url)
    for event in _events(contact, limit):
        icon, word = LOOKS[event.kind]
        if event.actor == Event.Actor.MACHINE:
            icon, word = "machine", f"{word} by a machine"
        campaign = event.message.campaign if event.message else None
        yield TimelineEntry(
            event.occurred_at, icon, f"{word}: {campaign.name}" if campaign else word, describe(event)["detail"]
        )


def _events(contact: Contact, limit: int) -> list[Event | EventArchive]:
    """Return the latest events of a contact; the archive is asked only when there is room."""
    found: list[Event | EventArchive] = []
    for model in (Event, EventArchive):
        if len(found) < limit:
            events = (
                model.objects.for_workspace(contact.workspace_id)
                .filter(message__contact=contact, kind__in=LOOKS)
                .select_related("message", "message__campaign", "link")
                .order_by("-id")
            )
            found += events[: limit - len(found)]
    return found

"""What may happen to a campaign while somebody watches it: each touches another part of the live page."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics.ingest.store import store
from analytics.live import frames
from analytics.live.publisher import Publisher
from campaigns.models import Campaign, DeliveryMinute, Link, Message
from pulsequill.core.event_log import encode
from pulsequill.core.live import mark_dirty
from pulsequill.core.valkey import streams_client
from tests.analytics.making import Mailing, make_mailing

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel)"
DOMAINS = ("gmail.com", "outlook.com", "roastery.example")
COUNTRIES = {"192.0.2.1": "GB", "198.51.100.2": "DE"}
SIZE = 12
WAITING = 4


class Stage:
    """A campaign that is being sent, at a moment at which only microseconds pass, and frames that come when called."""

    def __init__(self, patch: pytest.MonkeyPatch, *, is_launched: bool = True) -> None:
        self.start = timezone.now().replace(second=1, microsecond=0)
        ticks = itertools.count(1)
        patch.setattr(timezone, "now", lambda: self.start + timedelta(microseconds=next(ticks)))
        patch.setattr("analytics.ingest.entries.country_of", lambda ip: COUNTRIES.get(ip, ""))
        patch.setattr(frames, "push_encoded", lambda _group, seq, text: self.frames.append((seq, text)))
        self.frames: list[tuple[int, str]] = []
        self.publisher = Publisher()
        self.mailing = self._mail()
        self.campaign = self.mailing.campaign
        if not is_launched:
            self._take_back()

    def _mail(self) -> Mailing:
        sent_at = self.start - timedelta(minutes=10)
        mailing = make_mailing(
            size=SIZE, variants=2, provider="sendgrid", domains=DOMAINS, sent_at=sent_at, with_contacts=False
        )
        waiting = [message.pk for message in mailing.messages[-WAITING:]]
        Message.objects.for_workspace(mailing.workspace).filter(pk__in=waiting).update(status="held", sent_at=None)
        for variant in mailing.variants:
            link = {"workspace": mailing.workspace, "variant": variant}
            mailing.links.append(Link.objects.create(**link, url="https://shop.example/", position=9, is_honeypot=True))
        return mailing

    def _take_back(self) -> None:
        """Make it a campaign that has not been launched: nothing has left."""
        Message.objects.for_workspace(self.mailing.workspace).update(status="held", sent_at=None)
        DeliveryMinute.objects.filter(campaign=self.campaign).delete()
        Campaign.objects.filter(pk=self.campaign.pk).update(status="scheduled", launched_at=None)
        self.campaign.refresh_from_db()

    def launch(self) -> None:
        """Let the campaign begin."""
        launched_at = self.start - timedelta(minutes=11)
        Campaign.objects.filter(pk=self.campaign.pk).update(status="sending", launched_at=launched_at)

    def happen(self, name: str, number: int, seconds: int) -> None:
        """Let one of `HAPPENINGS` happen to message `number`, so long before now."""
        HAPPENINGS[name](self, number, self.start - timedelta(seconds=seconds))

    def publish(self) -> list[tuple[int, str]]:
        """Return the frames of figures and of parts that follow from what has happened, as `(number, text)`."""
        self.frames.clear()
        mark_dirty(self.campaign.pk)
        self.publisher._not_before.clear()
        self.publisher._parts_at.clear()
        streams_client().delete(frames.turn_key(self.campaign.pk))
        self.publisher.publish_due()
        return list(self.frames)


def _report(kind: str, **more: Any) -> Callable[[Stage, int, datetime], None]:
    def happens(stage: Stage, number: int, at: datetime) -> None:
        message = stage.mailing.messages[number % (SIZE - WAITING)]
        store([encode(kind=kind, message_id=message.pk, source="sendgrid", occurred_at=at, **more)])

    return happens


def _hit(kind: str, agent: str, ip: str = "", *, is_hidden: bool = False) -> Callable[[Stage, int, datetime], None]:
    def happens(stage: Stage, number: int, at: datetime) -> None:
        message = stage.mailing.messages[number % (SIZE - WAITING)]
        links = [
            link
            for link in stage.mailing.links
            if link.variant_id == message.variant_id and link.is_honeypot == is_hidden
        ]
        link = links[number % len(links)].pk if kind == "clicked" else None
        store(
            [
                encode(
                    kind=kind, message_id=message.pk, source="tracking", occurred_at=at, user_agent=agent, ip=ip,
                    link_id=link,
                )
            ]
        )  # fmt: skip

    return happens


def _leaves(stage: Stage, number: int, at: datetime) -> None:
    """One of those who wait is mailed."""
    rows = Message.objects.for_workspace(stage.mailing.workspace).filter(campaign=stage.campaign, status="held")
    if message := rows.order_by("id").first():
        rows.filter(pk=message.pk).update(status="sent", sent_at=at)
        minute, _ = DeliveryMinute.objects.get_or_create(
            campaign=stage.campaign, variant_id=message.variant_id, minute=at.replace(second=0, microsecond=0)
        )
        minute.sent += 1
        minute.save(update_fields=["sent"])


def _becomes(status: str, reason: str = "") -> Callable[[Stage, int, datetime], None]:
    def happens(stage: Stage, number: int, at: datetime) -> None:
        Campaign.objects.filter(pk=stage.campaign.pk).update(status=status, status_reason=reason)

    return happens


def _in_doubt(stage: Stage, number: int, at: datetime) -> None:
    rows = Message.objects.for_workspace(stage.mailing.workspace).filter(campaign=stage.campaign, status="held")
    if message := rows.order_by("id").first():
        rows.filter(pk=message.pk).update(status="in_doubt")


HAPPENINGS: dict[str, Callable[[Stage, int, datetime], None]] = {
    "delivered": _report("delivered"),
    "deferred": _report("deferred"),
    "bounced": _report("bounced", data={"bounce_type": "hard"}),
    "complained": _report("complained"),
    "unsubscribed": _report("unsubscribed"),
    "opened on a computer": _hit("opened", BROWSER, "192.0.2.1"),
    "opened on a phone": _hit("opened", PHONE, "198.51.100.2"),
    "opened by a machine": _hit("opened", SCANNER),
    "clicked": _hit("clicked", BROWSER, "192.0.2.1"),
    "followed what nobody sees": _hit("clicked", BROWSER, "192.0.2.1", is_hidden=True),
    "mailed": _leaves,
    "in doubt": _in_doubt,
    "paused": _becomes("paused", "The mail server refuses us."),
    "resumed": _becomes("sending"),
}

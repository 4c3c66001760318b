"""How the demo's readers behave: when they open, what they click, who bounces and who leaves.

The result is a list of event-log lines; the real consumer makes facts and figures of them, so that nothing the demo
shows can disagree with its events.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pulsequill.core.event_log import encode

#: Three in five opens come within six hours; the rest trickles in over days.
EARLY_SHARE, EARLY_H, LATE_H = 0.6, 2.2, 40.0
HARD_BOUNCES, SOFT_BOUNCES, COMPLAINTS, UNSUBSCRIBES = 0.006, 0.005, 0.0004, 0.006
#: Apple's privacy relay fetches pictures on arrival; company scanners follow links.
MACHINE_OPENS, MACHINE_CLICKS = 0.21, 0.025
PEOPLE_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0",
)
RELAY_AGENT = "Mozilla/5.0"
SCANNER_AGENT = "Mozilla/5.0 (compatible; Barracuda Sentinel)"


@dataclass(frozen=True)
class Sent:
    """One message that left: whom it went to and which links it holds."""

    message_id: int
    email: str
    sent_at: datetime
    keenness: float
    link_ids: Sequence[int]
    open_share: float
    click_share: float


@dataclass(frozen=True)
class Departure:
    """Somebody who unsubscribed on the page of a message."""

    email: str
    at: datetime


def _address(dice: random.Random) -> str:
    """An address of the blocks that RFC 5737 reserves for documentation."""
    return f"{dice.choice(('192.0.2', '198.51.100', '203.0.113'))}.{dice.randrange(1, 255)}"


def _reading_delay(dice: random.Random) -> timedelta:
    mean = EARLY_H if dice.random() < EARLY_SHARE else LATE_H
    return timedelta(hours=dice.expovariate(1 / mean), seconds=40)


class Readers:
    """The readers of one campaign. Events after `now` have not happened yet and are left out."""

    def __init__(self, dice: random.Random, now: datetime) -> None:
        self._dice = dice
        self._now = now
        self.lines: list[bytes] = []
        self.departures: list[Departure] = []

    def receive(self, sent: Sent) -> None:
        """Let one reader have a message."""
        dice = self._dice
        fate = dice.random()
        arrived = sent.sent_at + timedelta(seconds=dice.uniform(0.8, 25))
        if fate < HARD_BOUNCES:
            self._event(sent, "bounced", arrived, "sendgrid", bounce_type="hard", reason="550 5.1.1 no such mailbox")
            return
        if fate < HARD_BOUNCES + SOFT_BOUNCES:
            self._event(sent, "bounced", arrived, "sendgrid", bounce_type="soft", reason="452 4.2.2 mailbox full")
            return
        if dice.random() < 0.03:
            self._event(sent, "deferred", arrived, "sendgrid", reason="421 4.7.0 try again later")
            arrived += timedelta(minutes=dice.uniform(4, 30))
        self._event(sent, "delivered", arrived, "sendgrid")
        self._machines(sent, arrived)
        if dice.random() < min(0.97, sent.open_share * sent.keenness):
            self._read(sent, arrived)

    def _machines(self, sent: Sent, arrived: datetime) -> None:
        dice = self._dice
        if dice.random() < MACHINE_OPENS:
            at = arrived + timedelta(seconds=dice.uniform(2, 90))
            self._event(sent, "opened", at, "tracking", agent=RELAY_AGENT)
        if sent.link_ids and dice.random() < MACHINE_CLICKS:
            for link_id in sent.link_ids:
                at = arrived + timedelta(seconds=dice.uniform(3, 12))
                self._event(sent, "clicked", at, "tracking", agent=SCANNER_AGENT, link_id=link_id)

    def _read(self, sent: Sent, arrived: datetime) -> None:
        dice = self._dice
        agent, ip = dice.choice(PEOPLE_AGENTS), _address(dice)
        opened = arrived + _reading_delay(dice)
        self._event(sent, "opened", opened, "tracking", agent=agent, ip=ip)
        for _again in range(dice.choices((0, 1, 2, 4), (68, 21, 8, 3))[0]):
            self._event(sent, "opened", opened + _reading_delay(dice), "tracking", agent=agent, ip=ip)
        if sent.link_ids and dice.random() < sent.click_share:
            weights = [1 / (position + 1) for position in range(len(sent.link_ids))]
            for link_id in set(dice.choices(sent.link_ids, weights, k=dice.choices((1, 2), (85, 15))[0])):
                at = opened + timedelta(seconds=dice.expovariate(1 / 45) + 4)
                self._event(sent, "clicked", at, "tracking", agent=agent, ip=ip, link_id=link_id)
        if dice.random() < UNSUBSCRIBES:
            at = opened + timedelta(seconds=dice.uniform(15, 200))
            if self._event(sent, "unsubscribed", at, "page", agent=agent, ip=ip):
                self.departures.append(Departure(sent.email, at))
        elif dice.random() < COMPLAINTS * 3:
            self._event(sent, "complained", opened + timedelta(minutes=dice.uniform(1, 400)), "sendgrid")

    def _event(
        self,
        sent: Sent,
        kind: str,
        at: datetime,
        source: str,
        *,
        agent: str = "",
        ip: str = "",
        link_id: int | None = None,
        **data: Any,
    ) -> bool:
        if at > self._now:
            return False
        self.lines.append(
            encode(
                kind=kind,
                message_id=sent.message_id,
                source=source,
                occurred_at=at,
                link_id=link_id,
                ip=ip,
                user_agent=agent,
                dedupe_key=f"demo:{sent.message_id}:{len(self.lines)}",
                data=data,
            )
        )
        return True


def batches(lines: Sequence[bytes], size: int = 5_000) -> Iterator[Sequence[bytes]]:
    """Yield the lines in portions that the consumer's statements are made for."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]

"""Who puts mail off and what gives machines away, as the live page says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics.ingest.store import store
from analytics.selectors import get_live_frame
from analytics.selectors.live_parts import get_parts
from pulsequill.core.event_log import encode
from tests.analytics.making import Mailing, make_mailing

pytestmark = pytest.mark.django_db

APPLE = "Mozilla/5.0"
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel)"
DOMAINS = ("outlook.com", "gmail.com", "roastery.example")


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=90, domains=DOMAINS, sent_at=timezone.now() - timedelta(hours=1), with_contacts=False)


def report(mailing: Mailing, kind: str, domain: str, count: int, *, minutes_ago: int = 1) -> None:
    """Have a provider report on the first messages to a domain."""
    to_domain = [message for message in mailing.messages if message.email.endswith(domain)]
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    store(
        [
            encode(kind=kind, message_id=message.pk, source="sendgrid", occurred_at=moment)
            for message in to_domain[:count]
        ]
    )


def notices(mailing: Mailing) -> list[dict[str, Any]]:
    return [one for one in get_live_frame(mailing.campaign)["notices"] if one["key"].startswith("deferring")]


def test_a_provider_that_defers_much_is_named_with_the_share(mailing: Mailing) -> None:
    for domain in DOMAINS:
        report(mailing, "delivered", domain, 30)
    report(mailing, "deferred", "outlook.com", 12)
    (notice,) = notices(mailing)
    assert (notice["level"], notice["title"]) == ("warn", "Outlook is slowing us down")
    assert "40 %" in notice["text"]


def test_a_message_that_is_deferred_again_and_again_counts_once(mailing: Mailing) -> None:
    report(mailing, "delivered", "outlook.com", 30)
    for minutes_ago in range(1, 10):
        report(mailing, "deferred", "outlook.com", 3, minutes_ago=minutes_ago)
    assert notices(mailing) == []


def test_few_mails_and_old_delays_say_nothing(mailing: Mailing) -> None:
    report(mailing, "deferred", "gmail.com", 10)
    report(mailing, "deferred", "outlook.com", 30, minutes_ago=40)
    report(mailing, "deferred", "roastery.example", 30)
    assert notices(mailing) == []


def test_machines_are_counted_by_what_gave_them_away(mailing: Mailing) -> None:
    moment = timezone.now()
    hits = [("opened", APPLE, 0), ("opened", APPLE, 1), ("opened", SCANNER, 2)]
    hits += [("opened", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", 3)]
    store(
        [
            encode(
                kind=kind, message_id=mailing.messages[number].pk, source="tracking", user_agent=agent,
                occurred_at=moment,
            )
            for kind, agent, number in hits
        ]
    )  # fmt: skip
    assert [(row["reason"], row["label"], row["count"]) for row in get_parts(mailing.campaign)["machines"]] == [
        ("apple_privacy", "Apple privacy relay", 2),
        ("link_scanner", "link scanner", 1),
    ]

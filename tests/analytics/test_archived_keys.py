"""Events that are reported again, under the key that their reporter chose, when the first one is archived."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.ingest import archive
from analytics.ingest.consumer import Consumer
from analytics.ingest.store import store
from analytics.models import Event, EventArchive, Goal, GoalDay
from analytics.services.conversions import Reported, report_conversions
from campaigns.models import Message
from pulsequill.core.event_log import encode
from pulsequill.models import StrayEvent
from tests.analytics.making import SENT_AT, Mailing, make_mailing

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 10, 3, 0, tzinfo=UTC)


@pytest.fixture
def mailing() -> Mailing:
    return make_mailing(size=2)


def archive_all() -> None:
    Event.objects.update(received_at=SENT_AT)
    archive.move_old_events(now=NOW)
    assert (Event.objects.count(), EventArchive.objects.count()) == (0, 1)


def report(mailing: Mailing) -> None:
    order = Reported(goal="order", message=mailing.messages[0].public_id, value=4900, currency="GBP", event_id="1007")
    report_conversions(workspace=mailing.workspace, events=[order], is_batch=False)
    Consumer().drain_strays()


def test_an_event_id_without_a_time_is_the_same_event_once_the_first_is_archived(mailing: Mailing) -> None:
    Goal.objects.create(workspace=mailing.workspace, key="order", name="Order")
    report(mailing)
    archive_all()
    before = list(GoalDay.objects.values())
    report(mailing)
    assert list(GoalDay.objects.values()) == before
    assert [row["times"] for row in before] == [1]
    assert (Event.objects.count(), StrayEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize(("kind", "key"), [("bounced", "mail:one report"), ("unsubscribed", "unsubscribed:1")])
def test_a_mail_or_an_unsubscribe_that_comes_again_after_the_archive_is_no_new_one(
    mailing: Mailing, kind: str, key: str
) -> None:
    def again() -> None:
        store([encode(kind=kind, message_id=mailing.messages[0].pk, source="page", dedupe_key=key)])

    again()
    archive_all()
    again()
    assert Event.objects.count() == 0


def lookups(message: Message, keys: list[str]) -> int:
    """How often the archive is asked about a batch."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        store([encode(kind="opened", message_id=message.pk, source="tracking", dedupe_key=key) for key in keys])
    return sum(archive.TABLE in query["sql"] for query in asked.captured_queries)


def test_the_archive_is_asked_once_for_a_batch_and_never_about_keys_of_our_own(mailing: Mailing) -> None:
    keys: Any = [f"api:{number}" for number in range(50)]
    assert lookups(mailing.messages[0], keys) == 1
    assert lookups(mailing.messages[1], ["", "sg:1"]) == 0

"""Counts of a large ledger: as exact as a count of its rows, at a fraction of the cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign, DeliveryMinute, Message
from campaigns.selectors import tally
from campaigns.selectors.ledger import count_by_status
from tests.analytics.making import Mailing, make_mailing

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailing(monkeypatch: pytest.MonkeyPatch) -> Mailing:
    """A ledger that counts as large."""
    monkeypatch.setattr(tally, "COUNTED_ANEW", 0)
    return make_mailing(size=10, variants=2, status="queued", sent_at=timezone.now())


def now_of(campaign: Campaign) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for row in DeliveryMinute.objects.filter(campaign=campaign):
        sent, failed = sums.get(str(row.variant_id), (0, 0))
        sums[str(row.variant_id)] = (sent + row.sent, failed + row.failed)
    return sums


def leave(mailing: Mailing, *numbers: int, status: str = "sent") -> None:
    """Let rows leave as the ledger records it: the row and the minute in one."""
    for number in numbers:
        message = mailing.messages[number]
        Message.objects.filter(pk=message.pk).update(status=status)
        minute, _ = DeliveryMinute.objects.get_or_create(
            campaign=mailing.campaign,
            variant=message.variant,
            minute=timezone.now().replace(second=0, microsecond=0),
        )
        setattr(minute, status, getattr(minute, status) + 1)
        minute.save()


def test_what_was_sent_since_the_count_is_counted_without_looking_at_the_rows(mailing: Mailing) -> None:
    kept = tally.get_tally(mailing.campaign)
    leave(mailing, 0, 1, 2)
    leave(mailing, 5, status="failed")
    assert tally.get_tally(mailing.campaign) == kept
    assert kept.brought_forward(now_of(mailing.campaign)) == count_by_status(mailing.campaign)


def test_a_small_ledger_is_counted_each_time(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "COUNTED_ANEW", 10)
    tally.get_tally(mailing.campaign)
    Message.objects.filter(pk=mailing.messages[0].pk).update(status="skipped")
    assert tally.get_tally(mailing.campaign).counts == count_by_status(mailing.campaign)


def test_a_count_that_is_due_is_made_anew_unless_nobody_may_wait(mailing: Mailing) -> None:
    tally.get_tally(mailing.campaign)
    Message.objects.filter(pk=mailing.messages[0].pk).update(status="skipped")
    later = timezone.now() + timedelta(minutes=5)
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(tally.time, "time", later.timestamp)
        assert tally.get_tally(mailing.campaign, may_count=False).counts["total"]["skipped"] == 0
        assert tally.get_tally(mailing.campaign).counts["total"]["skipped"] == 1


def test_a_campaign_that_ended_is_counted_at_once(mailing: Mailing) -> None:
    tally.get_tally(mailing.campaign)
    Message.objects.filter(campaign=mailing.campaign).update(status="skipped")
    mailing.campaign.status = Campaign.Status.CANCELLED
    assert tally.get_tally(mailing.campaign).counts["total"]["skipped"] == 10


def test_marking_taken_back_leaves_them_in_doubt(mailing: Mailing) -> None:
    leave(mailing, 0, 1)
    kept = tally.get_tally(mailing.campaign)
    DeliveryMinute.objects.filter(variant=mailing.variants[0]).update(sent=0)
    Message.objects.filter(pk=mailing.messages[0].pk).update(status="in_doubt")
    assert kept.brought_forward(now_of(mailing.campaign)) == count_by_status(mailing.campaign)


def test_without_valkey_a_process_keeps_its_own_count(mailing: Mailing, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(tally.cache, "get", away)
    monkeypatch.setattr(tally.cache, "set", away)
    kept = tally.get_tally(mailing.campaign)
    Message.objects.filter(pk=mailing.messages[0].pk).update(status="skipped")
    assert tally.get_tally(mailing.campaign) == kept


COUNTS = st.fixed_dictionaries({status: st.integers(0, 50) for status in Message.Status.values})


@given(counts=COUNTS, sent=st.integers(0, 500), failed=st.integers(0, 500))
@settings(max_examples=50)
def test_no_count_is_negative_and_rows_do_not_get_lost(counts: dict[str, int], sent: int, failed: int) -> None:
    kept = tally.Tally({"total": counts, "a": dict(counts)}, {}, "sending", 0)
    forward = kept.brought_forward({"a": (sent, failed)})["total"]
    assert min(forward.values()) >= 0
    waiting = sum(counts[name] for name in ("queued", "sending", "retrying", "in_doubt", "held"))
    assert sum(forward.values()) == sum(counts.values()) + max(0, sent + failed - waiting)

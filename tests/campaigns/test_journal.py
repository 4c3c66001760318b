"""What a dead worker's journal proves: answers, doubts, and what never left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from campaigns.delivery import journal, ledger, pipeline, reaper
from campaigns.delivery.providers import Outcome, OutgoingMessage
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, DeliveryMinute, Message
from tests.campaigns.sending import make_launched, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db

JOURNALS = settings.HOME / "journal"


@pytest.fixture(autouse=True)
def no_other_journals() -> Iterator[None]:
    yield
    for path in JOURNALS.glob("*"):
        path.unlink()


def accept(message: OutgoingMessage) -> Outcome:
    return Outcome("accepted", provider_message_id=f"id-{message.message_id}")


def message_of(row: Claimed) -> OutgoingMessage:
    return OutgoingMessage(row.id, row.attempt_id, None, None, row.email, "hello@example.org")


def claim(campaign: Campaign, worker: str, limit: int = 10) -> list[Claimed]:
    lists = [row.pk for row in campaign.lists.all()]
    return ledger.claim(campaign=campaign, list_ids=lists, limit=limit, worker=worker, now=timezone.now()).rows


def die_after(campaign: Campaign, *, started: int, answers: dict[int, Outcome]) -> list[Claimed]:
    """Claim everything, begin with the first rows, get some answers, and go without recording anything."""
    with journal.Journal(claim_size=10, reports_delivery=True) as own:
        rows = claim(campaign, own.name)
        page = own.open_page(rows)
        for row in rows[:started]:
            page.starting(message_of(row))
        for number, outcome in answers.items():
            page.settled(message_of(rows[number]), outcome)
    return rows


def expire_leases() -> None:
    Message.objects.filter(status="sending").update(lease_until=timezone.now() - timedelta(seconds=1))


def test_answers_are_recorded_the_rest_goes_back_and_only_what_was_under_way_is_in_doubt() -> None:
    campaign, _ = make_launched(6)
    die_after(
        campaign,
        started=4,
        answers={
            0: Outcome("accepted", provider_message_id="queued-as-1"),
            1: Outcome("smtp_rcpt_5xx", detail="550 no"),
        },
    )

    assert journal.replay_abandoned() == 6

    assert [row.status for row in rows_of(campaign)] == ["sent", "failed", "in_doubt", "in_doubt", "queued", "queued"]
    assert [row.attempt_no for row in rows_of(campaign)] == [1, 1, 1, 1, 0, 0]
    assert rows_of(campaign)[0].provider_message_id == "queued-as-1"
    assert "550 no" in rows_of(campaign)[1].reason
    assert DeliveryMinute.objects.get(campaign=campaign).sent == 1
    assert journal.replay_abandoned() == 0
    assert list(JOURNALS.glob("*")) == []


def test_a_journal_whose_owner_lives_is_left_alone() -> None:
    campaign, _ = make_launched(2)
    with journal.Journal(claim_size=10, reports_delivery=True) as own:
        page = own.open_page(claim(campaign, own.name))
        assert journal.replay_abandoned() == 0
        assert statuses_of(campaign) == {"sending": 2}
        page.clear()


def test_a_slice_that_recorded_everything_leaves_no_journal(told) -> None:
    told(accept, batch=2)
    campaign, _ = make_launched(5)
    pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sent": 5}
    assert list(JOURNALS.glob("*")) == []


def test_a_claim_that_never_reached_its_journal_goes_back() -> None:
    campaign, _ = make_launched(2)
    with journal.Journal(claim_size=10, reports_delivery=True) as own:
        page = own.open_page(claim(campaign, own.name, 1))
        claim(campaign, own.name, 1)
        page.starting(message_of(Claimed(*_first_of(campaign))))

    journal.replay_abandoned()

    assert [row.status for row in rows_of(campaign)] == ["in_doubt", "queued"]


def _first_of(campaign: Campaign) -> tuple[object, ...]:
    row = rows_of(campaign)[0]
    return row.pk, row.attempt_id, row.attempt_no, row.contact_id, row.variant_id, row.email


def test_after_a_restart_of_the_machine_silence_proves_nothing_any_more(monkeypatch) -> None:
    campaign, _ = make_launched(3)
    die_after(campaign, started=2, answers={0: Outcome("accepted")})
    monkeypatch.setattr(journal, "_start_of_machine", lambda: b"another start")

    journal.replay_abandoned()

    assert [row.status for row in rows_of(campaign)] == ["sent", "in_doubt", "in_doubt"]


def test_an_answer_also_settles_what_the_reaper_put_in_doubt_meanwhile() -> None:
    campaign, _ = make_launched(3)
    die_after(campaign, started=2, answers={0: Outcome("accepted")})
    expire_leases()
    reaper.reap_leases()
    assert statuses_of(campaign) == {"in_doubt": 3}

    journal.replay_abandoned()

    assert [row.status for row in rows_of(campaign)] == ["sent", "in_doubt", "queued"]


def test_it_changes_no_row_that_somebody_has_taken_up_again() -> None:
    campaign, _ = make_launched(1)
    die_after(campaign, started=1, answers={0: Outcome("accepted")})
    Message.objects.filter(campaign=campaign).update(status="sending", attempt_id=uuid4(), claimed_by="another")

    assert journal.replay_abandoned() == 0
    assert statuses_of(campaign) == {"sending": 1}


def test_a_journal_of_another_format_is_left_to_the_leases() -> None:
    campaign, _ = make_launched(1)
    die_after(campaign, started=0, answers={})
    (path,) = JOURNALS.glob("*")
    path.write_bytes(b"something" + path.read_bytes()[9:])

    assert journal.replay_abandoned() == 0
    assert statuses_of(campaign) == {"sending": 1}
    assert not path.exists()


def test_results_that_the_database_did_not_take_are_recorded_from_the_journal(told, monkeypatch) -> None:
    provider = told(accept)
    campaign, _ = make_launched(4)

    def be_away(*_rows: object, **_facts: object) -> int:
        raise OperationalError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(ledger, "record", be_away)
        with pytest.raises(OperationalError):
            pipeline.deliver(campaign_id=campaign.pk)
    assert statuses_of(campaign) == {"sending": 4}

    pipeline.deliver(campaign_id=campaign.pk)

    assert statuses_of(campaign) == {"sent": 4}
    assert len(provider.given) == 4, "nobody got it twice"


def test_an_abandoned_row_that_was_evidently_read_is_sent_and_not_in_doubt() -> None:
    campaign, _ = make_launched(3)
    rows = claim(campaign, "gone")
    Message.objects.filter(pk=rows[0].id).update(first_opened_at=timezone.now())
    Message.objects.filter(pk=rows[1].id).update(bounced_at=timezone.now())
    expire_leases()

    assert reaper.reap_leases() == 1

    assert [row.status for row in rows_of(campaign)] == ["sent", "sent", "in_doubt"]
    assert DeliveryMinute.objects.get(campaign=campaign).sent == 2


def test_long_answers_fit_into_their_slot() -> None:
    campaign, _ = make_launched(1)
    die_after(campaign, started=1, answers={0: Outcome("smtp_data_5xx", detail="ü" * 400)})
    journal.replay_abandoned()
    assert statuses_of(campaign) == {"failed": 1}

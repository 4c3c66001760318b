"""The consumer: two at once, dead ones, bad lines, restarts, and what events mean for earlier stages."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from analytics.ingest import consumer as consumer_module
from analytics.ingest.consumer import GROUP, Consumer
from analytics.ingest.store import store
from analytics.models import CampaignStats, Event, LinkStats
from analytics.selectors import get_campaign_stats
from analytics.selectors.breakdowns import describe
from audiences.models import Contact, Suppression
from audiences.selectors import get_contact_timeline
from audiences.services import erase_contact
from campaigns.models import Message
from pulsequill.core import event_log, heartbeats
from pulsequill.core.event_log import FIELD, STREAM, encode
from pulsequill.core.live import DIRTY
from pulsequill.core.valkey import streams_client
from pulsequill.models import StrayEvent
from tests.analytics.making import SENT_AT, make_mailing, make_workspace
from tests.waiting import wait_until

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
LATER = SENT_AT + timedelta(minutes=1)


def line(kind: str, message: Message, **more: Any) -> bytes:
    defaults: dict[str, Any] = {"source": "tracking", "occurred_at": LATER, "user_agent": BROWSER}
    return encode(kind=kind, message_id=message.pk, **{**defaults, **more})


def add(*lines: bytes) -> None:
    streams_client().xadd(STREAM, {FIELD: b"\n".join(lines)})


def backends() -> set[int]:
    """The processes of PostgreSQL that serve this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}


@pytest.mark.django_db
class TestOneBatch:
    """What a stored batch leaves behind."""

    def test_the_same_lines_again_change_nothing(self) -> None:
        mailing = make_mailing(size=2)
        lines = [line("opened", mailing.messages[0]), line("clicked", mailing.messages[0], link_id=mailing.links[0].pk)]
        for _ in range(10):
            store(lines)
        assert Event.objects.count() == 2
        stats = CampaignStats.objects.get()
        assert (stats.opens, stats.unique_opens, stats.clicks, stats.unique_clicks) == (1, 1, 1, 1)

    def test_a_click_on_two_links_counts_once_for_the_message_and_once_for_each_link(self) -> None:
        mailing = make_mailing(size=1)
        for link in mailing.links:
            store([line("clicked", mailing.messages[0], link_id=link.pk) for _ in range(2)])
        assert CampaignStats.objects.get().unique_clicks == 1
        assert [(s.clicks, s.unique_clicks) for s in LinkStats.objects.order_by("link_id")] == [(2, 1), (2, 1)]

    def test_test_sends_are_kept_but_never_counted(self) -> None:
        mailing = make_mailing(size=1)
        Message.objects.filter(pk=mailing.messages[0].pk).update(is_test=True)
        store([line("opened", mailing.messages[0])])
        assert Event.objects.get().campaign_id is None
        assert not CampaignStats.objects.exists()
        assert Message.objects.get().first_opened_at == LATER

    def test_an_unknown_message_is_kept_with_the_problem_once(self) -> None:
        lost = encode(kind="opened", message_id=987_654, source="tracking")
        store([lost])
        store([lost, b"{not json", b'{"key": 5}'])
        assert sorted(StrayEvent.objects.values_list("problem", flat=True)) == [
            "has no key",
            "its message is not known",
            "not readable as JSON",
        ]

    def test_an_unknown_kind_is_kept_as_it_was_reported(self) -> None:
        mailing = make_mailing(size=1)
        store([line("group_resubscribe", mailing.messages[0])])
        event = Event.objects.get()
        assert (event.kind, event.data["reported_kind"]) == ("unknown", "group_resubscribe")

    def test_another_workspaces_report_changes_nothing(self) -> None:
        mailing, other = make_mailing(size=1), make_workspace("Other")
        store([line("bounced", mailing.messages[0], workspace_id=other.pk, data={"bounce_type": "hard"})])
        assert StrayEvent.objects.get().problem == "its message belongs to another workspace"
        assert Message.objects.get().bounced_at is None
        assert not Suppression.objects.exists()

    def test_a_hard_bounce_a_complaint_and_an_unsubscribe_suppress_at_once(self) -> None:
        mailing = make_mailing(size=4)
        hard, complaint, unsubscribe, soft = mailing.messages
        store(
            [
                line("bounced", hard, source="sendgrid", data={"bounce_type": "hard"}),
                line("complained", complaint, source="sendgrid"),
                line("unsubscribed", unsubscribe, source="sendgrid"),
                line("bounced", soft, source="sendgrid", data={"bounce_type": "soft"}),
            ]
        )
        assert dict(Suppression.objects.values_list("email_normalized", "reason")) == {
            hard.email: "hard_bounce",
            complaint.email: "complaint",
            unsubscribe.email: "unsubscribe",
        }

    def test_the_third_soft_bounce_within_thirty_days_suppresses(self) -> None:
        workspace = make_workspace()
        contact = "often@example.com"
        for number in range(3):
            assert not Suppression.objects.exists()
            mailing = make_mailing(workspace, size=1, name=f"Campaign {number}", with_contacts=False)
            Message.objects.filter(pk=mailing.messages[0].pk).update(email=contact, email_normalized=contact)
            store([line("bounced", mailing.messages[0], source="sendgrid", data={"bounce_type": "soft"})])
        assert Suppression.objects.get().email_normalized == contact

    def test_engagement_is_written_to_the_contact_for_people_only(self) -> None:
        mailing = make_mailing(size=2)
        store([line("opened", mailing.messages[0]), line("opened", mailing.messages[1], user_agent="Mozilla/5.0")])
        assert Contact.objects.get(pk=mailing.messages[0].contact_id).last_opened_at == LATER
        assert Contact.objects.get(pk=mailing.messages[1].contact_id).last_opened_at is None

    def test_a_contacts_timeline_tells_what_they_did(self) -> None:
        mailing = make_mailing(size=1)
        store([line("opened", mailing.messages[0]), line("clicked", mailing.messages[0], link_id=mailing.links[0].pk)])
        titles = [entry.title for entry in get_contact_timeline(Contact.objects.get())]
        for title in ("Sent Harvest roast launch", "Opened: Harvest roast launch", "Clicked: Harvest roast launch"):
            assert title in titles

    def test_an_erased_persons_events_say_what_happened_and_not_who_it_was(self) -> None:
        mailing = make_mailing(size=2)
        gone, other = mailing.messages
        traces = {"ip": "203.0.113.7", "data": {"detail": f"<{gone.email}> opened", "bounce_type": "soft"}}
        store([line("opened", gone, **traces), line("opened", other, **traces)])
        before = get_campaign_stats(mailing.campaign)

        erase_contact(contact=Contact.objects.get(pk=gone.contact_id))

        assert get_campaign_stats(mailing.campaign) == before
        store([line("clicked", gone, link_id=mailing.links[0].pk, **traces)])
        store([line("complained", gone, source="sendgrid", **traces)])
        assert get_campaign_stats(mailing.campaign)["complained"] == 1
        assert not StrayEvent.objects.exists()
        kept = Event.objects.filter(message=gone)
        assert {(row.ip_address, row.user_agent, str(row.data)) for row in kept} == {
            (None, "", "{'bounce_type': 'soft'}")
        }
        assert Event.objects.get(message=other).ip_address == "203.0.113.7"
        assert describe(kept[0])["email"] == "an erased person"

    def test_a_message_in_doubt_is_settled_by_an_event_that_proves_it_left(self) -> None:
        mailing = make_mailing(size=2, status=Message.Status.IN_DOUBT)
        Message.objects.update(attempt_id=uuid.uuid4())
        proven, named_wrongly = mailing.messages
        store(
            [
                line("opened", proven),
                line("delivered", named_wrongly, source="sendgrid", data={"attempt_id": str(uuid.uuid4())}),
            ]
        )
        assert Message.objects.get(pk=proven.pk).status == "sent"
        assert Message.objects.get(pk=named_wrongly.pk).status == "in_doubt"

    def test_a_message_that_bounces_after_it_was_accepted_is_no_longer_delivered(self) -> None:
        mailing = make_mailing(size=3, provider="smtp")
        store([line("bounced", mailing.messages[0], source="bounce", data={"bounce_type": "hard"})])
        stats = get_campaign_stats(mailing.campaign)
        assert (stats["sent"], stats["delivered"], stats["bounced"]) == (3, 2, 1)

    def test_what_postgresql_cannot_take_is_found_and_the_rest_is_stored(self) -> None:
        mailing = make_mailing(size=3)
        one, two, three = mailing.messages
        late = line("opened", one).replace(b'"at":', b'"at":999', 1)  # no calendar has this year
        long = line("opened", two).replace(b"Firefox", b"Firefox" * 100)
        strange = line("opened", three, data={"text": "nul \x00 and \ud800 surrogate"})
        consumer_module.store_safely([line("opened", one), late, long, strange])
        assert set(Event.objects.values_list("message_id", flat=True)) == {one.pk, three.pk}
        problems = sorted(StrayEvent.objects.values_list("problem", flat=True))
        assert problems[0].startswith("cannot be stored: value too long")
        assert len(problems) == 2

    def test_events_of_a_transaction_belong_to_it(self) -> None:
        mailing = make_mailing(size=1)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            event_log.append(kind="unsubscribed", message_id=mailing.messages[0].pk, source="page")
            raise ZeroDivisionError
        assert not StrayEvent.objects.exists()
        event_log.append(kind="unsubscribed", message_id=mailing.messages[0].pk, source="page")
        assert Consumer().drain_strays() == 1
        assert not StrayEvent.objects.exists()
        assert CampaignStats.objects.get().unsubscribed == 1


@pytest.mark.django_db(transaction=True)
class TestStream:
    """Reading, acknowledging, claiming."""

    def test_entries_are_stored_acknowledged_removed_and_announced(self) -> None:
        mailing = make_mailing(size=2)
        add(line("opened", mailing.messages[0]), line("opened", mailing.messages[1]))
        assert Consumer(name="a").read_stream(block_ms=None) == 1
        client = streams_client()
        assert client.xlen(STREAM) == 0
        assert client.xpending(STREAM, GROUP)["pending"] == 0
        assert client.smembers(DIRTY) == {str(mailing.campaign.pk).encode()}

    def test_a_dead_consumers_entries_are_claimed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mailing = make_mailing(size=1)
        add(line("opened", mailing.messages[0]))
        dead = Consumer(name="dead")
        with monkeypatch.context() as patch:
            patch.setattr(consumer_module, "store_safely", lambda lines, **more: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                dead.read_stream(block_ms=None)
        assert Consumer(name="patient").read_stream(block_ms=None) == 0
        assert Consumer(name="heir", claim_after_ms=0).read_stream(block_ms=None) == 1
        assert CampaignStats.objects.get().unique_opens == 1

    def test_a_flushed_valkey_costs_the_group_and_nothing_else(self) -> None:
        mailing = make_mailing(size=1)
        reader = Consumer(name="a")
        reader.read_stream(block_ms=None)
        streams_client().flushall()
        add(line("opened", mailing.messages[0]))
        reader.read_stream(block_ms=None)
        reader.read_stream(block_ms=None)
        assert CampaignStats.objects.get().unique_opens == 1

    def test_two_consumers_with_the_same_events_count_them_once(self) -> None:
        mailing = make_mailing(size=40)
        lines = [
            line(
                kind,
                message,
                link_id=mailing.links[0].pk if kind == "clicked" else None,
                dedupe_key=f"{kind}{message.pk}",
            )
            for message in mailing.messages
            for kind in ("opened", "clicked", "delivered")
        ]
        for start in range(30):
            shifted = lines[start:] + lines[:start]
            add(*(shifted if start % 2 else shifted[::-1]))
        stop = threading.Event()

        def consume(name: str) -> None:
            Consumer(name=name).run(stop)
            connection.close()

        threads = [threading.Thread(target=consume, args=[name]) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        wait_until(lambda: streams_client().xlen(STREAM) == 0, timeout_s=60)
        stop.set()
        for thread in threads:
            thread.join()
        stats = CampaignStats.objects.get()
        assert (stats.delivered, stats.unique_opens, stats.opens, stats.unique_clicks, stats.clicks) == (40,) * 5
        assert (LinkStats.objects.get().clicks, LinkStats.objects.get().unique_clicks) == (40, 40)
        assert Event.objects.count() == 120

    def test_it_survives_a_database_that_goes_away_in_the_middle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mailing = make_mailing(size=1)
        real, failures = consumer_module.store_safely, iter([True, True, False])

        def flaky(lines: Any, **more: Any) -> Any:
            if next(failures, False):
                raise OperationalError("the server closed the connection")
            return real(lines, **more)

        monkeypatch.setattr(consumer_module, "store_safely", flaky)
        monkeypatch.setattr(consumer_module, "BACKOFF_S", (0.01,))
        add(line("opened", mailing.messages[0]))
        stop = threading.Event()
        thread = threading.Thread(target=lambda: (Consumer(name="a").run(stop), connection.close()))
        thread.start()
        wait_until(lambda: CampaignStats.objects.filter(unique_opens=1).exists())
        wait_until(lambda: heartbeats.ages(heartbeats.CONSUMER)[heartbeats.CONSUMER] is not None)
        stop.set()
        thread.join()
        assert streams_client().xlen(STREAM) == 0

    def test_connections_that_postgresql_cuts_are_replaced(self) -> None:
        mailing = make_mailing(size=2)
        held_by_others = backends() - {idle.info.backend_pid for idle in connection.pool._pool}
        stop = threading.Event()
        thread = threading.Thread(target=lambda: (Consumer(name="a").run(stop), connection.close()))
        thread.start()
        add(line("opened", mailing.messages[0]))
        wait_until(lambda: CampaignStats.objects.filter(unique_opens=1).exists())
        with connection.cursor() as cursor:
            cut = list(backends() - held_by_others)
            assert cut, "the consumer has no connection that could be cut"
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [cut])
        add(line("opened", mailing.messages[1]))
        wait_until(lambda: CampaignStats.objects.filter(unique_opens=2).exists())
        stop.set()
        thread.join()

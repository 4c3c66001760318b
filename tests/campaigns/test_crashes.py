"""What happens when everything happens at once: fifty launches, two senders, a worker that is killed in mid-send."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from audiences.models import Contact, Subscription
from campaigns.delivery import pipeline, planner, reaper
from campaigns.models import Campaign, Message, SendingDomain
from campaigns.services import sending
from pulsequill.core.errors import WrongState
from tests.campaigns.making import make_campaign, make_list, make_workspace
from tests.campaigns.sending import make_ready, rows_of, statuses_of
from tests.fakes.smtp_server import Sink, smtp_server
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CONNECTIONS = 2
JOURNALS = settings.HOME / "journal"


def make_big(size: int) -> Campaign:
    """A launched campaign over SMTP."""
    workspace = make_workspace()
    contacts = Contact.objects.bulk_create(
        [
            Contact(workspace=workspace, email=f"reader{n}@example.org", email_normalized=f"reader{n}@example.org")
            for n in range(size)
        ]
    )
    chosen = make_list(workspace)
    Subscription.objects.bulk_create(
        [Subscription(workspace=workspace, contact=contact, list=chosen) for contact in contacts]
    )
    campaign = make_campaign(workspace, lists=[chosen])
    planner.launch(campaign, now=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(provider="smtp")
    return campaign


@contextmanager
def workers(campaign: Campaign, port: int, *, count: int = 1) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start worker processes on this test's database and mail server; they begin together."""
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"{address}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "SEND_CONCURRENCY": str(CONNECTIONS),
    }
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.campaigns.deliver", str(campaign.pk)],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for _ in range(count)
        ]
        try:
            for worker in started:
                assert worker.stdout is not None
                assert worker.stdout.readline() == b"ready\n"
            for worker in started:
                assert worker.stdin is not None
                worker.stdin.write(b"go\n")
                worker.stdin.flush()
            yield started
        finally:
            for worker in started:
                worker.kill()


def expire_leases() -> None:
    """What two minutes do."""
    Message.objects.filter(status="sending").update(lease_until=timezone.now() - timedelta(seconds=1))


def hold_to_the_promise(campaign: Campaign, sink: Sink, *, doubts: int) -> None:
    """Nobody got it twice, nobody was forgotten, and every doubt is listed and bounded."""
    times = Counter(sink.addresses)
    assert [address for address, count in times.items() if count > 1] == []
    rows = rows_of(campaign)
    in_doubt = {row.email for row in rows if row.status == "in_doubt"}
    sent = {row.email for row in rows if row.status == "sent"}
    assert sent <= set(times), "nothing is called sent that did not arrive"
    assert {row.email for row in rows} - set(times) <= in_doubt, "whoever did not get it is listed"
    assert len(in_doubt) <= doubts
    assert set(statuses_of(campaign)) <= {"sent", "in_doubt"}


def kill_in_mid_send(campaign: Campaign, sink: Sink, port: int, *, taken: int) -> None:
    with workers(campaign, port) as (worker,):
        wait_until(lambda: len(sink.taken) >= taken, what="mid-send", every_s=0.005)
        worker.kill()
        worker.wait()


def test_a_worker_that_is_killed_in_mid_send_loses_and_repeats_nothing_and_leaves_doubt_on_open_connections() -> None:
    campaign = make_big(3000)
    with smtp_server() as (sink, port):
        for kill in (1, 2, 3):
            kill_in_mid_send(campaign, sink, port, taken=kill * 600)
            reaper.sweep(now=timezone.now())
            assert "sending" not in statuses_of(campaign), "nothing has to wait for its lease"
            assert statuses_of(campaign)["in_doubt"] <= kill * CONNECTIONS
            assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.SENDING
        with workers(campaign, port) as (worker,):
            assert worker.wait(60) == 0

        hold_to_the_promise(campaign, sink, doubts=3 * CONNECTIONS)
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.SENT
    assert list(JOURNALS.glob("*")) == []


def test_the_next_slice_replays_what_a_killed_worker_left() -> None:
    campaign = make_big(2000)
    with smtp_server() as (sink, port):
        kill_in_mid_send(campaign, sink, port, taken=500)
        with workers(campaign, port) as (worker,):
            assert worker.wait(60) == 0
        hold_to_the_promise(campaign, sink, doubts=CONNECTIONS)


def test_without_its_journal_a_killed_workers_claims_are_in_doubt_after_the_lease_and_never_sent_again() -> None:
    campaign = make_big(3000)
    with smtp_server() as (sink, port):
        kill_in_mid_send(campaign, sink, port, taken=600)
        for path in JOURNALS.glob("*"):
            path.unlink()
        reaper.sweep(now=timezone.now())
        left = statuses_of(campaign)["sending"]
        assert left > 0
        expire_leases()
        reaper.sweep(now=timezone.now())
        assert statuses_of(campaign)["in_doubt"] == left
        with workers(campaign, port) as (worker,):
            assert worker.wait(60) == 0
        hold_to_the_promise(campaign, sink, doubts=left)


def test_two_workers_share_a_campaign_without_meeting() -> None:
    campaign = make_big(2500)
    with smtp_server() as (sink, port):
        with workers(campaign, port, count=2) as started:
            assert [worker.wait(60) for worker in started] == [0, 0]
        hold_to_the_promise(campaign, sink, doubts=0)
        assert len({row.claimed_by for row in rows_of(campaign)}) == 2
    assert statuses_of(campaign) == {"sent": 2500}


def test_fifty_launches_at_once_are_one_launch() -> None:
    campaign, _ = make_ready(3)
    domain = campaign.sender.from_email.partition("@")[2]
    SendingDomain.objects.create(workspace=campaign.workspace, name=domain, verified_at=timezone.now())

    def launch(_number: int) -> str:
        try:
            own = Campaign.objects.select_related("workspace", "sender").get(pk=campaign.pk)
            sending.launch_campaign(campaign=own, actor=None)
        except WrongState:
            return "refused"
        finally:
            connections.close_all()
        return "launched"

    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(launch, range(50)))

    assert answers == {"launched": 1, "refused": 49}
    assert len(rows_of(campaign)) == 3


def test_two_sweeps_at_once_do_not_get_in_each_others_way() -> None:
    make_big(20)

    def sweep(_number: int) -> int:
        try:
            return len(reaper.sweep(now=timezone.now()).campaigns)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(sweep, range(8))) == 1


def test_a_pause_from_another_process_stops_the_next_claim() -> None:
    campaign = make_big(3500)
    with smtp_server() as (sink, port):
        with workers(campaign, port) as (worker,):
            wait_until(lambda: len(sink.taken) >= 50, what="mid-send", every_s=0.005)
            sending.pause_campaign(campaign=Campaign.objects.get(pk=campaign.pk), actor=None)
            at_pause = len(sink.taken)
            assert worker.wait(60) == 0
        assert len(sink.taken) <= at_pause + 1000, "what was under way, and nothing that was claimed ahead"
        assert statuses_of(campaign)["queued"] > 0
        assert "sending" not in statuses_of(campaign)
    assert pipeline.deliver(campaign_id=campaign.pk) is False


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone() is not None


def test_a_deadlock_over_contacts_costs_a_batch_none_of_its_results() -> None:
    campaign, contacts = make_ready(2)
    planner.launch(campaign, now=timezone.now())
    first, second = sorted(contact.pk for contact in contacts)
    holds_second = threading.Event()

    def edit_in_the_other_order() -> None:
        """As an import may; PostgreSQL ends the statement of whoever has waited for a second: the sender."""
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL deadlock_timeout = '1min'")
                Contact.objects.filter(pk=second).update(last_name="Edited")
                holds_second.set()
                wait_until(_waits_for_a_lock, what="a row is waited for", every_s=0.005)
                Contact.objects.filter(pk=first).update(last_name="Edited")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        editing = pool.submit(edit_in_the_other_order)
        assert holds_second.wait(30)
        pipeline.deliver(campaign_id=campaign.pk)
        editing.result(timeout=30)

    assert statuses_of(campaign) == {"sent": 2}
    assert Contact.objects.filter(last_name="Edited", last_sent_at__isnull=False).count() == 2

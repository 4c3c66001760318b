"""Old events: moved by month, dropped by month, and no figure moves with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from analytics.ingest import archive, rule_runs
from analytics.ingest.store import store
from analytics.models import ArchiveMonth, Breakdown, CampaignStats, Event, EventArchive, EventMinute, LinkStats
from analytics.reports.campaign_bounces import get_bounces, words_of
from analytics.reports.campaign_people import RecipientFilter
from analytics.reports.campaign_why import get_why
from analytics.selectors import get_campaign_stats, get_domains
from analytics.services.reclassifying import start_rule_run
from audiences.selectors import get_contact_timeline
from audiences.services import erase_contact
from pulsequill.models import StrayEvent
from tests.analytics.making import SENT_AT, Mailing, make_mailing, make_member
from tests.analytics.test_patterns import HOME, add_honeypot, line

LATER = SENT_AT + timedelta(minutes=3)
NOW = datetime(2026, 9, 10, 3, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_mailing() -> Mailing:
    """A campaign that was read in June 2025, and whose events arrived then."""
    mailing = make_mailing(size=3)
    first, second, third = mailing.messages
    store(
        [
            line("opened", first, LATER, dedupe_key="an-open"),
            line("clicked", first, LATER, link=mailing.links[0]),
            line("opened", second, LATER, user_agent="Mozilla/5.0"),
            line("deferred", third, LATER),
            line("bounced", third, LATER, data={"bounce_type": "hard", "detail": "no such user"}),
        ]
    )
    Event.objects.update(received_at=LATER)
    return mailing


def everything() -> list[Any]:
    """All figures there are."""
    tables = (CampaignStats, LinkStats, EventMinute, Breakdown)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::text FROM pg_partition_tree('analytics_eventarchive') WHERE isleaf AND level > 0 ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def test_old_events_move_to_the_partition_of_their_month_and_figures_stay(read_mailing: Mailing) -> None:
    store([line("opened", read_mailing.messages[0], datetime.now(UTC))])
    before, stats = everything(), get_campaign_stats(read_mailing.campaign)
    domains = get_domains(read_mailing.campaign)
    assert archive.move_old_events(now=NOW, batch=2).events == 5
    assert Event.objects.count() == 1
    assert EventArchive.objects.count() == 5
    assert "analytics_eventarchive_2025_06" in partitions()
    assert [(str(month), month.events) for month in archive.list_months()] == [("2025-06", 5)]
    assert everything() == before
    assert get_campaign_stats(read_mailing.campaign) == stats
    assert get_domains(read_mailing.campaign) == domains
    assert archive.move_old_events(now=NOW).events == 0


def test_what_is_younger_than_the_retention_stays(read_mailing: Mailing) -> None:
    assert archive.move_old_events(now=LATER + timedelta(days=399)).events == 0
    assert archive.move_old_events(now=LATER + timedelta(days=401)).events == 5


def test_a_redelivered_old_event_is_counted_once(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    before = everything()
    store([line("opened", read_mailing.messages[0], LATER, dedupe_key="an-open")])
    assert (Event.objects.count(), everything(), StrayEvent.objects.count()) == (0, before, 0)


def test_an_event_of_a_dropped_month_is_kept_with_the_reason_and_not_counted(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    before = everything()
    assert [str(month) for month in archive.drop_months(before=date(2025, 7, 1))] == ["2025-06"]
    assert "analytics_eventarchive_2025_06" not in partitions()
    store([line("opened", read_mailing.messages[0], LATER, dedupe_key="an-open")])
    assert everything() == before
    assert StrayEvent.objects.get().problem == "events of 2025-06 were dropped; it may have been counted"


def test_a_reader_who_comes_back_after_the_archive_is_not_a_new_one(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    store([line("clicked", read_mailing.messages[0], datetime.now(UTC), link=read_mailing.links[0])])
    link = LinkStats.objects.get()
    assert (link.clicks, link.unique_clicks) == (2, 1)
    stats = CampaignStats.objects.get()
    assert (stats.clicks, stats.unique_clicks) == (2, 1)


def test_hits_that_are_judged_again_leave_alone_what_the_archive_counted(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    hidden, message, now = add_honeypot(read_mailing), read_mailing.messages[0], datetime.now(UTC)
    store([line("clicked", message, now, link=read_mailing.links[0], ip=HOME)])
    store([line("clicked", message, now, link=hidden, ip=HOME)])
    link = LinkStats.objects.get(link=read_mailing.links[0])
    assert (link.clicks, link.unique_clicks, link.machine_clicks) == (1, 1, 1)
    message.refresh_from_db()
    assert message.first_clicked_at == LATER
    stats = CampaignStats.objects.get()
    assert (stats.clicks, stats.unique_clicks, stats.machine_clicks) == (1, 1, 1)


def test_a_run_of_the_rules_says_what_it_can_see_no_more(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    run = start_rule_run(workspace=read_mailing.workspace, actor=None, is_dry_run=False)
    rule_runs.proceed(run.pk, seconds=30)
    run.refresh_from_db()
    assert (run.changed, run.hits, run.unseen) == (0, 0, 2)


def test_erasing_a_person_reaches_archived_events(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    contact = read_mailing.messages[2].contact
    assert contact is not None
    erase_contact(contact=contact, actor=None)
    rows = EventArchive.objects.filter(message=read_mailing.messages[2])
    assert {(row.user_agent, row.ip_address, row.data.get("detail")) for row in rows} == {("", None, None)}
    assert EventArchive.objects.exclude(user_agent="").count() == 3


def test_timelines_show_archived_events(read_mailing: Mailing, client: Client) -> None:
    contact = read_mailing.messages[0].contact
    assert contact is not None
    before = [entry.title for entry in get_contact_timeline(contact)]
    archive.move_old_events(now=NOW)
    assert [entry.title for entry in get_contact_timeline(contact)] == before
    client.force_login(make_member(read_mailing.workspace))
    assert client.get(f"/campaigns/{read_mailing.campaign.pk}/live").status_code == 200


def test_deleting_a_workspace_takes_its_archive_along(read_mailing: Mailing) -> None:
    archive.move_old_events(now=NOW)
    read_mailing.campaign.delete()
    assert not EventArchive.objects.exists()


def test_the_archive_forgets_after_as_many_months_as_the_operator_wants(read_mailing: Mailing, settings: Any) -> None:
    archive.move_old_events(now=NOW)
    assert archive.drop_expired_months(now=NOW) == []
    settings.EVENT_ARCHIVE_MONTHS = 15
    assert archive.drop_expired_months(now=NOW) == []
    settings.EVENT_ARCHIVE_MONTHS = 14
    assert [str(month) for month in archive.drop_expired_months(now=NOW)] == ["2025-06"]
    assert ArchiveMonth.objects.get().dropped_at is not None
    assert read_mailing.messages


def test_operators_list_move_and_drop(read_mailing: Mailing) -> None:
    def say(*words: str) -> str:
        said = StringIO()
        call_command("event_archive", *words, stdout=said)
        return said.getvalue()

    assert read_mailing.messages
    assert say("move") == "5 events moved.\n"
    assert "2025-06            5 events" in say("list")
    assert say("drop", "--before", "2025-06") == ""
    assert say("drop", "--before", "2025-07") == "2025-06 dropped: 5 events.\n"
    assert "dropped 20" in say("list")
    with pytest.raises(CommandError, match="not a month"):
        say("drop", "--before", "June")


@pytest.mark.django_db(transaction=True)
def test_a_move_gives_up_in_words_while_somebody_holds_events_and_goes_on_the_next_time(
    read_mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LOCK_WAIT", "50ms")
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_xact_lock_shared(%s)", [archive._LOCK])
        move = archive.move_old_events(now=NOW)
        assert (move.events, "the next time" in move.given_up) == (0, True)
        assert Event.objects.count() == 5
    assert archive.move_old_events(now=NOW) == (5, "")
    assert read_mailing.messages


def test_bounces_and_their_words_are_told_of_archived_events(read_mailing: Mailing) -> None:
    before = get_bounces(read_mailing.campaign, bounced=1)
    words = words_of(read_mailing.messages)
    assert [group.words for group in before.returned] == [["no such user"]]
    archive.move_old_events(now=NOW)
    assert get_bounces(read_mailing.campaign, bounced=1) == before
    assert words_of(read_mailing.messages) == words


def test_why_and_who_clicked_are_told_of_archived_events(read_mailing: Mailing) -> None:
    email, link = read_mailing.messages[0].email, str(read_mailing.links[0].pk)

    def told() -> tuple[Any, ...]:
        story = get_why(read_mailing.campaign, email)
        people = RecipientFilter(link=link).rows(read_mailing.campaign)
        return story.steps, story.unknown, list(people.values_list("email", flat=True))

    before = told()
    assert before[2] == [email]
    archive.move_old_events(now=NOW)
    assert told() == before

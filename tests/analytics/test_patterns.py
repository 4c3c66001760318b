"""What several hits of a message show together, and what that changes of the figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from analytics.ingest import countries
from analytics.ingest.agents import read_agent
from analytics.ingest.patterns import Hit, judge
from analytics.ingest.store import store
from analytics.models import Breakdown, CampaignStats, Event, EventMinute, LinkStats
from analytics.selectors.breakdowns import get_breakdown, get_links
from audiences.models import Contact
from campaigns.models import Link, Message
from pulsequill.core.event_log import encode
from tests.analytics.making import SENT_AT, Mailing, make_mailing

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
HOME, OFFICE = "192.0.2.7", "198.51.100.9"


def hit(number: int, seconds: float, *, link: int | None = None, ip: str = HOME, **more: Any) -> Hit:
    fields = {"is_honeypot": False, "agent": BROWSER, "actor": "human", "reason": "", **more}
    return Hit(number, link is not None, link, at=SENT_AT + timedelta(seconds=seconds), ip=ip, **fields)


class TestJudging:
    """The pure function."""

    def test_three_links_of_three_within_five_seconds_are_a_machines_work_from_any_address(self) -> None:
        hits = [hit(1, 0, link=1), hit(2, 2, link=2, ip=OFFICE), hit(3, 5, link=3, ip="203.0.113.4")]
        assert set(judge(hits, links=3).values()) == {("machine", "all_links")}
        assert set(judge(hits, links=4).values()) == {("human", "")}

    def test_slower_readers_and_repeated_clicks_are_people(self) -> None:
        slow = [hit(1, 0, link=1), hit(2, 3, link=2), hit(3, 6, link=3)]
        eager = [hit(n, n / 10, link=1 + n % 2) for n in range(1, 9)]
        assert set(judge(slow, links=3).values()) == {("human", "")}
        assert set(judge(eager, links=2).values()) == {("human", "")}

    def test_a_mail_with_many_links_needs_six_at_once(self) -> None:
        six = [hit(n, n * 0.5, link=n) for n in range(1, 7)]
        assert set(judge(six, links=40).values()) == {("machine", "all_links")}
        assert set(judge(six[:5], links=40).values()) == {("human", "")}

    def test_what_the_visitor_of_the_hidden_link_did_within_a_minute_goes_with_it(self) -> None:
        hits = [
            hit(1, 0),
            hit(2, 50, link=9, is_honeypot=True),
            hit(3, 100, link=1),
            hit(4, 60, link=1, ip=OFFICE),
            hit(5, 60, link=1, agent=PHONE),
            hit(6, 111, link=2),
        ]
        verdicts = judge(hits, links=3)
        assert [number for number, (actor, _) in sorted(verdicts.items()) if actor == "machine"] == [1, 2, 3]
        assert verdicts[1] == ("machine", "honeypot")

    def test_the_class_that_a_hit_shows_by_itself_stays(self) -> None:
        hits = [hit(1, 0, link=9, is_honeypot=True), hit(2, 0, link=1, actor="machine", reason="link_scanner")]
        assert judge(hits, links=3)[2] == ("machine", "link_scanner")

    def test_visitors_without_address_are_not_taken_for_one_another(self) -> None:
        hits = [hit(1, 0, link=9, is_honeypot=True, ip="", agent=""), hit(2, 1, link=1, ip="", agent="")]
        assert judge(hits, links=3)[2] == ("human", "")

    def test_order_does_not_matter(self) -> None:
        hits = [hit(1, 0), hit(2, 1, link=1), hit(3, 2, link=2), hit(4, 3, link=3), hit(5, 70, link=3)]
        verdicts = [judge(order, links=3) for order in itertools.permutations(hits)]
        assert all(one == verdicts[0] for one in verdicts)


@pytest.mark.parametrize(
    ("agent", "device", "program"),
    [
        (BROWSER, "Computer", "Firefox"),
        (PHONE, "Phone", "Apple Mail"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)", "Tablet",
         "Apple Mail"),
        ("Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 Chrome/141.0 Safari/537.36", "Tablet", "Chrome"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Phone",
         "Chrome"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
         "Computer", "Edge"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", "Computer",
         "Apple Mail"),
        (("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Safari/605.1.15"), "Computer", "Safari"),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)", "Computer", "Outlook"),
        ("Outlook-iOS/729.2421.prod.iphone (4.2421.0)", "Phone", "Outlook"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0", "Computer", "Thunderbird"),
        ("curl/8.5", "Other", "Other"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_user_agent_tells_device_and_program(agent: str, device: str, program: str) -> None:
    assert read_agent(agent) == (device, program)


@pytest.fixture
def country_database(tmp_path: Path, settings: Any) -> Iterator[None]:
    """A database of two networks, as two makers write them."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Country")
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "GB"}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country_code": "de"})
    writer.to_db_file(str(tmp_path / "countries.mmdb"))
    settings.COUNTRY_DATABASE = str(tmp_path / "countries.mmdb")
    countries.open_again()
    yield
    settings.COUNTRY_DATABASE = ""
    countries.open_again()


@pytest.mark.django_db
def test_countries_are_told_from_a_local_database_only(country_database: None) -> None:
    assert [countries.country_of(ip) for ip in (HOME, "2001:db8::1", OFFICE, "")] == ["GB", "DE", "", ""]
    mailing = make_mailing(size=1)
    at = SENT_AT + timedelta(minutes=1)
    store([line("opened", mailing.messages[0], at), line("opened", mailing.messages[0], at, ip=OFFICE)])
    assert [(row["value"], row["opens"]) for row in get_breakdown(mailing.campaign, "country")] == [("GB", 1)]


def test_a_database_that_cannot_be_read_tells_no_country(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.mmdb").write_bytes(b"not a database")
    settings.COUNTRY_DATABASE = str(tmp_path / "broken.mmdb")
    countries.open_again()
    assert countries.country_of(HOME) == ""
    countries.open_again()


def add_honeypot(mailing: Mailing) -> Link:
    return Link.objects.create(
        workspace=mailing.workspace,
        variant=mailing.variants[0],
        url=mailing.links[0].url,
        position=9,
        is_honeypot=True,
    )


def line(kind: str, message: Message, at: datetime, *, link: Link | None = None, **more: Any) -> bytes:
    fields = {"source": "tracking", "user_agent": BROWSER, "ip": HOME, **more}
    return encode(kind=kind, message_id=message.pk, occurred_at=at, link_id=link.pk if link else None, **fields)


@pytest.mark.django_db
class TestCorrecting:
    """Figures after hits turn out to be a machine's."""

    def test_the_hidden_link_takes_back_what_its_visitor_was_counted_for(self) -> None:
        mailing = make_mailing(size=2)
        hidden, (message, other) = add_honeypot(mailing), mailing.messages
        later = SENT_AT + timedelta(minutes=5)
        store([line("opened", message, later), line("clicked", message, later, link=mailing.links[0])])
        store([line("clicked", message, later + timedelta(hours=2), link=mailing.links[0], ip=OFFICE)])
        store([line("opened", other, later, user_agent=PHONE)])
        contact = Contact.objects.get(pk=message.contact_id)
        assert contact.last_opened_at == later
        store([line("clicked", message, later + timedelta(seconds=8), link=hidden)])

        assert set(Event.objects.filter(actor="machine").values_list("actor_reason", flat=True)) == {"honeypot"}
        stats = CampaignStats.objects.get()
        assert (stats.opens, stats.unique_opens, stats.machine_opens, stats.any_opens) == (1, 1, 1, 2)
        assert (stats.clicks, stats.unique_clicks, stats.machine_clicks, stats.any_clicks) == (1, 1, 1, 1)
        message.refresh_from_db()
        assert message.first_opened_at is None
        assert message.first_machine_opened_at == later
        assert message.first_clicked_at == later + timedelta(hours=2)
        link = LinkStats.objects.get(link=mailing.links[0])
        assert (link.clicks, link.unique_clicks, link.machine_clicks) == (1, 1, 1)
        minute = EventMinute.objects.get(minute=later)
        assert (minute.human_opens, minute.machine_opens, minute.human_clicks, minute.machine_clicks) == (1, 1, 0, 2)
        assert [(row["value"], row["opens"], row["clicks"]) for row in get_breakdown(mailing.campaign, "device")] == [
            ("Computer", 0, 1),
            ("Phone", 1, 0),
        ]
        contact.refresh_from_db()
        assert contact.last_opened_at is None
        assert contact.last_clicked_at == later + timedelta(hours=2)
        assert [row["url"] for row in get_links(mailing.campaign)] == [one.url for one in mailing.links]

    def test_a_burst_counts_the_same_in_one_batch_and_in_any_number(self) -> None:
        figures = []
        for cut in (1, 2, 3):
            mailing = make_mailing(size=1)
            third = Link.objects.create(
                workspace=mailing.workspace, variant=mailing.variants[0], url="https://shop.example/3", position=2
            )
            lines = [
                line("clicked", mailing.messages[0], SENT_AT + timedelta(seconds=60 + n), link=link)
                for n, link in enumerate((*mailing.links, third))
            ]
            for start in range(0, 3, cut):
                store(lines[start : start + cut])
            stats = CampaignStats.objects.get(campaign=mailing.campaign)
            figures.append((stats.clicks, stats.unique_clicks, stats.machine_clicks, stats.any_clicks))
            links = LinkStats.objects.filter(campaign=mailing.campaign)
            assert {(one.clicks, one.unique_clicks, one.machine_clicks) for one in links} == {(0, 0, 1)}
        assert figures == [(0, 0, 1, 1)] * 3

    def test_mailboxes_count_messages_of_what_the_provider_reports_and_only_people_as_readers(self) -> None:
        mailing = make_mailing(size=3, domains=("gmail.com", "hotmail.fr", "beans.example"))
        gmail, hotmail, beans = mailing.messages
        at = SENT_AT + timedelta(minutes=1)
        store([line("delivered", gmail, at), line("delivered", gmail, at), line("deferred", hotmail, at)])
        store([line("bounced", hotmail, at, data={"bounce_type": "soft"}), line("complained", beans, at)])
        store([line("opened", gmail, at), line("opened", gmail, at, user_agent="Mozilla/5.0")])
        counters = ("value", "opens", "delivered", "deferred", "bounced", "complained")
        rows = [tuple(row[name] for name in counters) for row in get_breakdown(mailing.campaign, "mailbox")]
        assert rows == [("Gmail", 1, 1, 0, 0, 0), ("Outlook", 0, 0, 1, 1, 0), ("Other", 0, 0, 0, 0, 1)]
        assert not Breakdown.objects.filter(dimension="country").exists()

    def test_a_message_with_thousands_of_hits_is_not_judged_again_for_each(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("analytics.ingest.reclassify.MOST_HITS", 3)
        mailing = make_mailing(size=1)
        hidden = add_honeypot(mailing)
        at = SENT_AT + timedelta(minutes=1)
        store([line("clicked", mailing.messages[0], at, link=mailing.links[0]) for _ in range(3)])
        store([line("clicked", mailing.messages[0], at, link=hidden)])
        assert CampaignStats.objects.get().clicks == 3

    def test_test_sends_are_judged_and_not_counted(self) -> None:
        mailing = make_mailing(size=1)
        hidden, message = add_honeypot(mailing), mailing.messages[0]
        Message.objects.filter(pk=message.pk).update(is_test=True)
        at = SENT_AT + timedelta(minutes=1)
        store([line("opened", message, at)])
        store([line("clicked", message, at, link=hidden)])
        assert set(Event.objects.values_list("actor", flat=True)) == {"machine"}
        assert not CampaignStats.objects.exists()

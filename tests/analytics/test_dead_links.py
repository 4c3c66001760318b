"""Links that lead nowhere: asked for as long as a campaign is sent, by what counts and by what does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from analytics.brake import get_state
from campaigns.models import Campaign, Link, Message
from campaigns.services import links, sending
from tests.analytics.making import Mailing, make_member
from tests.analytics.test_brake import NOW, hold, look, mailing_of, state, trouble

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class Site(BaseHTTPRequestHandler):
    """Answers with the status that the path names, or with one that was set for it; notes what it was asked."""

    asked: list[str] = []
    answers: dict[str, int] = {}

    def do_HEAD(self) -> None:
        name = self.path.strip("/")
        self.asked.append(name)
        self.send_response(self.answers.get(name, int(name) if name.isdigit() else 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(settings: Any) -> Iterator[str]:
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    Site.asked.clear()
    Site.answers.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def lead(mailing: Mailing, *urls: str) -> None:
    for link, url in zip(mailing.links, urls, strict=True):
        Link.objects.filter(pk=link.pk).update(url=url)


def with_first_readers() -> Mailing:
    """Whose first readers have been watched for long enough."""
    mailing = mailing_of(40, minutes_ago=40)
    hold(mailing, 5)
    return mailing


@pytest.mark.parametrize("path", ["404", "410"])
def test_a_link_that_is_gone_stops_a_campaign_without_first_readers(site: str, path: str) -> None:
    mailing = mailing_of(40)
    lead(mailing, f"{site}/200", f"{site}/{path}")
    assert look(mailing) == "braked"
    assert f"One link leads nowhere: {site}/{path}" in state(mailing).status_reason


def test_links_are_asked_every_few_minutes_for_as_long_as_it_is_sent(site: str) -> None:
    mailing = mailing_of(40)
    lead(mailing, f"{site}/first", f"{site}/second")
    for minutes in range(11):
        assert look(mailing, now=NOW + minutes * MINUTE) == ""
    assert sorted(Site.asked) == ["first"] * 3 + ["second"] * 3
    Site.answers["second"] = 404
    assert look(mailing, now=NOW + 14 * MINUTE) == ""
    assert look(mailing, now=NOW + 15 * MINUTE) == "braked"


def test_an_address_that_several_campaigns_lead_to_is_asked_once(site: str) -> None:
    one, other = mailing_of(40), mailing_of(40, name="Other")
    Campaign.objects.filter(pk=other.campaign.pk).update(workspace=one.workspace)
    Link.objects.filter(variant=other.variants[0]).update(workspace=one.workspace)
    for mailing in (one, other):
        lead(mailing, f"{site}/same", f"{site}/also-same")
        look(mailing)
    assert sorted(Site.asked) == ["also-same", "same"]
    assert look(other, now=NOW + 5 * MINUTE) == ""
    assert len(Site.asked) == 4


def test_a_server_that_fails_counts_when_it_still_fails_a_minute_later(site: str) -> None:
    mailing = with_first_readers()
    lead(mailing, f"{site}/200", f"{site}/500")
    assert look(mailing) == ""
    assert look(mailing, now=NOW + timedelta(seconds=20)) == ""
    assert Message.objects.filter(status=Message.Status.HELD).count() == 5, "released while a link fails"
    assert look(mailing, now=NOW + MINUTE) == "braked"


def test_a_server_that_comes_back_stops_nothing_and_nobody_waits_for_one_that_is_silent(site: str) -> None:
    mailing = with_first_readers()
    lead(mailing, f"{site}/flaky", "http://127.0.0.1:1/closed")
    Site.answers["flaky"] = 503
    assert look(mailing) == ""
    Site.answers["flaky"] = 200
    assert look(mailing, now=NOW + MINUTE) == "released"


def test_first_readers_are_asked_for_right_before_the_others_get_it(site: str) -> None:
    mailing = mailing_of(40, minutes_ago=32)
    hold(mailing, 5)
    lead(mailing, f"{site}/200", f"{site}/page")
    assert look(mailing, now=NOW - 10 * MINUTE) == ""
    Site.answers["page"] = 410
    assert look(mailing) == "braked"
    assert Message.objects.filter(status=Message.Status.HELD).count() == 5


def test_a_person_accepts_the_links_that_it_was_stopped_for_and_no_others(site: str) -> None:
    mailing = with_first_readers()
    lead(mailing, f"{site}/page", f"{site}/404")
    assert look(mailing) == "braked"
    assert state(mailing).dead_urls == [f"{site}/404"]
    sending.resume_campaign(campaign=state(mailing), actor=None)
    assert look(mailing) == "released"
    Site.answers["page"] = 404
    assert look(mailing, now=NOW + 6 * MINUTE) == "braked"
    assert state(mailing).status_reason.endswith(f"One link leads nowhere: {site}/page.")
    assert state(mailing).dead_urls == [f"{site}/404", f"{site}/page"]


def test_going_on_after_bounces_accepts_no_link(site: str) -> None:
    mailing = mailing_of(500)
    lead(mailing, f"{site}/200", f"{site}/404")
    trouble(mailing, hard=30)
    assert look(mailing) == "braked"
    assert state(mailing).dead_urls == []
    sending.resume_campaign(campaign=state(mailing), actor=None)
    assert look(mailing) == "braked"
    assert "404" in state(mailing).status_reason


def test_a_link_that_was_pointed_elsewhere_is_asked_where_it_leads_now(site: str) -> None:
    mailing = mailing_of(40)
    lead(mailing, f"{site}/200", f"{site}/404")
    look(mailing)
    links.repoint(link=Link.objects.get(pk=mailing.links[1].pk), url=f"{site}/mended", actor=None)
    sending.resume_campaign(campaign=state(mailing), actor=None)
    assert look(mailing, now=NOW + 6 * MINUTE) == ""
    assert Site.asked.count("mended") == 1
    Site.answers["mended"] = 410
    assert look(mailing, now=NOW + 12 * MINUTE) == "braked"


def test_addresses_in_our_own_network_are_never_asked_and_stop_nothing(site: str, settings: Any) -> None:
    settings.OUTBOUND_PRIVATE_NETWORKS = []
    mailing = with_first_readers()
    lead(mailing, f"{site}/404", "http://169.254.169.254/latest/meta-data")
    assert look(mailing) == "released"
    assert Site.asked == []


def test_dead_links_are_not_asked_for_when_nobody_wants_to_know(site: str) -> None:
    mailing = with_first_readers()
    Campaign.objects.filter(pk=mailing.campaign.pk).update(brake={"dead_links": False})
    lead(mailing, f"{site}/404", f"{site}/404")
    assert look(mailing) == "released"
    assert Site.asked == []


def test_people_and_programs_are_told_when_links_were_asked_and_which_lead_nowhere(site: str, client: Any) -> None:
    mailing = mailing_of(40)
    lead(mailing, f"{site}/200", f"{site}/404")
    assert get_state(state(mailing))["links_asked_at"] is None
    look(mailing)
    client.force_login(make_member(mailing.workspace))
    body = client.get(f"/v1/campaigns/{mailing.campaign.pk}/brake").json()
    assert (body["state"], body["dead_links"], body["dead_urls"]) == ("braked", True, [f"{site}/404"])
    assert body["links_asked_at"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    page = client.get(f"/campaigns/{mailing.campaign.pk}/brake").content.decode()
    assert f'href="{site}/404"' in page
    assert "all others are asked on" in page

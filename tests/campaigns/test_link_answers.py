"""Addresses are asked in the background; an answer warns and never blocks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from campaigns import preflight, tasks
from campaigns.models import Campaign
from campaigns.preflight import link_answers
from campaigns.preflight.link_answers import LinkAnswer, State
from campaigns.services import link_checking
from pulsequill.core.outbound_http import Answer, RefusedAddress, Unreachable
from tests.campaigns.making import HELLO, make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


class Site(BaseHTTPRequestHandler):
    """Answers with the status that the path names; some only like GET."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "1234" if self.command == "HEAD" else "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self._answer(405 if self.path == "/only-get" else int(self.path.strip("/")))

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/only-get" else int(self.path.strip("/")))

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(settings: Any) -> Iterator[str]:
    settings.OUTBOUND_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "state"),
    [("200", "well"), ("301", "well"), ("403", "well"), ("429", "well"), ("404", "gone"), ("410", "gone"),
     ("503", "failing"), ("only-get", "well")],
)  # fmt: skip
def test_a_status_is_judged_as_a_reader_would_find_it(site: str, path: str, state: str) -> None:
    assert link_answers.ask(f"{site}/{path}").state == state


def test_sizes_are_taken_from_the_answer(site: str) -> None:
    assert link_answers.ask(f"{site}/200") == LinkAnswer(State.WELL, 200, 1234)


def test_a_private_address_is_never_asked(settings: Any) -> None:
    settings.OUTBOUND_PRIVATE_NETWORKS = []
    assert link_answers.ask("http://127.0.0.1/") == LinkAnswer(State.PRIVATE)


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the addresses of a pretended internet answer; the list `asked` says which were asked."""
    world: dict[str, Any] = {"asked": []}

    def fetch(method: str, url: str, **_options: Any) -> Answer:
        world["asked"].append((method, url))
        answer = world.get(url, 200)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, {}, b"", 1)

    monkeypatch.setattr(link_answers, "fetch", fetch)
    return world


def make_linked(*urls: str) -> Campaign:
    workspace = make_workspace()
    buttons = [{"type": "button", "label": f"Go {number}", "url": url} for number, url in enumerate(urls)]
    content = {"subject": "S", "preview_text": "P", "body": [HELLO[0], *buttons]}
    people = make_list(workspace, make_contact(workspace, first_name="Maya"))
    return make_campaign(workspace, lists=[people], variants=[content])


def test_a_check_runs_once_in_the_background_and_its_answers_become_warnings(
    internet: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    urls = [f"https://shop.io/{name}" for name in ("well", "gone", "broken", "private")]
    internet |= {urls[1]: 404, urls[2]: 500, urls[3]: RefusedAddress("no")}
    campaign = make_linked(*urls, "https://example.com/placeholder", "https://shop.io/{{email}}")
    with django_capture_on_commit_callbacks():
        started = link_checking.start_link_check(campaign)
        again = link_checking.start_link_check(campaign)
    assert (started.total, started.answered, started.is_done) == (4, 0, False)
    assert again.is_running

    tasks.check_links(campaign_id=str(campaign.pk))
    assert link_checking.get_link_check(campaign).is_done
    found = {finding.code: finding.severity for finding in preflight.run(campaign)}
    assert {code: found[code] for code in ("link_dead", "link_failing", "link_private")} == {
        "link_dead": "warn", "link_failing": "warn", "link_private": "warn"
    }  # fmt: skip

    internet["asked"].clear()
    tasks.check_links(campaign_id=str(campaign.pk))
    assert internet["asked"] == []


def test_a_machine_without_internet_says_so_once(internet: dict[str, Any]) -> None:
    urls = [f"https://shop.io/{number}" for number in range(3)]
    internet |= dict.fromkeys(urls, Unreachable("no such host"))
    campaign = make_linked(*urls)
    tasks.check_links(campaign_id=str(campaign.pk))
    codes = [finding.code for finding in preflight.run(campaign) if finding.code.startswith("link")]
    assert codes == ["links_unchecked"]


def test_answers_belong_to_their_workspace(internet: dict[str, Any]) -> None:
    internet["https://shop.io/a"] = 404
    tasks.check_links(campaign_id=str(make_linked("https://shop.io/a").pk))
    assert link_checking.get_link_check(make_linked("https://shop.io/a")).answered == 0

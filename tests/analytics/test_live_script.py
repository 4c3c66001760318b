"""The live page's script in Chromium: frames are lost, repeated, late, and the page ends as a reload shows it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Response, Route, WebSocketRoute, expect
from pytest_django.live_server_helper import LiveServer

from analytics.live import frames
from campaigns.models import Campaign
from tests.analytics.live_happenings import HAPPENINGS, Stage
from tests.analytics.making import make_member
from tests.pages import PageFor, settle
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
FATES = ("comes", "comes", "is lost", "comes twice", "comes late", "comes after a reconnect")
CHOICES = {"show": ("human", "machine", "both"), "sum": ("each", "all"), "range": ("30m", "6h", "total")}
#: All that the page shows: elements with their attributes and texts. Left out is what goes by the reader's clock and
#: what other scripts fetch; icons are drawn by the server and referred to by scripts.
READ_PAGE = """() => {
  const skipped = "[data-finish], [data-summary], [data-socket-state], [hx-get], script, input";
  const read = (node) => {
    if (node.nodeType === 3) return node.data.replace(/\\s+/g, " ").trim();
    if (node.nodeType !== 1 || node.matches(skipped)) return "";
    if (node.matches("svg.i")) return "icon";
    const attributes = [...node.attributes].map((one) => `${one.name}=${one.value}`).sort().join(" ");
    return `\\n${node.tagName} ${attributes} ${[...node.childNodes].map(read).join("")}`;
  };
  return read(document.getElementById("main"));
}"""


class Line:
    """The server's end of the page's socket, and the page's own questions, which may be answered late."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.stage = stage
        self.sockets: list[WebSocketRoute] = []
        self.late: list[tuple[Route, Response]] = []
        self.is_slow = False
        self.opening = ""
        page.route_web_socket("**/ws/campaigns/*", self._open)
        page.route_web_socket("**/ws/workspace", lambda _: None)
        page.route(f"**/v1/campaigns/{stage.campaign.pk}/live", self._answer)

    def _open(self, socket: WebSocketRoute) -> None:
        socket.send(self.opening)
        self.sockets.append(socket)

    def get_ready(self) -> None:
        """Read what the next socket gets: in Playwright's calls the database would open connections of their own."""
        campaign = Campaign.objects.select_related("workspace").get(pk=self.stage.campaign.pk)
        self.opening = frames.opening_frame(campaign)[1]

    def _answer(self, route: Route) -> None:
        answer = route.fetch()
        if self.is_slow:
            self.late.append((route, answer))
        else:
            route.fulfill(response=answer)

    def answer_late_ones(self) -> None:
        """Answer what was asked a while ago, with what was true then."""
        self.is_slow = False
        for route, answer in self.late:
            route.fulfill(response=answer)
        self.late.clear()

    def break_off(self, page: Page) -> None:
        """End the connection; the page opens another one."""
        self.get_ready()
        count = len(self.sockets)
        self.sockets[-1].close(code=1011)
        wait_until(lambda: page.evaluate("1") and len(self.sockets) > count, what="the page's next socket")


@pytest.fixture
def signed_in(page_for: PageFor, live_server: LiveServer) -> Callable[[Stage], Page]:
    """Return a page of somebody who may watch the stage's campaign."""

    def sign_in(stage: Stage) -> Page:
        page = page_for()
        client = Client()
        client.force_login(make_member(stage.mailing.workspace))
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return page

    return sign_in


def open_live(page: Page, live_server: LiveServer, stage: Stage, query: str) -> Line:
    line = Line(page, stage)
    line.get_ready()
    page.goto(f"{live_server.url}{reverse('analytics:live', args=[stage.campaign.pk])}?{query}")
    expect(page.locator("[data-socket-state]")).to_have_text("Connected")
    settle(page)
    page.evaluate("document.querySelector('[data-table]').open = true")
    settle(page)
    return line


def deliver(page: Page, line: Line, sent: list[tuple[int, str]], fates: list[str]) -> None:
    """Bring frames to the page, or not."""
    arriving: list[str] = []
    for (_, text), fate in zip(sent, fates, strict=True):
        if fate == "comes late":
            arriving = [*arriving, text]
            continue
        if fate == "comes after a reconnect":
            line.break_off(page)
        if fate != "is lost":
            line.sockets[-1].send(text)
        if fate == "comes twice":
            line.sockets[-1].send(text)
    for text in arriving:
        line.sockets[-1].send(text)


@pytest.mark.parametrize("seed", range(3))
def test_the_page_ends_as_a_reload_shows_it(
    signed_in: Callable[[Stage], Page], live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice, stage = random.Random(seed), Stage(monkeypatch, is_launched=seed != 1)
    page = signed_in(stage)
    query = "&".join(f"{name}={dice.choice(values)}" for name, values in CHOICES.items())
    line = open_live(page, live_server, stage, query)
    story: list[Any] = [query]
    last = 0
    stage.launch()
    for _ in range(ROUNDS):
        happened = [(dice.choice(sorted(HAPPENINGS)), dice.randrange(20), dice.randrange(2, 1500)) for _ in range(3)]
        for name, number, seconds in happened:
            stage.happen(name, number, seconds)
        sent = stage.publish()
        last = sent[-1][0]
        line.is_slow = dice.random() < 0.4
        fates = [dice.choice(FATES) for _ in sent]
        story.append((happened, fates, line.is_slow))
        deliver(page, line, sent, fates)
        settle_but_late(page, line)
        if dice.random() < 0.5:
            line.answer_late_ones()
    line.answer_late_ones()
    line.sockets[-1].send(json.dumps({"type": "ping", "seq": last}))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    settle(page)
    watched = page.evaluate(READ_PAGE)
    open_live(page, live_server, stage, query)
    assert_same(watched, page.evaluate(READ_PAGE), story)


def settle_but_late(page: Page, line: Line) -> None:
    """Wait until the page has drawn what it has; what is answered late is still under way."""

    def is_quiet() -> bool:
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        return len(page.under_way) <= len(line.late)

    wait_until(lambda: is_quiet() and is_quiet(), what="only late answers are under way", every_s=0)


def assert_same(watched: str, reloaded: str, story: list[Any]) -> None:
    """Say the differing elements and what led there."""
    before, after = watched.splitlines(), reloaded.splitlines()
    lines = [f"- {one}" for one in before if one not in after] + [f"+ {one}" for one in after if one not in before]
    assert before == after, "\n".join([*map(str, story), "only the watched page (-) or the reloaded one (+):", *lines])

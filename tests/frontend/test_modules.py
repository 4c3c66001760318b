"""The shared scripts, run by a real browser; only the other end of the line and the clock are played."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.pages import PageFor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.frontend.sheet_urls")]

#: A WebSocket that the test drives: `sockets` holds every one that was opened.
FAKE_SOCKET = """
window.sockets = [];
window.WebSocket = class {
  static OPEN = 1;
  constructor(url) { this.url = String(url); this.readyState = 0; this.sent = []; sockets.push(this); }
  open() { this.readyState = 1; this.onopen?.({}); }
  say(frame) { this.onmessage?.({ data: JSON.stringify(frame) }); }
  drop(code = 1006) { this.readyState = 3; this.onclose?.({ code }); }
  send(text) { this.sent.push(text); }
  close() { this.isClosedByUs = true; this.readyState = 3; }
};
window.log = { frames: [], gaps: [], states: [] };
const { connect } = await import("pq/socket");
window.line = connect("/ws/workspace", {
  onFrame: (frame) => log.frames.push(frame.type),
  onGap: (expected, got) => log.gaps.push([expected, got]),
  onState: (state) => log.states.push(state),
});
"""


@pytest.fixture
def line(blank_page: Page) -> Page:
    """A page with a connected socket whose server is the test."""
    blank_page.evaluate(f"async () => {{ {FAKE_SOCKET} }}")
    return blank_page


def test_a_socket_speaks_ws_to_our_own_host_and_hands_frames_on(line: Page) -> None:
    line.evaluate("() => { sockets[0].open(); sockets[0].say({seq: 1, type: 'hello'}); }")
    assert line.evaluate("sockets[0].url").startswith("ws://localhost:")
    assert line.evaluate("log") == {"frames": ["hello"], "gaps": [], "states": ["connecting", "open"]}


def test_a_skipped_number_is_a_gap(line: Page) -> None:
    line.evaluate(
        "() => { sockets[0].open(); for (const seq of [4, 5, 9, 10]) sockets[0].say({seq, type: 'totals'}); }"
    )
    assert line.evaluate("log.gaps") == [[6, 9]]


def test_the_heartbeat_is_not_handed_on_but_tells_of_missed_frames(line: Page) -> None:
    line.evaluate(
        "() => { sockets[0].open(); sockets[0].say({seq: 4, type: 'totals'}); sockets[0].say({seq: 4, type: 'ping'}); }"
    )
    assert line.evaluate("log.gaps") == []
    line.evaluate("() => sockets[0].say({seq: 6, type: 'ping'})")
    assert line.evaluate("log.gaps") == [[5, 6]]
    assert line.evaluate("log.frames") == ["totals"]


def test_a_lost_line_is_opened_again_and_counts_as_a_gap(line: Page) -> None:
    line.evaluate("() => { sockets[0].open(); sockets[0].say({seq: 7, type: 'totals'}); sockets[0].drop(); }")
    assert line.evaluate("[line.state, sockets.length]") == ["reconnecting", 1]
    line.clock.run_for(500)
    assert line.evaluate("sockets.length") == 2
    line.evaluate("() => { sockets[1].open(); sockets[1].say({seq: 1, type: 'totals'}); }")
    assert line.evaluate("log.gaps") == [[8, None]]
    assert line.evaluate("log.states.at(-1)") == "open"


def test_silence_counts_as_a_lost_line(line: Page) -> None:
    line.evaluate("() => { sockets[0].open(); sockets[0].say({seq: 1, type: 'ping'}); }")
    line.clock.run_for(44_000)
    assert line.evaluate("line.state") == "open"
    line.clock.run_for(2_000)
    assert line.evaluate("sockets[0].isClosedByUs") is True
    assert line.evaluate("log.states.includes('reconnecting')") is True


def test_waiting_grows_to_fifteen_seconds_and_is_never_the_same_for_all(blank_page: Page) -> None:
    delays = blank_page.evaluate(
        """async () => {
          const { reconnectDelay } = await import("pq/socket");
          const bounds = (attempt) => [reconnectDelay(attempt, () => 0), reconnectDelay(attempt, () => 1)];
          return [0, 1, 3, 9, 40].map(bounds);
        }"""
    )
    assert delays == [[250, 500], [500, 1000], [2000, 4000], [7500, 15000], [7500, 15000]]


@pytest.mark.parametrize("code", [4401, 4403, 4404])
def test_a_refusal_is_final(line: Page, code: int) -> None:
    line.evaluate(f"() => {{ sockets[0].open(); sockets[0].drop({code}); }}")
    line.clock.run_for(60_000)
    assert line.evaluate("[line.state, sockets.length]") == ["denied", 1]


def test_a_closed_line_stays_closed_and_sends_nothing(line: Page) -> None:
    line.evaluate("() => { sockets[0].open(); line.send({a: 1}); line.close(); line.send({a: 2}); sockets[0].drop(); }")
    line.clock.run_for(60_000)
    assert line.evaluate("[line.state, sockets.length, sockets[0].sent]") == ["closed", 1, ['{"a":1}']]


def test_being_online_again_ends_the_wait(line: Page) -> None:
    line.evaluate("() => { sockets[0].open(); sockets[0].drop(); dispatchEvent(new Event('online')); }")
    assert line.evaluate("sockets.length") == 2


TOAST = """async () => {
  const { toast } = await import("pq/toast");
  window.undone = 0; window.gone = 0;
  toast("3 contacts <b>tagged</b>", { undo: () => { undone += 1; }, onGone: () => { gone += 1; } });
}"""


def test_undo_runs_once_and_the_message_leaves(blank_page: Page) -> None:
    blank_page.evaluate(TOAST)
    message = blank_page.locator(".toast")
    expect(message).to_contain_text("3 contacts <b>tagged</b>")
    message.get_by_role("button", name="Undo").click()
    expect(message).to_have_count(0)
    blank_page.clock.run_for(20_000)
    assert blank_page.evaluate("[undone, gone]") == [1, 0]


def test_a_message_leaves_after_eight_seconds_without_undo(blank_page: Page) -> None:
    blank_page.evaluate(TOAST)
    blank_page.clock.run_for(7_000)
    expect(blank_page.locator(".toast")).to_have_count(1)
    blank_page.clock.run_for(2_000)
    expect(blank_page.locator(".toast")).to_have_count(0)
    assert blank_page.evaluate("[undone, gone]") == [0, 1]


def test_a_message_waits_while_the_keyboard_is_in_it(blank_page: Page) -> None:
    blank_page.evaluate(TOAST)
    blank_page.get_by_role("button", name="Undo").focus()
    blank_page.clock.run_for(60_000)
    expect(blank_page.locator(".toast")).to_have_count(1)


def test_errors_stay_until_dismissed(blank_page: Page) -> None:
    blank_page.evaluate("""async () => (await import("pq/toast")).toast("No", { tone: "error" }) && null""")
    blank_page.clock.run_for(600_000)
    blank_page.get_by_role("button", name="Dismiss").click()
    expect(blank_page.locator(".toast")).to_have_count(0)


def test_confirming_needs_the_exact_words(blank_page: Page) -> None:
    blank_page.evaluate(
        """async () => {
          const { confirm } = await import("pq/dialog");
          window.answered = confirm({ title: "Send?", typed: "18250", action: "Send" });
        }"""
    )
    send = blank_page.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    blank_page.get_by_label("Type 18250 to confirm").fill("1825")
    expect(send).to_be_disabled()
    blank_page.get_by_label("Type 18250 to confirm").fill("18250")
    send.click()
    assert blank_page.evaluate("answered") is True
    expect(blank_page.locator("dialog[open]")).to_have_count(0)


def test_escape_is_a_no(blank_page: Page) -> None:
    blank_page.evaluate(
        """async () => {
          const { confirm } = await import("pq/dialog");
          window.answered = confirm({ title: "Send?" });
        }"""
    )
    blank_page.keyboard.press("Escape")
    assert blank_page.evaluate("answered") is False


def test_the_theme_is_kept_in_a_cookie_that_the_server_reads(blank_page: Page) -> None:
    blank_page.evaluate("""async () => (await import("pq/theme")).setTheme("dark")""")
    assert blank_page.evaluate("document.documentElement.dataset.theme") == "dark"
    blank_page.reload()
    assert blank_page.locator("html").get_attribute("data-theme") == "dark"
    blank_page.evaluate("""async () => (await import("pq/theme")).setTheme("")""")
    blank_page.reload()
    assert blank_page.locator("html").get_attribute("data-theme") is None


def test_the_palette_prefers_names_that_start_with_the_query(blank_page: Page) -> None:
    found = blank_page.evaluate(
        """async () => {
          const { match } = await import("pq/palette");
          const entries = ["New campaign", "Campaigns", "Lists"].map((label) => ({ label }));
          const find = (query) => match(entries, query).map((entry) => entry.label);
          return [find("cam"), find("  "), find("zzz")];
        }"""
    )
    assert found == [["Campaigns", "New campaign"], ["New campaign", "Campaigns", "Lists"], []]


def test_numbers_and_times_read_as_in_templates(blank_page: Page) -> None:
    said = blank_page.evaluate(
        """async () => {
          const f = await import("pq/format");
          const now = Date.UTC(2026, 10, 23, 12);
          return [
            f.number(12345), f.number(null), f.percent(0.0433), f.percent(0.977), f.percent(1), f.percent(0.075),
            f.percent(0.002, 0), f.short(268904), f.short(1125000), f.short(1234567890), f.short(null),
            f.when(now - 300_000, now), f.when(now + 7_200_000, now), f.when(Date.UTC(2019, 2, 4, 12), now),
            f.duration(95), f.duration(5400), f.bytes(39322),
          ];
        }"""
    )
    assert said == [
        "12,345", "–", "4.33 %", "97.7 %", "100 %", "7.50 %",
        "<1 %", "268,904", "1.13M", "1230M", "–",
        "5 min ago", "in 2 h", "4 Mar 2019", "1 min 35 s", "1 h 30 min", "38 KB",
    ]  # fmt: skip


def test_a_form_is_sent_once_however_often_its_button_is_pressed(blank_page: Page) -> None:
    blank_page.evaluate(
        """() => {
          window.sent = 0;
          const form = document.createElement("form");
          form.method = "post";
          form.innerHTML = "<button>Save</button>";
          form.addEventListener("submit", () => { sent += 1; });
          document.body.append(form);
          // Behind every other listener: count what would really leave, and keep the page.
          window.left = 0;
          addEventListener("submit", (event) => { left += event.defaultPrevented ? 0 : 1; event.preventDefault(); });
        }"""
    )
    for _ in range(3):
        blank_page.get_by_role("button", name="Save").click(force=True)
    assert blank_page.evaluate("left") == 1


def test_shortcuts_can_be_switched_off(blank_page: Page) -> None:
    blank_page.evaluate(
        """async () => {
          window.ran = 0;
          (await import("pq/shortcuts")).addShortcut("x y", "Sample", () => { ran += 1; });
        }"""
    )
    blank_page.keyboard.press("x")
    blank_page.keyboard.press("y")
    assert blank_page.evaluate("ran") == 1
    blank_page.evaluate("localStorage.setItem('pq:shortcuts-off', '1')")
    blank_page.keyboard.press("x")
    blank_page.keyboard.press("y")
    assert blank_page.evaluate("ran") == 1


def test_the_palette_finds_records_and_opens_the_chosen_one(live_server: LiveServer, page_for: PageFor) -> None:
    page = page_for()
    found = {
        "results": [{"id": "42", "name": "Harvest roast launch", "status": "sent"}],
        "next": None,
        "previous": None,
    }
    page.route("**/v1/things*", lambda route: route.fulfill(json=found))
    page.route("**/things/42", lambda route: route.fulfill(body="here"))
    page.goto(f"{live_server.url}/component-sheet")
    page.evaluate(
        """() => {
          const search = { icon: "campaigns", api: "/v1/things?q=", page: "/things/{id}",
                           names: ["name"], hint: "status" };
          const entries = [{ label: "Harvest home", icon: "home", url: "/" }];
          document.getElementById("palette-data").textContent = JSON.stringify({ entries, searches: [search] });
        }"""
    )
    page.keyboard.press("Control+k")
    page.keyboard.type("harv")
    options = page.locator("#palette [role=option]")
    expect(options).to_have_text(["Harvest home", "Harvest roast launchsent"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/things/42")

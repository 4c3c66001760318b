"""The main job by a marketer in Chromium: from signing up to watching readers come back, without a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages import _enter_loop, _leave_loop, save_picture

READERS = 25
HUMAN = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"
}
PATIENT_MS = 60_000


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser window that complains about any script error."""
    _enter_loop(browser)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on(
        "console", lambda message: problems.append(f"{page.url}: {message.text}") if message.type == "error" else None
    )
    yield page
    context.close()
    _leave_loop()
    assert not problems, "\n".join(problems)


@pytest.fixture
def readers_file(tmp_path: Path) -> Path:
    path = tmp_path / "readers.csv"
    lines = [f"reader{number}@example.net;Kim{number};Berg" for number in range(READERS)]
    path.write_text("E-Mail;Vorname;Nachname\n" + "\n".join(lines) + "\nbroken;Row;Here\n", encoding="utf-8")
    return path


def kpi(page: Page, name: str) -> Any:
    """The number of one figure on the live page."""
    return page.locator(f".kpi [data-bind='{name}']").first


def test_from_signing_up_to_live_figures(instance: Any, page: Page, readers_file: Path) -> None:
    _sign_up(page, instance.url)
    _import(page, instance.url, readers_file)
    _write(page, instance.url)
    campaign_id = _review_and_send(page)
    _watch(page, instance.url, campaign_id)


def _sign_up(page: Page, url: str) -> None:
    page.goto(f"{url}/sign-up")
    page.get_by_label("Your name").fill("Kim Berg")
    page.get_by_label("Email").fill("kim@fjord.example")
    page.get_by_label("Password").fill("a long enough password 7")
    page.get_by_label("Workspace").fill("Fjord Tea")
    page.get_by_role("button", name="Start writing").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Home")
    page.goto(f"{url}/settings")
    page.get_by_label("Postal address").fill("Storgata 4, Bergen")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_label("Postal address")).to_have_value("Storgata 4, Bergen")


def _import(page: Page, url: str, file: Path) -> None:
    page.goto(f"{url}/imports/new")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("heading", name="What each column is")).to_be_visible()
    expect(page.get_by_label("E-Mail becomes")).to_have_value("email")
    page.get_by_label("Vorname becomes").select_option("first_name")
    page.get_by_label("Nachname becomes").select_option("last_name")
    page.get_by_label("Name of the new list").fill("Tea letter")
    page.get_by_label("Where did they agree to get mail?").fill("Market stall, June")
    page.get_by_role("button", name=re.compile("Import 26 rows")).click()
    expect(page.get_by_role("heading", name="Report")).to_be_visible(timeout=PATIENT_MS)
    expect(page.locator("[data-figure=created]")).to_have_text(str(READERS))
    expect(page.get_by_role("link", name="Download rejected rows")).to_be_visible()


def _write(page: Page, url: str) -> None:
    page.goto(f"{url}/campaigns/new")
    page.get_by_label("Name", exact=False).first.fill("First flush")
    page.get_by_label(re.compile("sentence|goal|achieve", re.IGNORECASE)).first.fill(
        "Tell our readers that the first flush Darjeeling has arrived, with free shipping until Sunday"
    )
    page.get_by_role("button", name="Start writing").click()
    expect(page.get_by_text("Template draft – no AI model was used").first).to_be_visible(timeout=PATIENT_MS)
    adopt = page.get_by_role("button", name=re.compile("^Adopt"))
    expect(adopt).to_have_count(3, timeout=PATIENT_MS)
    adopt.first.click()
    page.locator(".block .cta").click()
    page.get_by_label("Leads to", exact=True).fill("https://fjord.example/first-flush")
    subject = page.locator("#subject")
    expect(subject).not_to_be_empty()
    subject.fill("{{first_name}}, the first flush is here")
    expect(page.locator("[data-saved-text]")).to_have_text(re.compile(r"Saved \d\d:\d\d"))
    page.locator("[data-as]").fill("reader3@example.net")
    page.locator("[data-as]").press("Enter")
    expect(page.locator(".inbox [data-inbox-subject]")).to_have_text("Kim3, the first flush is here")
    for view in ("Desktop", "Mobile", "Plain text"):
        page.get_by_role("button", name=view, exact=True).click()
    expect(page.locator("[data-plain]")).to_contain_text("Storgata 4, Bergen")
    save_picture(page, "journey-composer")
    page.get_by_role("link", name="Review", exact=True).last.click()


def _review_and_send(page: Page) -> str:
    expect(page.get_by_role("heading", name="Review and send")).to_be_visible()
    campaign_id = page.url.split("/campaigns/")[1].split("/")[0]
    page.get_by_label(re.compile("^Tea letter")).first.check()
    page.get_by_role("button", name="Save the audience").click()
    page.get_by_label("From name").fill("Fjord Tea")
    page.get_by_label("From address").fill("hello@fjord.example")
    page.get_by_role("button", name="Add and use").click()
    expect(page.locator(".sendbar")).to_contain_text(f"{READERS} contacts")
    save_picture(page, "journey-review")
    page.locator("#id_to").fill("kim@fjord.example")
    page.get_by_role("button", name="Send the test").click()
    expect(page.locator("#toasts")).to_contain_text(re.compile("test", re.IGNORECASE))
    page.get_by_role("button", name=f"Send to {READERS}").click()
    page.get_by_role("button", name="Send now").click()
    expect(page).to_have_url(re.compile(f"/campaigns/{campaign_id}/live"))
    return campaign_id


def _watch(page: Page, url: str, campaign_id: str) -> None:
    page.evaluate("window.notReloaded = true")
    expect(kpi(page, "totals.sent")).to_have_text(str(READERS), timeout=PATIENT_MS)
    expect(kpi(page, "totals.delivered")).to_have_text(str(READERS), timeout=PATIENT_MS)
    expect(kpi(page, "view.opens")).to_have_text("0")
    mails = page.request.get(f"{url}/outbox.json?campaign={campaign_id}&limit=100").json()["results"]
    counted = [mail for mail in mails if mail["to"].startswith("reader")]
    assert len(counted) == READERS
    with httpx.Client(headers=HUMAN, timeout=10) as mailbox:
        for mail in counted[:7]:
            mailbox.get(re.search(r'src="(http[^"]+/t/o/[^"]+)"', mail["html"])[1])
        left = re.search(r"<(http[^>]+/u/[^>]+)>", dict(counted[9]["headers"])["List-Unsubscribe"])[1]
        mailbox.post(left, data={"List-Unsubscribe": "One-Click"})
        redirect = mailbox.get(re.search(r'href="(http[^"]+/t/c/[^"]+)"', counted[0]["html"])[1])
        assert redirect.headers["location"] == "https://fjord.example/first-flush"
    expect(kpi(page, "view.opens")).to_have_text("7", timeout=PATIENT_MS)
    expect(kpi(page, "view.clicks")).to_have_text("1", timeout=PATIENT_MS)
    expect(kpi(page, "totals.unsubscribed")).to_have_text("1", timeout=PATIENT_MS)
    expect(page.locator("[data-ticker]")).to_contain_text("Opened")
    assert page.evaluate("window.notReloaded"), "the page was loaded again"
    save_picture(page, "journey-live")
    page.goto(f"{url}/outbox?campaign={campaign_id}")
    page.get_by_role("button", name="Simulate readers").click()
    expect(page.get_by_role("heading", name=re.compile("Readers are"))).to_be_visible()

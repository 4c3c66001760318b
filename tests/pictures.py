"""Take the README's pictures from a running instance with the demo workspace.

`python -m tests.pictures [address]` writes static/img/screenshots/{home,composer,live}.png: 1280 px wide, light.
It does in a browser what the README's tour says, so it leaves a sent campaign behind; run it on a fresh demo.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from pulsequill.demo_data.people import PASSWORD, PEOPLE
from tests.browser import find_browser
from tests.pages import ARGUMENTS

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img" / "screenshots"
WIDTH = 1280
#: Enough colours for a page with one accent, and half of the bytes.
COLOURS = 256
PATIENT_MS = 90_000
BRIEF = {
    "goal": "The harvest roast from Finca La Esperanza is back",
    "audience": "Subscribers who like a light roast",
    "offer": "Free shipping until Sunday",
    "cta_label": "Reserve a bag",
    "cta_url": "https://northwind.example/coffee/harvest",
    "tone": "Warm, plain, a little proud",
    "facts": "1,450 bags, picked in June\nFinca La Esperanza, Huila\nCup score 87.25",
}


def main(url: str) -> None:
    """Do the tour and take the pictures on the way."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        context = browser.new_context(
            viewport={"width": WIDTH, "height": 900}, color_scheme="light", reduced_motion="reduce", base_url=url
        )
        context.set_default_timeout(PATIENT_MS)
        page = context.new_page()
        sign_in(page)
        write(page)
        take(page, "composer", height=1240)
        watch(page, send(page))
        take(page, "live", height=1120)
        page.goto("/")
        take(page, "home", height=900)
        browser.close()


def sign_in(page: Page) -> None:
    """Come in as the demo's owner."""
    page.goto("/sign-in")
    page.get_by_label("Email").fill(PEOPLE[0].email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Home")


def write(page: Page) -> None:
    """Brief the writer, adopt the first angle, and stand in its text."""
    page.goto("/campaigns/new")
    page.get_by_label("Name").first.fill("Harvest roast launch")
    page.get_by_role("button", name="Start writing").click()
    page.get_by_text("Narrow it down").click()
    for name, text in BRIEF.items():
        page.locator(f"#b-{name}").fill(text)
    page.locator("[data-brief-form]").get_by_role("button", name="Write three angles").click()
    adopt = page.get_by_role("button", name=re.compile("^Adopt"))
    expect(adopt).to_have_count(3)
    adopt.first.click()
    expect(page.locator("#subject")).not_to_be_empty()
    expect(page.locator("[data-saved-text]")).to_contain_text("dopted")
    page.reload()
    expect(page.locator("[data-size]")).to_be_visible()
    page.locator("[data-canvas] .ProseMirror").first.click()
    page.evaluate("scrollTo(0, 0)")


def send(page: Page) -> str:
    """Choose who gets it and from whom, send it, and return where it is watched."""
    page.get_by_role("link", name="Review", exact=True).last.click()
    page.get_by_label(re.compile("^The Morning Cup")).first.check()
    page.get_by_role("button", name="Save the audience").click()
    choose = page.get_by_role("button", name="Choose", exact=True)
    expect(page.locator(".sendbar")).to_contain_text("contacts")
    if choose.count():
        choose.click()
    page.get_by_role("button", name=re.compile(r"^Send to [\d,]+")).click()
    page.get_by_role("button", name="Send now").click()
    page.wait_for_url("**/live")
    return page.url


def watch(page: Page, address: str) -> None:
    """Let readers loose on the campaign and wait until some of them clicked."""
    campaign_id = address.split("/campaigns/")[1].split("/")[0]
    page.locator("[data-finish]", has_text="Finished").wait_for()
    page.goto(f"/outbox?campaign={campaign_id}")
    page.get_by_role("button", name="Simulate readers").click()
    page.goto(address)
    expect(page.locator("[data-bind='view.clicks']").first).to_have_text(re.compile(r"^(9\d|\d{3,})$"))
    page.goto(address)
    expect(page.get_by_text("Connected")).to_be_visible()


def take(page: Page, name: str, *, height: int) -> None:
    """Write one picture, with few colours: a README should load at once."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_load_state("networkidle")
    page.locator("#toasts .toast").evaluate_all("toasts => toasts.forEach((toast) => toast.remove())")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(FOLDER.parents[2])} {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")

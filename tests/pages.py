"""Pytest plugin: real Chromium for tests of pages, and axe for their accessibility.

`page_for(theme="dark", width=360)` gives a Playwright page; `assert_accessible(page)` runs axe on it. Without a browser
these tests fail, they are not skipped: a page nobody looked at is not tested.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import NoBrowser, find_browser
from tests.waiting import wait_until

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEIGHTS = {360: 740}
#: An expectation is a condition that is waited for: it ends a test that fails and never slows one that passes.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

#: Theme and width of the looks that a page test takes: colours hang on the theme and layout on the width, so two show
#: both of each. `make looks` (EVERY_LOOK=1) takes all four.
LOOKS = [("light", 1280), ("dark", 360)]
if os.environ.get("EVERY_LOOK"):
    LOOKS += [("dark", 1280), ("light", 360)]

PageFor = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    try:
        path = find_browser()
    except NoBrowser as error:
        pytest.fail(str(error), pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        _leave_loop()
        yield started
        _enter_loop(started)
        started.close()


def _enter_loop(browser: Browser) -> None:
    """Give Playwright's event loop back to this thread for the length of a test."""
    asyncio._set_running_loop(browser._loop)


def _leave_loop() -> None:
    """Playwright leaves its loop marked as running; asynchronous tests could not start their own then."""
    asyncio._set_running_loop(None)


@pytest.fixture
def page_for(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageFor]:
    """Open pages: `page_for(theme="light"|"dark", width=1280|360, **context_options)`.

    A page fails its test when a script throws, the console reports an error or the content security policy blocks
    something; `page.expected_errors` may list texts that the test provokes on purpose.
    """
    # The running loop is Playwright's, not Django's: plain database calls are safe in these tests.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    _enter_loop(browser)
    contexts: list[BrowserContext] = []
    opened: list[Page] = []

    def open_page(*, theme: str = "light", width: int = 1280, **options: object) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            color_scheme=theme,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.expected_errors = []
        page.on("pageerror", lambda error: page.problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: page.problems.append(f"{page.url}: {message.text}") if message.type == "error" else None,
        )
        page.under_way = set()
        page.on("request", lambda request: page.under_way.add(request))
        page.on("requestfinished", lambda request: page.under_way.discard(request))
        page.on("requestfailed", lambda request: page.under_way.discard(request))
        opened.append(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    _leave_loop()
    problems = [
        problem
        for page in opened
        for problem in page.problems
        if not any(expected in problem for expected in page.expected_errors)
    ]
    assert not problems, "\n".join(problems)


def settle(page: Page) -> None:
    """Wait until the page's scripts have what they asked for and have drawn it."""

    def is_quiet() -> bool:
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        return not page.under_way

    page.wait_for_load_state()
    wait_until(lambda: is_quiet() and is_quiet(), what="nothing is under way", every_s=0)


def assert_accessible(page: Page, *, exclude: list[str] | None = None) -> None:
    """Run axe (WCAG 2.2 AA and best practices) on the page as it stands now.

    Raises:
        AssertionError: names each violation, the rule and the elements.
    """
    options = {"resultTypes": ["violations"]}
    context = {"exclude": [[selector] for selector in exclude or []]} if exclude else None
    results = Axe().run(page, context=context, options=options)
    found = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
        + "\n    ".join(f"{node['target']} {node['html'][:160]}" for node in violation["nodes"][:5])
        for violation in results.response["violations"]
    ]
    assert not found, f"{page.url}\n" + "\n".join(found)


def assert_fits(page: Page) -> None:
    """Fail when the page is wider than the window: nobody should scroll sideways to read."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{page.url} is {width} px wide"


def save_picture(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder named by PICTURES, when somebody asked for pictures."""
    if folder := os.environ.get("PICTURES"):
        has_overlay = page.evaluate("!!document.querySelector(':modal, :popover-open:not(#toasts)')")
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=not has_overlay)

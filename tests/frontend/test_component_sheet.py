"""Every component on one page, looked at by a browser and by axe: light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.frontend.sheet_urls")]


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_sheet_is_accessible_and_fits(live_server: LiveServer, page_for: PageFor, theme: str, width: int) -> None:
    page = page_for(theme=theme, width=width)
    page.goto(f"{live_server.url}/component-sheet?message=1")
    page.wait_for_selector(".toast")
    save_picture(page, f"sheet-{width}-{theme}")
    assert page.locator("[data-missing-icon]").count() == 0
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_floats_above_the_page_is_accessible(live_server: LiveServer, page_for: PageFor, theme: str) -> None:
    page = page_for(theme=theme)
    page.goto(f"{live_server.url}/component-sheet")
    for opener, name in [
        ("button.ws", "workspace menu"),
        ("text=Appearance", "appearance"),
        ("text=Open menu", "menu"),
    ]:
        page.click(opener)
        page.wait_for_selector("[popover]:popover-open[data-menu]")
        save_picture(page, f"{name.replace(' ', '-')}-{theme}")
        assert_accessible(page)
        page.keyboard.press("Escape")
    for opener, dialog in [("text=Open dialog", "#sheet-dialog"), ("[data-open-palette]", "#palette")]:
        page.click(opener)
        page.wait_for_selector(f"{dialog}[open]")
        save_picture(page, f"{dialog[1:]}-{theme}")
        assert_accessible(page)
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    save_picture(page, f"shortcuts-{theme}")
    assert_accessible(page)


def test_phones_reach_every_page_through_the_more_sheet(live_server: LiveServer, page_for: PageFor) -> None:
    page = page_for(width=360)
    page.goto(f"{live_server.url}/component-sheet")
    page.click(".nav > button:has-text('More')")
    sheet = page.wait_for_selector("#more-sheet:popover-open")
    save_picture(page, "more-360")
    assert sheet.is_visible()
    assert_accessible(page)


def test_the_narrow_sidebar_keeps_its_names_for_screen_readers(live_server: LiveServer, page_for: PageFor) -> None:
    page = page_for()
    page.goto(f"{live_server.url}/component-sheet?shell=rail")
    save_picture(page, "rail-1280")
    assert_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_that_do_not_exist_are_kind(live_server: LiveServer, page_for: PageFor, theme: str) -> None:
    page = page_for(theme=theme, width=360)
    page.expected_errors = ["404"]
    page.goto(f"{live_server.url}/no-such-page")
    save_picture(page, f"404-{theme}")
    assert_accessible(page)
    assert page.get_by_role("heading", level=1).inner_text() == "There is no such page"

"""Templates in a real browser: the gallery in both themes and on a phone, deleting with a way back, history."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from campaigns.content.starters import all_starters
from campaigns.models import EmailTemplate
from campaigns.services import templates
from tests.campaigns.making import HELLO, make_member, make_workspace
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture, settle
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Page]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace("Northwind Coffee", brand={"logo_text": "Northwind Coffee"})


@pytest.fixture
def template(workspace: Workspace) -> EmailTemplate:
    return templates.create_template(workspace=workspace, actor=None, name="Launch", subject="One", body=HELLO)


@pytest.fixture
def open_page(live_server: LiveServer, page_for: PageFor, workspace: Workspace) -> Open:
    client = Client()
    client.force_login(make_member(workspace))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value

    def go(name: str, *args: Any, query: str = "", **options: Any) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page.goto(live_server.url + reverse(f"campaigns:{name}", args=args) + query)
        return page

    return go


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_gallery_of_starters_is_accessible_and_fits(open_page: Open, theme: str, width: int) -> None:
    page = open_page("template_list", theme=theme, width=width)
    expect(page.locator(".gallery > li")).to_have_count(len(all_starters()))
    settle(page)
    assert_fits(page)
    assert_accessible(page)
    save_picture(page, f"starters-{width}-{theme}")


def test_a_starter_is_looked_at_as_it_will_be_read_and_made_ones_own(open_page: Open) -> None:
    page = open_page("template_list")
    page.expected_errors = ["/m/", "ERR_CONNECTION_REFUSED"]  # its pictures are at the public address, not here
    page.get_by_role("button", name="Look at Sale").click()
    dialog = page.get_by_role("dialog", name="Sale")
    mail = dialog.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="20% off everything, until Sunday")).to_be_visible()
    save_picture(page, "look-desktop")
    dialog.get_by_role("button", name="Dark").click()
    expect(mail.locator("body")).to_have_css("background-color", "rgb(21, 19, 27)")
    assert_accessible(page)
    dialog.get_by_role("button", name="Text").click()
    expect(mail.locator("body")).to_contain_text("See the whole sale <https://example.com/sale>")
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Make it yours Sale").click()
    expect(page.get_by_role("heading", name="Sale", level=1)).to_be_visible()
    expect(page.locator("[data-canvas] .block").first).to_be_visible()
    settle(page)
    assert_accessible(page)
    save_picture(page, "template-1280-light")


def test_a_deleted_template_comes_back_or_goes_for_good(open_page: Open, template: EmailTemplate) -> None:
    page = open_page("template_list")

    def delete() -> None:
        page.get_by_role("button", name="More for Launch").click()
        page.get_by_role("button", name="Delete").click()
        expect(page.locator("[data-template]")).to_be_hidden()

    delete()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-template]")).to_be_visible()
    delete()
    assert EmailTemplate.objects.exists()
    with page.expect_response(re.compile("/delete")) as answer:
        page.get_by_role("button", name="Dismiss").click()
    assert answer.value.status == 204
    assert not EmailTemplate.objects.exists()


def test_leaving_the_page_ends_the_waiting(open_page: Open, template: EmailTemplate) -> None:
    page = open_page("template_list")
    page.get_by_role("button", name="More for Launch").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Starters").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    wait_until(lambda: not EmailTemplate.objects.exists(), what="the template is deleted")
    page.reload()
    expect(page.get_by_role("link", name="Yours")).to_contain_text("0")


def test_a_template_is_renamed_in_place(open_page: Open, template: EmailTemplate) -> None:
    page = open_page("template_list", width=360)
    page.get_by_role("button", name="More for Launch").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("Start")
    page.get_by_role("dialog").get_by_role("combobox").select_option("news")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Start", exact=True)).to_be_visible()
    assert_fits(page)
    save_picture(page, "yours-360-light")
    template.refresh_from_db()
    assert (template.name, template.purpose) == ("Start", "news")


def test_what_is_written_is_saved_previewed_and_found_in_the_history(open_page: Open, template: EmailTemplate) -> None:
    page = open_page("template", template.pk)
    page.locator("[data-canvas] .prose").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" And more.")
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    template.refresh_from_db()
    assert "And more." in str(template.body)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="Version 1 and now")).to_be_visible()
    expect(page.locator("ins")).to_contain_text("And more")
    assert_accessible(page)
    save_picture(page, "history-1280-light")
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("Back at version 1")).to_be_visible()
    template.refresh_from_db()
    assert "And more." not in str(template.body)


def test_source_is_edited_with_its_faults_named(open_page: Open, workspace: Workspace) -> None:
    made = templates.create_template(workspace=workspace, actor=None, name="Raw", format="markdown", body="# Hello\n")
    page = open_page("template", made.pk, theme="dark", width=360)
    page.expected_errors = ["400"]
    box = page.get_by_role("textbox", name="Source of the mail")
    box.fill("# Hello\n\n{{#open}}")
    expect(page.locator("code-area")).to_contain_text("Line 3, column 1")
    box.fill("# Hello you")
    expect(page.locator("[data-saved]")).to_have_attribute("data-state", "saved")
    assert_fits(page)
    assert_accessible(page)
    save_picture(page, "source-360-dark")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_import_page_is_accessible_and_fits(open_page: Open, theme: str, width: int) -> None:
    page = open_page("template_import", theme=theme, width=width)
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("textbox", name=re.compile("^HTML")).fill("<p>{{#a}}</p>")
    page.expected_errors = ["400"]
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Line 1, column 4").first).to_be_visible()
    save_picture(page, f"import-{width}-{theme}")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_a_sample_mail_follows_the_brand_while_it_is_chosen(
    open_page: Open, workspace: Workspace, theme: str, width: int
) -> None:
    page = open_page("brand", theme=theme, width=width)
    mail = page.frame_locator("[data-sample-stage] iframe:not(.loading)")
    expect(mail.get_by_text("Northwind Coffee").first).to_be_visible()
    page.get_by_label("Logo as text").fill("Southwind")
    page.get_by_label("Buttons and links").fill("#204080")
    expect(mail.get_by_text("Southwind").first).to_be_visible()
    expect(mail.get_by_role("link", name="Start here")).to_have_css("color", "rgb(255, 255, 255)")
    assert_fits(page)
    assert_accessible(page)
    save_picture(page, f"brand-{width}-{theme}")
    workspace.refresh_from_db()
    assert workspace.brand["logo_text"] == "Northwind Coffee"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Every mail that is not sent yet wears it.")).to_be_visible()
    workspace.refresh_from_db()
    assert (workspace.brand["logo_text"], workspace.brand["color"]) == ("Southwind", "#204080")

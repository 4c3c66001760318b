"""Settings, Sending, in a real browser: a server is added, tried and used; the pages fit, in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from campaigns.delivery.providers import active_provider
from campaigns.selectors.providers import WARM_UPS
from campaigns.services import providers
from tests.campaigns.making import make_member, make_sender, make_workspace
from tests.fakes.smtp_server import smtp_server
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)

#: Milliseconds that a test mail may take on a busy machine.
PATIENCE_MS = 20_000


@pytest.fixture
def workspace(settings: Any) -> Workspace:
    settings.IS_LOCAL_RUN = True
    return make_workspace()


@pytest.fixture
def open_page(live_server: LiveServer, page_for: PageFor, workspace: Workspace) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(workspace))
    name = settings.SESSION_COOKIE_NAME

    def open_at(path: str, **options: Any) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_at


def test_a_server_is_added_tried_and_used(workspace: Workspace, open_page: Callable[..., Page]) -> None:
    make_sender(workspace)
    with smtp_server(login=("maya", "pour-over")) as (sink, port):
        page = open_page("/settings/sending")
        page.get_by_role("link", name="Set up SMTP").click()
        page.get_by_role("link", name="Add a server").click()
        page.get_by_label("Server", exact=True).fill("localhost")
        page.get_by_label("Port").fill(str(port))
        page.get_by_label("Security").select_option("none")
        page.get_by_label("User name").fill("maya")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Add the server").click()
        test = page.get_by_role("button", name="Send me a test")
        report = page.locator("#test-report")
        page.wait_for_load_state()  # before that, the form would go the way of browsers without scripts
        test.click()
        expect(report).to_contain_text("The server refuses the user name or the password.", timeout=PATIENCE_MS)
        expect(report).to_contain_text("What to do:")
        save_picture(page, "provider-report-wrong-light-1280")
        assert_accessible(page)
        page.get_by_role("link", name="localhost").click()
        page.get_by_label("Password").fill("pour-over")
        page.get_by_role("button", name="Store").click()
        expect(page.get_by_text("Stored localhost")).to_be_visible()
        page.wait_for_load_state()
        test.click()
        expect(report).to_contain_text("It works", timeout=PATIENCE_MS)
        assert len(sink.taken) == 1
        page.get_by_role("button", name="Use SMTP").click()
        expect(page.locator(".way.used")).to_contain_text("SMTP")
    assert active_provider(workspace) == "smtp"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_pages_are_accessible_and_fit(
    theme: str, width: int, workspace: Workspace, open_page: Callable[..., Page]
) -> None:
    def look(path: str, name: str) -> Page:
        page = open_page(path, theme=theme, width=width)
        save_picture(page, f"provider-{name}-{theme}-{width}")
        assert_accessible(page)
        assert_fits(page)
        return page

    look("/settings/sending/smtp", "smtp-empty")
    make_sender(workspace)
    with smtp_server() as (_, port):
        for number, weight in ((port, 3), (1, 1)):
            providers.add_server(
                workspace=workspace, actor=None, host="127.0.0.1", port=number, security="none", weight=weight
            )
        providers.use_provider(workspace=workspace, actor=None, provider="smtp")
        providers.save_provider(
            workspace=workspace, actor=None, provider="smtp", rate_per_second=40,
            warm_up_plan=list(WARM_UPS["gentle"].days), warm_up_start_date=timezone.now().date(),
        )  # fmt: skip
        page = look("/settings/sending/smtp", "smtp")
        page.get_by_role("button", name="Send me a test").click()
        expect(page.locator("#test-report .report")).to_have_count(2, timeout=PATIENCE_MS)
        expect(page.locator("[aria-busy=true], .htmx-request, button:disabled")).to_have_count(0)
        save_picture(page, f"provider-reports-{theme}-{width}")
        assert_accessible(page)
        assert_fits(page)
    look("/settings/sending", "list")
    look("/settings/sending/servers/new", "server")
    providers.save_provider(workspace=workspace, actor=None, provider="sendgrid", api_key="SG.one.two", region="eu")
    look("/settings/sending/sendgrid", "sendgrid")
    look("/settings/sending/capture", "capture")

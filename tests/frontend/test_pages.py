"""Every page of the demo workspace: axe finds nothing, nothing scrolls sideways, the console stays quiet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.pages import PageFor, assert_accessible, assert_fits, save_picture

OWNER = "maya@northwind.example"


def _first(app: str, model: str, **wanted: Any) -> Callable[[], Any]:
    def find() -> Any:
        from django.apps import apps

        return apps.get_model(app, model).objects.across_workspaces().filter(**wanted).order_by("pk").first().pk

    return find


#: Page -> what its address needs: nothing, or the key of a record of the demo workspace.
PAGES: dict[str, Callable[[], Any] | None] = {
    "analytics:home": None,
    "analytics:campaign_figures": None,
    "analytics:live": _first("campaigns", "Campaign", status="sent"),
    "campaigns:campaign_list": None,
    "campaigns:campaign_new": None,
    "campaigns:composer": _first("campaigns", "Campaign", status="draft"),
    "campaigns:review": _first("campaigns", "Campaign", status="draft"),
    "campaigns:message_list": _first("campaigns", "Campaign", status="sent"),
    "campaigns:template_list": None,
    "campaigns:outbox": None,
    "audiences:contact_list": None,
    "audiences:contact_detail": _first("audiences", "Contact"),
    "audiences:list_list": None,
    "audiences:segment_list": None,
    "audiences:import_list": None,
    "audiences:import_new": None,
    "aiwriter:studio": None,
    "accounts:settings": None,
}
PUBLIC_PAGES = ("accounts:sign_in", "accounts:sign_up")
SIZES = [(theme, width) for theme in ("light", "dark") for width in (1280, 360)]


@pytest.fixture
def demo(live_server: LiveServer) -> Iterator[str]:
    """The demo workspace behind a live server; gives the owner's session key."""
    call_command("seed_demo")
    client = Client()
    client.force_login(User.objects.get(email=OWNER))
    yield client.session.session_key


def _look(page: Page, address: str, name: str) -> list[str]:
    answer = page.goto(address)
    assert answer is not None
    if answer.status != 200:
        return [f"{name}: answered {answer.status}"]
    page.wait_for_load_state("networkidle")
    save_picture(page, name)
    problems = []
    for check in (assert_accessible, assert_fits):
        try:
            check(page)
        except AssertionError as error:
            problems.append(f"{name}: {error}")
    problems += [f"{name}: no icon {missing}" for missing in _missing_icons(page)]
    return problems


def _missing_icons(page: Page) -> list[str]:
    return page.eval_on_selector_all("[data-missing-icon]", "found => found.map(one => one.dataset.missingIcon)")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_every_page_is_fit_to_be_read(live_server: LiveServer, demo: str, page_for: PageFor) -> None:
    only = os.environ.get("ONLY", "")
    addresses = {
        name: live_server.url + reverse(name, args=[find()] if find else [])
        for name, find in PAGES.items()
        if only in name
    }
    problems: list[str] = []
    for theme, width in SIZES:
        page = page_for(theme=theme, width=width)
        page.expected_errors = ["/ws/"]  # this server speaks HTTP only; the journeys test the sockets
        for name in PUBLIC_PAGES:
            if only in name:
                problems += _look(page, live_server.url + reverse(name), f"{name.replace(':', '-')}-{width}-{theme}")
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": demo, "url": live_server.url}])
        for name, address in addresses.items():
            problems += _look(page, address, f"{name.replace(':', '-')}-{width}-{theme}")
        page.context.close()
    assert not problems, "\n\n".join(problems)

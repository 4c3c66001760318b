"""A blank page of the project to load modules in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.pages import PageFor


@pytest.fixture
def blank_page(live_server: LiveServer, page_for: PageFor) -> Page:
    """A page with the shell's scripts and nothing else; its clock can be driven by `page.clock`."""
    page = page_for()
    page.clock.install()
    page.goto(f"{live_server.url}/blank")
    return page

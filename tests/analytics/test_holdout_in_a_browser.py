"""The hold-out in a real browser: both themes, wide and narrow."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests.analytics.making import make_member
from tests.analytics.test_holdout import make_holdout, ordered, report
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_what_the_mail_brought_looks_right(live_server: LiveServer, page_for: PageFor, theme: str, width: int) -> None:
    mailing = make_holdout(60, 40)
    report(*(ordered(message, 245_000) for message in (*mailing.messages[:30], *mailing.messages[60:72])))
    client = Client()
    client.force_login(make_member(mailing.workspace))
    page = page_for(theme=theme, width=width)
    session = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    page.context.add_cookies([{**session, "url": live_server.url}])
    page.goto(f"{live_server.url}/campaigns/{mailing.campaign.pk}/report")
    card = page.locator("#holdout")
    expect(card.get_by_text("because of this mail")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    card.scroll_into_view_if_needed()
    save_picture(page, f"holdout-{theme}-{width}")

"""A link that is pointed elsewhere leads there: from mail that has left, and from its page in the browser."""

from __future__ import annotations

import re

import httpx
import pytest
from django.test import Client

from analytics.tracking import links as address_book
from campaigns.delivery import pipeline
from campaigns.delivery.tracking import web_version_url
from campaigns.models import Link
from campaigns.services.links import repoint, undo_repoint
from tests.analytics.test_tracking import server
from tests.campaigns.sending import captured, make_launched, rows_of
from tests.waiting import wait_until

__all__ = ["server"]

pytestmark = pytest.mark.django_db(transaction=True)
_TRACKED = re.compile(r"/t/c/[A-Za-z0-9_-]+")
BODY = "[The harvest](https://northwind.example/harvets)"


def leads_to(address: str) -> str:
    return str(httpx.get(address).headers.get("Location", ""))


def test_mail_that_has_left_and_its_page_in_the_browser_lead_to_the_new_address(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_book, "MEMORY_SECONDS", 0.2)
    monkeypatch.setattr(address_book, "VALKEY_SECONDS", 1)
    content = {"subject": "Beans", "format": "markdown", "body": BODY}
    campaign, _ = make_launched(1, variants=[content])
    pipeline.deliver(campaign_id=campaign.pk)
    html = captured(campaign)[0].get_body(("html",)).get_content()
    page = Client().get("/" + web_version_url(rows_of(campaign)[0].pk).partition("://")[2].partition("/")[2])
    link = Link.objects.select_related("variant__campaign__workspace").get(is_honeypot=False)
    token = next(path for path in _TRACKED.findall(html) if path in page.content.decode())
    address = f"{server}{token}"
    assert leads_to(address) == "https://northwind.example/harvets"
    repoint(link=link, url="https://northwind.example/harvest", actor=None)
    wait_until(lambda: leads_to(address) == "https://northwind.example/harvest", what="the caches forget")
    undo_repoint(link=link, actor=None)
    wait_until(lambda: leads_to(address) == "https://northwind.example/harvets", what="the caches forget")

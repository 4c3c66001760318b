"""The receipts and the brand's facts, looked at."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from aiwriter.services.claims import accept_claim
from aiwriter.services.facts import save_fact
from tests.campaigns.making import make_member, make_workspace
from tests.campaigns.test_claims import campaign_that_says
from tests.pages import assert_accessible, assert_fits, save_picture


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_the_pages_are_accessible_and_fit(live_server, page_for, theme, width):
    workspace = make_workspace()
    owner = make_member(workspace)
    save_fact(workspace=workspace, actor=owner, text="Every grinder has a two-year warranty")
    save_fact(workspace=workspace, actor=owner, text="Open until 6 pm on weekdays", is_active=False)
    words = "Thirty percent off until Sunday, a bag is £9.50, and our award-winning grinder has a two-year warranty."
    campaign = campaign_that_says(words, workspace)
    accept_claim(workspace=workspace, campaign_id=campaign.pk, claim="award-winning", actor=owner)
    page = page_for(width=width, theme=theme)
    client = Client()
    client.force_login(owner)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])

    for name, path in (
        ("receipts", reverse("campaigns:claims", args=[campaign.pk])),
        ("brand_facts", reverse("aiwriter:facts")),
    ):
        page.goto(live_server.url + path)
        assert_fits(page)
        assert_accessible(page)
        save_picture(page, f"{name}_{theme}_{width}")

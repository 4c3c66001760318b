"""Every page of the demo workspace: no axe violation, no sideways scrolling, light and dark, desktop and phone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api_client import ApiClient
from tests.journeys.signing_in import sign_in
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture, settle

PUBLIC = ["/sign-in", "/sign-up", "/password/forgot"]
PAGES = [
    "/",
    "/contacts",
    "/contacts/new",
    "/contacts/{contact}",
    "/lists",
    "/segments",
    "/imports",
    "/imports/new",
    "/suppressions",
    "/campaigns",
    "/campaigns/new",
    "/campaigns/{draft}",
    "/campaigns/{draft}/review",
    "/campaigns/{sent}/live",
    "/campaigns/{sent}/messages",
    "/messages/in-doubt",
    "/templates",
    "/templates?tab=starters",
    "/templates/import",
    "/media",
    "/senders",
    "/senders/new",
    "/senders/domains/new",
    "/senders/domains/{domain}",
    "/lists/new",
    "/segments/new",
    "/ai/voices/new",
    "/outbox",
    "/reports",
    "/reports/compare",
    "/reports/cohorts",
    "/reports/engagement",
    "/reports/rules",
    "/reports/goals",
    "/reports/goals/new",
    "/reports/kept",
    "/ai",
    "/settings",
    "/settings/team",
    "/settings/activity",
    "/settings/danger",
    "/settings/api-keys",
    "/settings/brand",
    "/settings/sending",
    "/settings/sending/smtp",
    "/settings/sending/sendgrid",
    "/settings/webhooks",
    "/settings/profile",
    "/notifications",
]


@pytest.fixture(scope="module")
def ids(instance: Any) -> dict[str, str]:
    client = ApiClient(instance.url)
    email, password = instance.sign_ins["owner"]
    pair = client.http.post("/v1/auth/token", json={"email": email, "password": password}).json()
    client.access, client.refresh = pair["access"], pair["refresh"]
    found = {
        status: client.get("/v1/campaigns", status=status, limit=1)["results"][0]["id"] for status in ("draft", "sent")
    }
    found["domain"] = client.get("/v1/sending-domains", limit=1)["results"][0]["id"]
    return {**found, "contact": client.get("/v1/contacts", limit=1)["results"][0]["id"]}


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_page_is_accessible_and_fits(
    instance: Any, ids: dict[str, str], page_for: PageFor, theme: str, width: int
) -> None:
    page = page_for(theme=theme, width=width)
    page.context.set_default_timeout(30_000)
    problems = []

    def look(path: str) -> None:
        answer = page.goto(instance.url + path.format(**ids))
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        settle(page)
        save_picture(
            page, f"{path.format(**dict.fromkeys(ids, 'one')).strip('/').replace('/', '-') or 'home'}-{theme}-{width}"
        )
        try:
            assert_accessible(page)
            assert_fits(page)
        except AssertionError as error:
            problems.append(f"{path}: {error}")

    for path in PUBLIC:
        look(path)
    sign_in(page, instance, "owner")
    for path in PAGES:
        look(path)
    assert not problems, "\n\n".join(problems)

"""The report over /v1: overview, recipients, bounces, and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.analytics.reporting import Sent, event, make_sent
from tests.campaigns.making import make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> Sent:
    """Four readers: one opened, one bounced."""
    made = make_sent(4)
    made.happen(
        event(made.rows[0], "opened"),
        event(made.rows[1], "bounced", bounce_type="soft", code="4.2.2", detail="452 4.2.2 mailbox full"),
    )
    return made


@pytest.fixture
def browser(client: Client, sent: Sent) -> Client:
    client.force_login(make_member(sent.workspace))
    return client


def read(browser: Client, sent: Sent, path: str, expected: int = 200) -> dict[str, Any]:
    answer = browser.get(f"/v1/campaigns/{sent.campaign.pk}/{path}")
    assert answer.status_code == expected, answer.content
    return answer.json()


def test_the_report_has_figures_comparisons_delivery_and_parameters(browser: Client, sent: Sent) -> None:
    report = read(browser, sent, "report")
    assert report["figures"]["unique_opens"] == 1
    assert report["utm"] == {"source": "news", "medium": "email"}
    assert report["delivery"]["peak_per_minute"] >= 1
    assert {one["verdict"] for one in report["compared"]} == {"not_enough_data"}


def test_recipients_come_in_pages_with_the_filters_of_the_page(browser: Client, sent: Sent) -> None:
    first = read(browser, sent, "recipients?limit=3")
    assert len(first["results"]) == 3
    rest = browser.get(first["next"]).json()
    assert len(rest["results"]) == 1
    opened = read(browser, sent, "recipients?did=opened")["results"]
    assert [row["email"] for row in opened] == [sent.contacts[0].email]
    assert opened[0]["opened_at"].endswith("Z")
    assert read(browser, sent, "recipients?did=opened&include=count")["count"] == 1
    assert read(browser, sent, "recipients?did=complained")["results"] == []


@pytest.mark.parametrize("query", ["did=nothing", "status=odd", "mailbox=Nobody", "link=x", "cursor=!!"])
def test_a_filter_that_is_no_choice_is_refused(browser: Client, sent: Sent, query: str) -> None:
    assert read(browser, sent, f"recipients?{query}", 400)["status"] == 400


def test_bounces_have_a_reason_and_what_to_do(browser: Client, sent: Sent) -> None:
    found = read(browser, sent, "bounces")["returned"]
    assert [(group["reason"], group["count"], group["hard"]) for group in found] == [("mailbox_full", 1, 0)]
    assert found[0]["advice"]
    assert found[0]["codes"] == {"4.2.2": 1}


def test_why_tells_the_story_and_asks_for_an_address(browser: Client, sent: Sent) -> None:
    story = read(browser, sent, f"why?email={sent.contacts[0].email.upper()}")
    assert story["verdict"] == "delivered"
    assert "Opened by a person" in [step["title"] for step in story["steps"]]
    assert read(browser, sent, "why", 400)["errors"][0]["field"] == "email"


@pytest.mark.parametrize("path", ["report", "recipients", "bounces", "why?email=a@b.example"])
def test_another_workspaces_report_is_not_there(browser: Client, path: str) -> None:
    foreign = make_sent(1, workspace=make_workspace("Rival"))
    read(browser, foreign, path, 404)

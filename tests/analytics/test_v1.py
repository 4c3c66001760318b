"""`/v1` figures: their shapes, their scope, and input that is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Workspace
from accounts.models.membership import Role
from analytics.ingest.consumer import Consumer
from analytics.ingest.store import store
from analytics.models import Event, Goal
from pulsequill.core.event_log import encode
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def api(workspace: Workspace) -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace))
    return client


@pytest.fixture
def mailing(workspace: Workspace) -> Mailing:
    mailing = make_mailing(
        workspace, size=4, variants=2, provider="capture", sent_at=timezone.now() - timedelta(minutes=3)
    )
    first = mailing.messages[0]
    store(
        [
            encode(kind="opened", message_id=first.pk, source="tracking", user_agent=BROWSER),
            encode(
                kind="clicked", message_id=first.pk, source="tracking", user_agent=BROWSER, link_id=mailing.links[0].pk
            ),
        ]
    )
    return mailing


def test_stats_have_counts_rates_and_variants(api: APIClient, mailing: Mailing) -> None:
    stats = api.get(f"/v1/campaigns/{mailing.campaign.pk}/stats").json()
    expected = {
        "recipients": 4, "sent": 4, "queued": 0, "failed": 0, "in_doubt": 0, "skipped": 0, "delivered": 4, "bounced": 0,
        "complained": 0, "unsubscribed": 0, "unique_opens": 1, "unique_clicks": 1, "machine_opens": 0,
        "machine_clicks": 0, "open_rate": 0.25, "click_rate": 0.25, "click_to_open_rate": 1.0,
    }  # fmt: skip
    assert {name: stats[name] for name in expected} == expected
    assert [(v["label"], v["sent"], v["unique_opens"]) for v in stats["variants"]] == [("A", 2, 1), ("B", 2, 0)]


def test_links_timeline_domains_live_and_experiment(api: APIClient, mailing: Mailing) -> None:
    base = f"/v1/campaigns/{mailing.campaign.pk}"
    links = api.get(f"{base}/links").json()["results"]
    assert [(link["url"], link["unique_clicks"], link["share"]) for link in links] == [
        ("https://shop.example/harvest-roast", 1, 1.0),
        ("https://shop.example/subscribe", 0, 0.0),
    ]
    for window, count in (("30m", 30), ("24h", 144)):
        timeline = api.get(f"{base}/timeline?range={window}").json()
        assert len(timeline["points"]) == count
        assert sum(point["sent"] for point in timeline["points"]) == 4
        assert sum(point["human_opens"] for point in timeline["points"]) == 1
    assert sum(p["delivered"] for p in api.get(f"{base}/timeline?range=total").json()["points"]) == 4
    assert api.get(f"{base}/domains").json()["results"][0]["domain"] == "example.com"
    live = api.get(f"{base}/live").json()
    assert live["totals"]["unique_clicks"] == 1
    assert mailing.messages[0].email not in str(live)
    lanes = api.get(f"{base}/experiment").json()["variants"]
    assert (lanes[0]["converted"], lanes[0]["exposed"]) == (1, 2)
    assert lanes[0]["low"] < 0.5 < lanes[0]["high"]


def test_an_unknown_range_is_refused(api: APIClient, mailing: Mailing) -> None:
    answer = api.get(f"/v1/campaigns/{mailing.campaign.pk}/timeline?range=forever")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "range")


@pytest.mark.parametrize("part", ["stats", "links", "timeline", "domains", "live", "experiment"])
def test_another_workspaces_figures_are_not_there(api: APIClient, part: str) -> None:
    foreign = make_mailing(make_workspace("Other")).campaign
    assert api.get(f"/v1/campaigns/{foreign.pk}/{part}").status_code == 404
    assert api.get(f"/v1/campaigns/{uuid4()}/{part}").status_code == 404


def test_a_contacts_events_come_page_by_page(api: APIClient, mailing: Mailing) -> None:
    path = f"/v1/contacts/{mailing.messages[0].contact_id}/events"
    page = api.get(f"{path}?limit=1").json()
    assert [event["kind"] for event in page["results"]] == ["clicked"]
    assert [event["kind"] for event in api.get(page["next"]).json()["results"]] == ["opened"]
    foreign = make_mailing(make_workspace("Other"))
    assert api.get(f"/v1/contacts/{foreign.messages[0].contact_id}/events").status_code == 404


def test_a_reported_goal_becomes_an_event_once(api: APIClient, mailing: Mailing) -> None:
    assert api.post("/v1/goals", {"key": "order", "name": "Order"}).status_code == 201
    assert api.post("/v1/goals", {"key": "order", "name": "Again"}).status_code == 400
    goal = Goal.objects.get()
    for wrong in ([], 7, {"name": ""}):
        assert api.patch(f"/v1/goals/{goal.pk}", wrong, format="json").status_code == 400
    assert api.patch(f"/v1/goals/{goal.pk}", {"name": "Orders"}, format="json").json()["name"] == "Orders"
    body: dict[str, Any] = {
        "goal": "order", "value": 4900, "currency": "GBP", "event_id": "order-1007",
        "message": str(mailing.messages[0].public_id),
    }  # fmt: skip
    for _ in range(2):
        assert api.post("/v1/events", body).status_code == 202
    while Consumer().drain_strays():
        pass
    event = Event.objects.get(kind="converted")
    assert (event.message_id, event.data["goal"], event.data["value"]) == (mailing.messages[0].pk, "order", 4900)


@pytest.mark.parametrize(
    "body",
    [{}, {"goal": "nothing"}, {"goal": "order", "value": "much"}, {"goal": "order", "message": str(uuid4())}, [], 7],
)
def test_a_bad_conversion_is_refused(api: APIClient, workspace: Workspace, body: Any) -> None:
    Goal.objects.create(workspace=workspace, key="order", name="Order")
    assert api.post("/v1/events", body, format="json").status_code == 400


def test_a_kept_report_shows_the_figures_as_they_are_now(api: APIClient, mailing: Mailing) -> None:
    made = api.post(
        "/v1/reports", {"name": "Autumn", "query": {"campaigns": [str(mailing.campaign.pk)]}}, format="json"
    )
    assert made.status_code == 201
    report = api.get(f"/v1/reports/{made.json()['id']}").json()
    assert [(row["name"], row["unique_opens"]) for row in report["rows"]] == [(mailing.campaign.name, 1)]
    foreign = make_mailing(make_workspace("Other")).campaign
    answer = api.post("/v1/reports", {"name": "x", "query": {"campaigns": [str(foreign.pk)]}}, format="json")
    assert answer.status_code == 400
    assert api.patch(f"/v1/reports/{made.json()['id']}", {"name": "Winter"}, format="json").json()["name"] == "Winter"
    assert api.delete(f"/v1/reports/{made.json()['id']}").status_code == 204


def test_an_analyst_reads_and_does_not_write(workspace: Workspace, mailing: Mailing) -> None:
    client = APIClient()
    client.force_login(make_member(workspace, "ana@northwind.example", Role.ANALYST))
    assert client.get(f"/v1/campaigns/{mailing.campaign.pk}/stats").status_code == 200
    assert client.post("/v1/goals", {"key": "order", "name": "Order"}).status_code == 403
    assert client.post("/v1/events", {"goal": "order"}).status_code == 403

"""Reports across campaigns: what they say equals what happened, and what that costs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, Workspace
from analytics.ingest.store import store
from analytics.models import CohortMonth, Facet, FacetCount, Goal, Report
from analytics.reports import facets
from analytics.reports.answering import answer
from analytics.reports.query import ReportQuery, read_query
from analytics.reports.table import money, shade
from audiences.models import Contact, ContactList, Subscription
from campaigns.models import Campaign, Message, Sender
from pulsequill.core.errors import Invalid
from pulsequill.core.event_log import encode
from pulsequill.core.line_chart import lines
from tests.analytics.making import Mailing, make_mailing, make_member, make_workspace

pytestmark = pytest.mark.django_db

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def member(workspace: Workspace) -> User:
    return make_member(workspace)


@pytest.fixture
def browser(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def act(mailing: Mailing, person: int, kind: str, *, hours: float, **data: Any) -> bytes:
    message = mailing.messages[person]
    at = message.sent_at + timedelta(hours=hours)
    link = next(link for link in mailing.links if link.variant_id == message.variant_id)
    return encode(
        kind=kind, message_id=message.pk, source="tracking", occurred_at=at, user_agent=BROWSER,
        link_id=link.pk if kind == "clicked" else None, data=data or None,
    )  # fmt: skip


def make_past(
    workspace: Workspace, days_ago: float, *, size: int = 10, opens: int = 0, clicks: int = 0, name: str = "Past"
) -> Mailing:
    """A campaign whose first people open, and of them the first click, one more hour after sending each."""
    mailing = make_mailing(
        workspace,
        size=size,
        provider="capture",
        campaign_status="sent",
        name=name,
        sent_at=NOW - timedelta(days=days_ago),
    )
    store([
        *(act(mailing, person, "opened", hours=person + 0.5) for person in range(opens)),
        *(act(mailing, person, "clicked", hours=person + 0.6) for person in range(clicks)),
    ])  # fmt: skip
    return mailing


def ask(workspace: Workspace, **given: Any) -> Any:
    return answer(workspace, read_query(given), now=NOW)


def rows_of(found: Any, key: str) -> list[dict[str, Any]]:
    table = found.table(key)
    assert table is not None
    return [{column.key: row.get(column.key) for column in table.columns} for row in table.rows]


def test_a_time_is_compared_with_the_same_time_before(workspace: Workspace) -> None:
    make_past(workspace, 3, size=10, opens=5, clicks=2)
    make_past(workspace, 10, size=20, opens=2, clicks=1)
    make_past(workspace, 40, size=7)
    found = ask(workspace, range="7d")
    figures = {figure.key: figure for figure in found.figures}
    assert (figures["sent"].value, figures["sent"].before) == (10, 20)
    assert (figures["click_rate"].value, figures["click_rate"].before) == (0.2, 0.05)
    assert figures["click_rate"].tone == "up"
    assert [row["name"] for row in rows_of(found, "campaigns")] == ["Past"]
    alone = ask(workspace, range="7d", compare="0")
    assert all(figure.before is None for figure in alone.figures)


def test_days_begin_at_midnight_where_the_workspace_is(workspace: Workspace) -> None:
    workspace.time_zone = "America/Los_Angeles"
    span = ReportQuery(range="custom", start=date(2026, 3, 1), end=date(2026, 3, 8)).span(
        NOW, __import__("zoneinfo").ZoneInfo(workspace.time_zone)
    )
    assert span.start.astimezone(UTC).isoformat() == "2026-03-01T08:00:00+00:00"
    assert span.end.astimezone(UTC).isoformat() == "2026-03-09T07:00:00+00:00"  # clocks went forward on the 8th
    assert str(span) == "1 March to 8 March 2026"


def test_lists_count_whom_the_mail_reached_through_them(workspace: Workspace) -> None:
    mailing = make_past(workspace, 2, size=4, opens=2)
    club, shop = (ContactList.objects.create(workspace=workspace, name=name) for name in ("Club", "Shop"))
    other = ContactList.objects.create(workspace=workspace, name="Not chosen")
    mailing.campaign.lists.set([club, shop])
    for place, numbers in ((club, (0, 1, 2)), (shop, (0,)), (other, (0, 1, 2, 3))):
        for number in numbers:
            Subscription.objects.create(workspace=workspace, contact=mailing.messages[number].contact, list=place)
    facets.count_due(now=NOW)
    assert [(row["name"], row["sent"], row["open_rate"]) for row in rows_of(ask(workspace), "lists")] == [
        ("Club", 3, round(2 / 3, 6)), ("Shop", 1, 1.0), ("No list, by segment only", 1, 0.0),
    ]  # fmt: skip


def test_hours_are_those_of_the_workspaces_clock(workspace: Workspace) -> None:
    workspace.time_zone = "Asia/Tokyo"
    workspace.save()
    make_past(workspace, 0.75, size=4, opens=1)  # 18:00 UTC on a Tuesday is 03:00 of Wednesday
    facets.count_due(now=NOW)
    found = ask(workspace)
    assert [(row["name"], row["sent"], row["open_rate"]) for row in rows_of(found, "weekdays")] == [
        ("Wednesday", 4, 0.25)
    ]
    assert [row["name"] for row in rows_of(found, "hours")] == ["03:00"]


def test_sender_domains_are_those_of_the_variants(workspace: Workspace) -> None:
    mailing = make_mailing(workspace, size=4, variants=2, provider="capture", sent_at=NOW - timedelta(days=1))
    shared, own = (
        Sender.objects.create(workspace=workspace, from_name="N", from_email=f"hello@{domain}")
        for domain in ("northwind.example", "news.northwind.example")
    )
    Campaign.objects.filter(pk=mailing.campaign.pk).update(sender=shared)
    mailing.variants[1].sender = own
    mailing.variants[1].save()
    assert [(row["name"], row["sent"]) for row in rows_of(ask(workspace), "sender_domains")] == [
        ("news.northwind.example", 2), ("northwind.example", 2),
    ]  # fmt: skip


def test_goals_and_revenue_stand_beside_each_campaign(workspace: Workspace) -> None:
    mailing = make_past(workspace, 2, size=4, clicks=1)
    goal = Goal.objects.create(workspace=workspace, key="order", name="Orders")
    store([
        act(mailing, 0, "converted", hours=5, goal="order", value=4900, currency="GBP"),
        act(mailing, 1, "converted", hours=5, goal="order", value=100, currency="EUR"),
        encode(kind="converted", message_id=None, source="api", occurred_at=NOW, workspace_id=workspace.pk,
               data={"goal": "order", "value": 5, "currency": "GBP"}),
    ])  # fmt: skip
    found = ask(workspace)
    (row,) = rows_of(found, "campaigns")
    assert (row["reached"], dict(row["revenue"])) == (2, {"GBP": 4900, "EUR": 100})
    (told,) = rows_of(found, "goals")
    assert (told["name"], told["reached"], told["times"], told["owed"]) == (goal.name, 2, 3, 2)
    assert dict(told["all_revenue"]) == {"GBP": 4905, "EUR": 100}
    assert next(figure for figure in found.figures if figure.key == "revenue").text == "EUR 1.00 · GBP 49.00"


@pytest.mark.parametrize(
    ("amounts", "words"),
    [({"GBP": 123450}, "GBP 1,234.50"), ({"JPY": 500}, "JPY 500"), ({"KWD": 1500}, "KWD 1.500"),
     ({"EUR": -100, "": 7}, "EUR -1.00"), ({}, "")],
)  # fmt: skip
def test_money_is_said_in_the_units_of_its_currency(amounts: dict[str, int], words: str) -> None:
    assert money(amounts) == words


def test_campaigns_are_laid_side_by_side_from_their_launch(workspace: Workspace) -> None:
    first = make_past(workspace, 30, size=10, opens=3, clicks=2, name="First")
    second = make_past(workspace, 5, size=20, opens=1, clicks=1, name="Second")
    found = ask(workspace, kind="comparison", campaigns=[str(second.campaign.pk), str(first.campaign.pk)])
    rows = rows_of(found, "comparison")
    assert [(row["name"], row["click_rate"]) for row in rows] == [("Second", 0.05), ("First", 0.2)]
    assert rows[0]["low"] < 0.05 < rows[0]["high"]
    by_hour = {row["after"]: row for row in rows_of(found, "clicks_by_hour")}
    assert (by_hour[1]["c0"], by_hour[1]["c1"], by_hour[72]["c1"]) == (0.05, 0.1, 0.2)
    assert len(found.charts) == 2


def test_the_curve_of_a_young_campaign_ends_now(workspace: Workspace) -> None:
    make_past(workspace, 2 / 24, size=10, opens=3, clicks=2, name="Young")
    found = ask(workspace, kind="comparison")
    by_hour = {row["after"]: row["c0"] for row in rows_of(found, "clicks_by_hour")}
    assert (by_hour[3], by_hour[6], by_hour[72]) == (0.2, None, None)
    assert found.charts[0].chart.paths[0].split("L")[-1].startswith("25.0 "), "3 of the axis's 72 hours, 600 wide"


def test_a_comparison_cannot_show_another_workspaces_campaign(workspace: Workspace) -> None:
    own, foreign = make_past(workspace, 3, name="Own"), make_past(make_workspace("Other"), 3, name="Foreign")
    found = ask(workspace, kind="comparison", campaigns=[str(own.campaign.pk), str(foreign.campaign.pk)])
    assert [row["name"] for row in rows_of(found, "comparison")] == ["Own"]


def test_cohorts_show_who_of_a_months_new_contacts_is_still_active(workspace: Workspace) -> None:
    mailing = make_past(workspace, 2, size=4, opens=3, clicks=1)
    joined = [datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]
    for message, at in zip(mailing.messages, [*joined, joined[0]], strict=True):
        Contact.objects.filter(pk=message.contact_id).update(created_at=at)
    facets.count_due(now=NOW)
    cache.clear()
    answer = ask(workspace, kind="cohorts")
    assert list(answer.charts[0].axis) == ["0", "1", "2"], "the axis ends where the oldest of the lines does"
    active = {row["name"]: row for row in rows_of(answer, "active")}
    january, march = active["January 2026"], active["March 2026"]
    assert (january["contacts"], january["m0"], january["m2"], january["m3"]) == (3, 0.0, round(2 / 3, 6), None)
    assert (march["contacts"], march["m0"]) == (1, 1.0)
    clicked = {row["name"]: row for row in rows_of(ask(workspace, kind="cohorts"), "clicked")}
    assert (clicked["January 2026"]["m2"], clicked["March 2026"]["m0"]) == (round(1 / 3, 6), 0.0)


def test_engagement_tells_how_soon_people_act_and_how_long_others_are_silent(workspace: Workspace) -> None:
    mailing = make_past(workspace, 3, size=5, opens=4, clicks=1)
    Contact.objects.filter(pk=mailing.messages[0].contact_id).update(last_opened_at=NOW - timedelta(days=200))
    Contact.objects.filter(pk=mailing.messages[0].contact_id).update(last_clicked_at=None)
    facets.count_due(now=NOW)
    cache.clear()
    found = ask(workspace, kind="engagement")
    by_hours = {row["name"]: row for row in rows_of(found, "by_hours")}
    assert (by_hours["1 h"]["opens"], by_hours["2 h"]["opened"], by_hours["4 h"]["opened"]) == (1, 0.5, 1.0)
    assert by_hours["1 h"]["clicked"] == 1.0
    last = {row["name"]: row["contacts"] for row in rows_of(found, "last_active")}
    assert (last["In the last 7 days"], last["181 days to a year ago"], last["Never"]) == (3, 1, 1)


def test_facets_are_counted_again_ever_more_seldom_and_at_last_no_more(workspace: Workspace) -> None:
    young, old = make_past(workspace, 1, opens=1), make_past(workspace, 100, opens=1)
    assert facets.count_due(now=NOW) >= 2
    again = FacetCount.objects.get(campaign=young.campaign).next_at
    assert again is not None
    assert timedelta(minutes=60) < again - NOW < timedelta(minutes=90)
    assert FacetCount.objects.get(campaign=old.campaign).next_at is None
    assert facets.list_due_campaigns(NOW + timedelta(minutes=59)) == []
    before = list(Facet.objects.order_by("campaign_id", "dimension", "value").values_list("dimension", "value", "sent"))
    store([act(young, 5, "opened", hours=20)])
    assert facets.list_due_campaigns(again) == [young.campaign.pk]
    facets.count_due(now=again)
    after = list(Facet.objects.order_by("campaign_id", "dimension", "value").values_list("dimension", "value", "sent"))
    assert len(after) == len(before) + 1
    assert CohortMonth.objects.filter(workspace=workspace).exists()


def test_months_that_are_over_are_not_counted_again(workspace: Workspace) -> None:
    make_past(workspace, 60)
    facets.count_due(now=NOW)
    assert {month for _, month in facets.list_due_cohorts(NOW)} == set()
    assert {month for _, month in facets.list_due_cohorts(NOW + timedelta(hours=2))} <= {
        date(2026, 2, 1),
        date(2026, 3, 1),
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [({"kind": "x"}, "kind"), ({"range": "1y"}, "range"), ({"range": "custom"}, "from"),
     ({"range": "custom", "from": "2026-02-01", "to": "2026-01-01"}, "to"),
     ({"range": "custom", "from": "1000-01-01", "to": "2026-01-01"}, "from"),
     ({"range": "custom", "from": "2010-01-01", "to": "2026-01-01"}, "to"), ({"campaigns": ["7"]}, "campaigns")],
)  # fmt: skip
def test_a_question_that_is_not_possible_names_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_query(given)
    assert refused.value.errors[0].field == field


def test_a_question_is_the_same_after_it_was_kept() -> None:
    for given in (
        {"kind": "overview", "range": "90d", "compare": False},
        {"kind": "engagement", "range": "custom", "from": "2026-01-01", "to": "2026-02-01"},
        {"kind": "comparison", "campaigns": ["01890a5d-ac96-774b-bcce-b302099a8057"]},
    ):
        assert read_query(read_query(given).stored()) == read_query(given)


def test_lines_share_one_scale_and_shorter_ones_end_early() -> None:
    chart = lines([[0, 0.5, 1], [0.25]])
    assert chart.top == 1
    assert chart.paths == ["M0.0 200.0L300.0 100.0L600.0 0.0", "M0.0 150.0L0.0 150.0"]
    assert lines([]).paths == []
    assert [shade(share) for share in (None, 0.0, 0.05, 0.25, 0.9)] == ["", "0", "0", "2", "5"]


def test_every_table_is_a_file_for_people_and_for_programs(browser: Client, workspace: Workspace) -> None:
    mailing = make_mailing(workspace, size=3, provider="capture", sent_at=timezone.now(), name="=cmd()")
    lines_of = browser.get("/reports/overview/file?table=campaigns&as=csv")
    assert lines_of.streaming
    header, row = csv.reader(io.StringIO(b"".join(lines_of.streaming_content).decode()))
    assert (header[0], row[0], row[2]) == ("Campaign", "'=cmd()", "3")
    told = json.loads(b"".join(browser.get("/reports/overview/file?table=campaigns&as=json").streaming_content))
    assert (told["rows"][0]["name"], told["rows"][0]["sent"]) == (mailing.campaign.name, 3)
    assert browser.get("/reports/nothing/file").status_code == 404
    for wrong in ("table=x", "as=xml", "range=custom"):
        assert browser.get(f"/reports/overview/file?{wrong}").status_code in (302, 400)


PAGES = ("/reports", "/reports/compare", "/reports/cohorts", "/reports/engagement")


def test_a_report_costs_the_same_for_one_campaign_and_for_many(browser: Client, workspace: Workspace) -> None:
    Goal.objects.create(workspace=workspace, key="order", name="Orders")
    costs: dict[str, list[int]] = {page: [] for page in PAGES}
    for _ in range(2):
        for number in range(6):
            make_mailing(workspace, size=2, provider="capture", sent_at=timezone.now(), name=f"Sent {number}")
        facets.count_due(now=timezone.now())
        for page in PAGES:
            browser.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(page).status_code == 200
            costs[page].append(len(queries))
            assert len(queries) <= 24, page
    assert all(few == many for few, many in costs.values()), costs


def test_pages_of_an_empty_workspace_say_what_will_be_there(browser: Client) -> None:
    for page in PAGES:
        text = browser.get(page).content.decode()
        assert "yet" in text, page
        assert "data-missing-icon" not in text, page
    assert "No goal yet" in browser.get("/reports/goals").content.decode()
    assert "No report is kept" in browser.get("/reports/kept").content.decode()


def test_a_question_that_is_not_possible_shows_the_usual_report_and_says_why(browser: Client) -> None:
    assert "A day is written YYYY-MM-DD" in browser.get("/reports?range=custom&from=x").content.decode()
    one = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert "Choose 2 to 5 campaigns" in browser.get(f"/reports/compare?campaign={one}").content.decode()


def test_goals_are_added_changed_and_removed_on_their_page(browser: Client, workspace: Workspace) -> None:
    fields = {"name": "Orders", "key": "order", "link_prefix": "https://shop.example/thanks", "window_days": "14"}
    assert browser.post("/reports/goals/new", {**fields, "link_prefix": "nonsense"}).status_code == 400
    assert browser.post("/reports/goals/new", fields).status_code == 302
    assert browser.post("/reports/goals/new", fields).status_code == 400  # the key is taken
    goal = Goal.objects.get()
    assert (goal.link_prefix, goal.window_days) == ("https://shop.example/thanks", 14)
    page = browser.get("/reports/goals").content.decode()
    assert "Orders" in page
    assert "/v1/events" in page
    browser.post(f"/reports/goals/{goal.pk}", {"name": "Sales", "link_prefix": "", "window_days": "3"})
    goal.refresh_from_db()
    assert (goal.name, goal.key, goal.link_prefix, goal.window_days) == ("Sales", "order", "", 3)
    browser.post(f"/reports/goals/{goal.pk}/delete")
    assert not Goal.objects.exists()


def test_an_analyst_looks_and_does_not_change(client: Client, workspace: Workspace) -> None:
    client.force_login(make_member(workspace, "ana@northwind.example", "analyst"))
    report = Report.objects.create(workspace=workspace, name="Kept", query={"kind": "overview"})
    for page in (*PAGES, "/reports/goals", "/reports/kept", f"/reports/kept/{report.pk}"):
        assert client.get(page).status_code == 200
    for page in ("/reports/goals/new", f"/reports/kept/{report.pk}/mail"):
        assert client.get(page).status_code == 403
    for page in ("keep", f"kept/{report.pk}/share", f"kept/{report.pk}/delete"):
        assert client.post(f"/reports/{page}").status_code == 403
    assert Message.objects.count() == 0

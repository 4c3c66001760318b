"""The report of one campaign, tab by tab, without a browser."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models.membership import Role
from analytics.models import Breakdown, Conversion, ConversionStats, Goal
from audiences.models import Segment
from audiences.selectors import preview_segment
from campaigns.models import Campaign, Message, VariantVersion
from tests.analytics.making import make_mailing, make_member, make_workspace
from tests.analytics.reporting import Sent, event, make_sent

pytestmark = pytest.mark.django_db

TABS = ("", "/links", "/recipients", "/bounces", "/content", "/variants", "/why", "/why?email=reader0@gmail.com")
FILES = (".csv", ".json", "/recipients.csv", "/recipients.json", "/links/map", "/content/frame")


@pytest.fixture
def sent() -> Sent:
    """Six readers: one clicked, two opened, one was opened by a machine, one bounced, one reported it."""
    made = make_sent(6)
    first, second, third, fourth, fifth, _ = made.rows
    beans, reserve, _ = made.links()
    made.happen(
        event(first, "opened"),
        event(first, "clicked", link=beans),
        event(first, "clicked", link=reserve),
        event(second, "opened"),
        event(third, "opened", agent="Mozilla/5.0"),
        event(fourth, "bounced", bounce_type="hard", code="5.1.1", detail="550 5.1.1 No such user here"),
        event(fifth, "complained"),
    )
    return made


@pytest.fixture
def browser(client: Client, sent: Sent) -> Client:
    client.force_login(make_member(sent.workspace))
    return client


def page_of(browser: Client, sent: Sent, path: str = "") -> str:
    answer = browser.get(f"/campaigns/{sent.campaign.pk}/report{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def body_of(answer: Any) -> str:
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


@pytest.mark.parametrize("path", TABS)
def test_every_tab_is_an_address_of_its_own_and_marks_itself(browser: Client, sent: Sent, path: str) -> None:
    page = page_of(browser, sent, path)
    assert page.count('aria-current="page"') >= 1
    assert "data-missing-icon" not in page


@pytest.mark.parametrize("path", TABS)
def test_a_draft_has_a_report_that_says_that_nothing_has_left(browser: Client, sent: Sent, path: str) -> None:
    draft = Campaign.objects.create(workspace=sent.workspace, name="Not yet")
    answer = browser.get(f"/campaigns/{draft.pk}/report{path}")
    assert answer.status_code == 200
    assert "has not left yet" in answer.content.decode()


def test_the_overview_shows_people_first_and_machines_on_request(browser: Client, sent: Sent) -> None:
    assert "Opened, human" in page_of(browser, sent)
    assert "Not enough data to compare" in page_of(browser, sent)
    machine = page_of(browser, sent, "?show=machine")
    assert "Opened, machine" in machine
    assert "utm_source" in machine


def test_goals_are_shown_once_there_are_any(browser: Client, sent: Sent) -> None:
    assert "h-goals" not in page_of(browser, sent)
    goal = Goal.objects.create(workspace=sent.workspace, key="order", name="Order placed")
    variant = sent.campaign.variants.get()
    ConversionStats.objects.create(
        campaign=sent.campaign, variant=variant, goal=goal, currency="EUR", messages=1, times=2, value=123456
    )
    page = page_of(browser, sent)
    assert "Order placed" in page
    assert "1,234.56 EUR" in page


def test_a_campaign_far_above_the_average_is_called_so(client: Client) -> None:
    workspace = make_workspace()
    client.force_login(make_member(workspace))
    for number in range(3):
        make_mailing(workspace, size=60, provider="capture", campaign_status="sent", name=f"Earlier {number}")
    best = make_mailing(
        workspace, size=60, provider="capture", campaign_status="sent", name="Best", sent_at=timezone.now()
    )
    from analytics.ingest.store import store

    store([event(row, "opened") for row in best.messages[:40]])
    page = client.get(f"/campaigns/{best.campaign.pk}/report").content.decode()
    assert "the average of your last 3 campaigns" in page
    assert "above 0 %" in page


def test_files_of_the_overview_hold_the_same_figures(browser: Client, sent: Sent) -> None:
    rows = list(csv.DictReader(io.StringIO(body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report.csv")))))
    assert rows[0]["unique_opens"] == "2"
    report = json.loads(body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report.json")))
    assert report["figures"]["unique_clicks"] == 1
    assert [link["unique_clicks"] for link in report["links"]] == [1, 1, 0]


def test_links_are_counted_and_marked_in_the_mail_without_scripts(browser: Client, sent: Sent) -> None:
    page = page_of(browser, sent, "/links")
    assert "/beans" in page
    assert 'sandbox=""' in page
    answer = browser.get(f"/campaigns/{sent.campaign.pk}/report/links/map?variant=A")
    mail = answer.content.decode()
    assert mail.count("· 50 %") == 2
    assert "3 · 0 %" in mail
    assert "shop.example.io" not in mail, "links of a click map lead nowhere"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_a_badge_is_never_put_into_outlooks_own_markup() -> None:
    from campaigns.content.sent import Mark, with_marks

    source = '<!--[if mso]><a href="{{{pq_link_0}}}">x</a><![endif]--><a class="b" href="{{{pq_link_0}}}">y</a>'
    marked = with_marks(source, {0: Mark("1 · 9 %", 4)})
    assert marked.startswith('<!--[if mso]><a href="{{{pq_link_0}}}">x</a><![endif]-->')
    assert marked.count("1 · 9 %") == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("did=opened", {0, 1}),
        ("did=not_opened", {2, 3, 4, 5}),
        ("did=clicked", {0}),
        ("did=opened_not_clicked", {1}),
        ("did=machine_only", {2}),
        ("did=bounced", {3}),
        ("did=complained", {4}),
        ("did=unsubscribed", set()),
        ("did=converted", {5}),
        ("did=not_mailed", set()),
        ("status=sent&mailbox=Gmail", {0, 3}),
        ("mailbox=Other", {2, 5}),
        ("q=reader4", {4}),
        ("variant=B", set()),
        ("did=nonsense&status=nonsense&link=x&mailbox=y", {0, 1, 2, 3, 4, 5}),
    ],
)
def test_recipients_are_filtered_by_what_they_did(browser: Client, sent: Sent, query: str, expected: set[int]) -> None:
    goal = Goal.objects.create(workspace=sent.workspace, key="order", name="Order placed")
    Conversion.objects.create(
        workspace=sent.workspace, goal=goal, campaign=sent.campaign, message=sent.rows[5], first_at=timezone.now()
    )
    page = page_of(browser, sent, f"/recipients?{query}")
    shown = {number for number, contact in enumerate(sent.contacts) if f">{contact.email}<" in page}
    assert shown == expected
    file = body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report/recipients.csv?{query}"))
    assert {n for n, contact in enumerate(sent.contacts) if contact.email in file} == expected
    listed = json.loads(body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report/recipients.json?{query}")))
    assert {row["email"] for row in listed["results"]} == {sent.contacts[number].email for number in expected}


def test_recipients_who_clicked_one_link_are_found_by_it(browser: Client, sent: Sent) -> None:
    beans, _, guide = sent.links()
    assert sent.contacts[0].email in page_of(browser, sent, f"/recipients?link={beans.pk}")
    assert "Nobody fits" in page_of(browser, sent, f"/recipients?link={guide.pk}")


def test_a_recipient_cannot_smuggle_a_formula_into_the_file(browser: Client, sent: Sent) -> None:
    Message.objects.filter(pk=sent.rows[0].pk).update(email="=HYPERLINK(1)@gmail.com")
    file = body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report/recipients.csv"))
    assert "'=HYPERLINK(1)@gmail.com" in file


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"did": "opened"}, {0, 1}),
        ({"did": "not_opened"}, {2, 3, 4, 5}),
        ({"did": "opened_not_clicked"}, {1}),
        ({"did": "bounced"}, {3}),
        ({"did": "complained"}, {4}),
        ({"did": "not_opened", "mailbox": "Gmail"}, {3}),
        ({"mailbox": "Other"}, {2, 5}),
        ({"q": "reader1"}, {1}),
    ],
)
def test_a_filter_kept_as_a_segment_holds_the_same_people(
    browser: Client, sent: Sent, query: dict[str, str], expected: set[int]
) -> None:
    answer = browser.post(
        f"/campaigns/{sent.campaign.pk}/report/recipients/segment", {**query, "name": "Kept"}, follow=True
    )
    assert "Saved as the segment" in answer.content.decode()
    segment = Segment.objects.get(workspace=sent.workspace, name="Kept")
    _, people = preview_segment(segment.rules, workspace_id=sent.workspace.pk)
    assert {one.pk for one in people} == {sent.contacts[number].pk for number in expected}


def test_a_filter_that_no_segment_can_ask_is_refused_in_words(browser: Client, sent: Sent) -> None:
    page = page_of(browser, sent, "/recipients?variant=A")
    assert "A segment cannot ask for the variant" in page
    answer = browser.post(
        f"/campaigns/{sent.campaign.pk}/report/recipients/segment", {"variant": "A", "name": "Kept"}, follow=True
    )
    assert "cannot ask for the variant" in answer.content.decode()
    assert not Segment.objects.filter(workspace=sent.workspace).exists()


def test_an_analyst_reads_everything_and_saves_nothing(client: Client, sent: Sent) -> None:
    client.force_login(make_member(sent.workspace, "ana@northwind.example", Role.ANALYST))
    for path in TABS:
        page_of(client, sent, path)
    assert "Save as segment" not in page_of(client, sent, "/recipients")
    answer = client.post(f"/campaigns/{sent.campaign.pk}/report/recipients/segment", {"name": "x"})
    assert answer.status_code == 403


def test_bounces_say_why_in_plain_language_and_what_to_do(browser: Client, sent: Sent) -> None:
    page = page_of(browser, sent, "/bounces")
    for text in ("There is no such mailbox", "the address is suppressed", "No such user here", "5.1.1", "Hard"):
        assert text in page
    assert sent.contacts[3].email in page


def test_what_was_sent_is_shown_as_it_was_frozen(browser: Client, sent: Sent) -> None:
    page = page_of(browser, sent, "/content?view=text")
    variant = sent.campaign.variants.get()
    assert variant.content_hash in page
    assert "Reserve a bag" in page
    frame = browser.get(f"/campaigns/{sent.campaign.pk}/report/content/frame?variant=A").content.decode()
    assert "https://shop.example.io/reserve?utm_source=news" in frame
    assert "pq_link" not in frame


def test_the_content_stays_what_was_sent_when_the_variant_is_changed(browser: Client, sent: Sent) -> None:
    sent.campaign.variants.update(body=[{"type": "heading", "text": "Something else", "level": 1}])
    frame = browser.get(f"/campaigns/{sent.campaign.pk}/report/content/frame?variant=A").content.decode()
    assert "The harvest is here" in frame


def test_two_variants_stand_side_by_side(client: Client) -> None:
    made = make_sent(8, variants=2)
    client.force_login(make_member(made.workspace))
    page = page_of(client, made, "/variants")
    assert "Beans 0" in page
    assert "Beans 1" in page


@pytest.mark.parametrize(
    "path", [*TABS, ".csv", ".json", "/recipients.csv", "/recipients.json", "/links/map", "/content/frame"]
)
def test_the_report_of_another_workspace_is_not_there(browser: Client, path: str) -> None:
    foreign = make_mailing(make_workspace("Other")).campaign
    assert browser.get(f"/campaigns/{foreign.pk}/report{path}").status_code == 404


def test_files_read_a_bounded_part_of_the_ledger_at_a_time_and_never_the_mail(
    browser: Client, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.reports.campaign_people.ROWS_PER_READ", 2)
    for kind in ("csv", "json"):
        with CaptureQueriesContext(connection) as queries:
            file = body_of(browser.get(f"/campaigns/{sent.campaign.pk}/report/recipients.{kind}"))
        assert all(contact.email in file for contact in sent.contacts)
        reads = [query["sql"] for query in queries if 'FROM "campaigns_message"' in query["sql"]]
        assert len(reads) == 4, "two rows a read, and one read that finds nothing more"
        assert not any("compiled_html" in sql for sql in reads)
        if kind == "json":
            assert len(json.loads(file)["results"]) == 6


@pytest.mark.parametrize("path", TABS)
def test_a_tab_costs_the_same_for_six_recipients_and_for_thirty(browser: Client, sent: Sent, path: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(browser, sent, path)
        return len(queries)

    page_of(browser, sent, path)
    few = cost()
    more = make_sent(24, workspace=sent.workspace, name="More", who="friend")
    Message.objects.filter(campaign=more.campaign).update(campaign=sent.campaign, variant=sent.rows[0].variant)
    assert cost() <= few <= 30


def test_the_overview_says_what_people_read_with_and_where_if_that_is_known(browser: Client, sent: Sent) -> None:
    page = page_of(browser, sent)
    assert "How they read" in page and 'data-value="countries" hidden' in page
    Breakdown.objects.create(
        campaign=sent.campaign, dimension=Breakdown.Dimension.COUNTRY, value="GB", opens=3, clicks=1
    )
    page = page_of(browser, sent, "?read=countries")
    assert 'data-value="countries" aria-current="true"' in page
    assert '<b class="cut">GB</b><span>4</span>' in page


def test_the_content_leads_to_the_versions_that_it_came_from(browser: Client, sent: Sent) -> None:
    variant = sent.campaign.variants.get(label="A")
    VariantVersion.objects.create(
        workspace=sent.workspace, variant=variant, number=3, note="Adopted a draft", subject=variant.subject
    )
    page = page_of(browser, sent, "/content")
    assert "How it came to be" in page and "Adopted a draft" in page
    address = f"/campaigns/{sent.campaign.pk}/versions/3/frame?variant=A"
    assert f'href="{address}" target="mail"' in page
    assert browser.get(address).status_code == 200

"""Reports that are kept: mailed once a slot, shared by a link that ends, asked over `/v1`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Membership, Notification, User, Workspace
from analytics.models import Report, ReportMail, ReportRecipient, ReportSchedule, ReportShare
from analytics.reports import calendar
from analytics.services import open_share, schedule_report, share_report, stop_mails
from analytics.tasks import mail_reports
from analytics.tokens import stop_token
from audiences.models import Contact
from audiences.services import erase_contact
from campaigns.delivery.providers.smtp import Server, SmtpProvider
from pulsequill.core.errors import Invalid, NotFound
from pulsequill.core.signing import sha256
from tests.analytics.making import make_mailing, make_member, make_workspace
from tests.fakes import smtp_server as smtp_fake
from tests.fakes.smtp_server import Sink, smtp_server

pytestmark = pytest.mark.django_db

#: A Sunday; the next Monday eight o'clock in Berlin is 07:00 UTC of the day after.
SUNDAY = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
MONDAY_EIGHT = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace()
    workspace.time_zone = "Europe/Berlin"
    workspace.save()
    return workspace


@pytest.fixture
def member(workspace: Workspace) -> User:
    return make_member(workspace)


@pytest.fixture
def report(workspace: Workspace, member: User) -> Report:
    make_mailing(workspace, size=3, provider="capture", sent_at=SUNDAY - timedelta(days=1), name="Autumn letter")
    return Report.objects.create(workspace=workspace, name="Monday figures", query={"kind": "overview", "range": "7d"})


@pytest.fixture
def schedule(report: Report, member: User) -> ReportSchedule:
    return make_schedule(report, members=[member.pk], emails=["Board@Northwind.example"])


def make_schedule(report: Report, **changes: Any) -> ReportSchedule:
    with time_machine.travel(SUNDAY, tick=False):
        return schedule_report(report=report, actor=None, **{"crontab": "0 8 * * 1", **changes})


def beat(now: datetime) -> list[str]:
    before = len(mail.outbox)
    with time_machine.travel(now, tick=False):
        mail_reports()
    return [one.to[0] for one in mail.outbox[before:]]


def test_a_report_goes_out_at_its_time_once_to_everybody(schedule: ReportSchedule, member: User) -> None:
    assert schedule.next_run_at == MONDAY_EIGHT
    assert beat(MONDAY_EIGHT - timedelta(seconds=1)) == []
    assert sorted(beat(MONDAY_EIGHT)) == ["board@northwind.example", member.email]
    assert beat(MONDAY_EIGHT + timedelta(minutes=1)) == []
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_EIGHT + timedelta(days=7)
    sent = next(one for one in mail.outbox if one.to == ["board@northwind.example"])
    html = sent.alternatives[0][0]
    for text in ("Monday figures", "Autumn letter", "By campaign", "/r/stop/"):
        assert text in html
        assert text in sent.body or text == "Monday figures"
    assert "/reports/kept/" not in html  # they have no account
    assert "/r/stop/" in sent.extra_headers["List-Unsubscribe"]


def test_missed_slots_are_made_up_for_once(schedule: ReportSchedule) -> None:
    assert len(beat(MONDAY_EIGHT + timedelta(days=15))) == 2
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_EIGHT + timedelta(days=21)


def test_whoever_stops_it_gets_no_more_whoever_lists_them_again(
    schedule: ReportSchedule, report: Report, member: User, client: Client
) -> None:
    board = ReportRecipient.objects.get(email="board@northwind.example")
    address = f"/r/stop/{stop_token(board.pk)}"
    assert "Stop this report?" in client.get(address).content.decode()
    client.head(address)
    board.refresh_from_db()
    assert board.stopped_at is None  # looking never acts
    answer = client.post(address, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "You get it no more" in answer.content.decode()) == (200, True)
    assert not answer.cookies
    make_schedule(report, members=[member.pk], emails=["board@northwind.example"])
    assert beat(MONDAY_EIGHT) == [member.email]
    for wrong in ("x", stop_token(board.pk)[:-2], stop_token(report.pk)):
        assert client.get(f"/r/stop/{wrong}").status_code == 404
        assert client.post(f"/r/stop/{wrong}").status_code == 404


def test_who_left_the_workspace_or_stopped_since_gets_nothing(schedule: ReportSchedule, member: User) -> None:
    with time_machine.travel(MONDAY_EIGHT, tick=False):
        calendar.run_due(now=MONDAY_EIGHT)
        Membership.objects.filter(user=member).delete()
        stop_mails(recipient_id=ReportRecipient.objects.get(user=None).pk)
        calendar.send_written(now=MONDAY_EIGHT)
    assert mail.outbox == []
    assert set(ReportMail.objects.values_list("status", "reason")) == {
        ("failed", "They left the workspace."), ("failed", "They asked for no more."),
    }  # fmt: skip


def test_a_mail_whose_process_died_is_never_sent_twice(schedule: ReportSchedule) -> None:
    class Dies(BaseException):
        pass

    with mock.patch.object(calendar.mail, "send", side_effect=Dies), pytest.raises(Dies):
        beat(MONDAY_EIGHT)
    assert ReportMail.objects.filter(status="sending").count() == 1
    assert len(beat(MONDAY_EIGHT + timedelta(minutes=1))) == 1  # the other one
    ReportMail.objects.filter(status="sending").update(created_at=MONDAY_EIGHT)
    assert beat(MONDAY_EIGHT + timedelta(hours=2)) == []
    assert ReportMail.objects.get(status="failed").reason.endswith("is not sent again.")


def test_a_refused_mail_does_not_keep_the_others_waiting(schedule: ReportSchedule) -> None:
    real, calls = calendar.mail.send, []

    def refuses_first(**kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError("the provider is away")
        real(**kwargs)

    with mock.patch.object(calendar.mail, "send", refuses_first):
        assert len(beat(MONDAY_EIGHT)) == 1
    assert "the provider is away" in ReportMail.objects.get(status="failed").reason


@pytest.fixture
def sink(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """A mail server of our own, through which the installation sends."""
    settings.EMAIL_BACKEND = "campaigns.delivery.system_mail.EmailBackend"
    with smtp_server() as (sink, port):
        provider = SmtpProvider([Server("127.0.0.1", port, security="auto")], timeout_s=5)
        monkeypatch.setattr("campaigns.delivery.system_mail.get_provider", lambda: provider)
        yield sink
        provider.close()


def test_a_refused_mail_is_tried_again_until_the_server_takes_it_and_then_no_more(
    report: Report, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_schedule(report, members=[], emails=["later@northwind.example", "board@northwind.example"])
    beat(MONDAY_EIGHT)
    assert sink.addresses == ["board@northwind.example"]
    beat(MONDAY_EIGHT + timedelta(minutes=1))
    beat(MONDAY_EIGHT + timedelta(minutes=6))
    waiting = ReportMail.objects.get(status="queued")
    assert waiting.refusals == 2
    assert waiting.retry_at == MONDAY_EIGHT + timedelta(minutes=36)
    monkeypatch.delitem(smtp_fake._DATA, "later")
    for minutes in (7, 36, 37, 600):
        beat(MONDAY_EIGHT + timedelta(minutes=minutes))
    assert sink.addresses == ["board@northwind.example", "later@northwind.example"]
    assert not Notification.objects.for_workspace(report.workspace).exists()


def test_a_mail_that_is_refused_again_and_again_is_given_up_and_told_once(report: Report, sink: Sink) -> None:
    make_schedule(report, members=[], emails=["later@northwind.example", "gone@northwind.example"])
    for hours in range(30):
        beat(MONDAY_EIGHT + timedelta(hours=hours))
    assert sink.addresses == []
    assert set(ReportMail.objects.values_list("status", "refusals")) == {("failed", 4)}
    told = Notification.objects.for_workspace(report.workspace).get()
    assert "could not be mailed to 2 people" in told.body
    assert told.url == f"/reports/kept/{report.pk}"


def test_a_mail_that_may_have_arrived_is_not_sent_again_and_its_owner_is_told(report: Report, sink: Sink) -> None:
    make_schedule(report, members=[], emails=["drop@northwind.example"])
    for hours in range(30):
        beat(MONDAY_EIGHT + timedelta(hours=hours))
    assert sink.addresses == ["drop@northwind.example"]
    assert ReportMail.objects.get().status == "failed"
    assert "drop@northwind.example" in Notification.objects.for_workspace(report.workspace).get().body


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_mail_once(schedule: ReportSchedule) -> None:
    def one() -> int:
        try:
            return calendar.run_due(now=MONDAY_EIGHT) + calendar.send_written(now=MONDAY_EIGHT)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: one(), range(4)))
    assert ReportMail.objects.count() == 2
    assert len(mail.outbox) == 2


def test_a_workspace_that_moves_takes_its_clock_along(schedule: ReportSchedule, workspace: Workspace) -> None:
    workspace.time_zone = "America/New_York"
    workspace.save()
    assert beat(MONDAY_EIGHT - timedelta(minutes=1)) == []
    assert beat(MONDAY_EIGHT) == []
    schedule.refresh_from_db()
    assert schedule.next_run_at == MONDAY_EIGHT + timedelta(hours=6)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"crontab": "0 * * * *"}, "crontab"), ({"crontab": "0 8,9 * * *"}, "crontab"), ({"crontab": "x"}, "crontab"),
     ({"emails": ["nonsense"]}, "emails"), ({"emails": []}, "emails"),
     ({"emails": [f"p{n}@x.example" for n in range(21)]}, "emails"),
     ({"members": ["01890a5d-ac96-774b-bcce-b302099a8057"]}, "members")],
)  # fmt: skip
def test_a_schedule_that_cannot_be_is_refused(report: Report, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_schedule(report, **{"emails": ["a@x.example"], **changes})
    assert refused.value.errors[0].field == field
    assert not ReportSchedule.objects.exists()


def test_erasing_a_person_takes_them_off_the_lists_of_reports(schedule: ReportSchedule, member: User) -> None:
    contact = Contact.objects.create(
        workspace=schedule.workspace, email="Board@northwind.example", email_normalized="board@northwind.example"
    )
    erase_contact(contact=contact, actor=member)
    assert list(ReportRecipient.objects.values_list("email", flat=True)) == [member.email]


def test_a_shared_report_is_read_without_signing_in_until_it_is_taken_back(
    report: Report, workspace: Workspace, client: Client
) -> None:
    share, token = share_report(report=report, actor=None, days=7)
    assert ReportShare.objects.get().token_hash == sha256(token)
    page = client.get(f"/r/{token}")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Monday figures" in text
    assert "@example.com" not in text
    assert 'href="/campaigns' not in text  # nothing to sign in for
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not page.cookies
    share.refresh_from_db()
    assert share.last_seen_at is not None
    for wrong in (token[:-1], token + "x", share.token_hash, str(report.pk), "x" * 5000):
        assert client.get(f"/r/{wrong}").status_code == 404
    assert client.post(f"/r/{token}").status_code == 405
    with time_machine.travel(timezone.now() + timedelta(days=8)), pytest.raises(NotFound):
        open_share(token)
    client.force_login(make_member(workspace, "ed@northwind.example", "editor"))
    client.post(f"/reports/links/{share.pk}/revoke")
    assert client.get(f"/r/{token}").status_code == 404


def test_a_link_cannot_be_looked_at_all_day_long(report: Report, client: Client) -> None:
    _, token = share_report(report=report, actor=None)
    answers = [client.get(f"/r/{token}").status_code for _ in range(31)]
    assert answers[:30] == [200] * 30
    assert answers[30] == 429


def test_a_link_shows_one_workspace_whatever_its_question_names(report: Report, client: Client) -> None:
    foreign = make_mailing(make_workspace("Other"), provider="capture", name="Secret plans", campaign_status="sent")
    Report.objects.filter(pk=report.pk).update(query={"kind": "comparison", "campaigns": [str(foreign.campaign.pk)]})
    report.refresh_from_db()
    _, token = share_report(report=report, actor=None)
    assert "Secret plans" not in client.get(f"/r/{token}").content.decode()


def test_a_report_is_kept_mailed_and_shared_from_its_page(client: Client, member: User, workspace: Workspace) -> None:
    client.force_login(member)
    kept = client.post("/reports/keep", {"name": "Weekly", "query": '{"kind": "overview", "range": "7d"}'})
    report = Report.objects.get(name="Weekly")
    assert kept.headers["Location"] == f"/reports/kept/{report.pk}"
    assert report.query == {"kind": "overview", "range": "7d", "compare": True}
    for nonsense in ("", "[]", '{"kind": "x"}'):
        client.post("/reports/keep", {"name": "Bad", "query": nonsense})
    assert not Report.objects.filter(name="Bad").exists()
    page = f"/reports/kept/{report.pk}"
    form = {"rhythm": "monthly", "weekday": "2", "month_day": "L", "at": "07:30", "members": [str(member.pk)],
            "emails": "a@x.example"}  # fmt: skip
    assert client.post(f"{page}/mail", {**form, "emails": "nonsense"}).status_code == 400
    assert client.post(f"{page}/mail", form).status_code == 302
    assert ReportSchedule.objects.get().crontab == "30 7 L * *"
    shown = client.get(page).content.decode()
    assert "a@x.example" in shown
    assert 'value="monthly"' in client.get(f"{page}/mail").content.decode()
    assert client.post(f"{page}/mail", {**form, "rhythm": "daily"}).status_code == 302
    assert ReportSchedule.objects.get().crontab == "30 7 * * *"
    made = client.post(f"{page}/share", {"days": "30"}).content.decode()
    assert "It is shown this once" in made
    assert "It is shown this once" not in client.get(page).content.decode()
    client.post(f"{page}/mail", {"stop": "1"})
    assert not ReportSchedule.objects.exists()
    client.post(f"{page}/delete")
    assert not ReportShare.objects.exists()


def test_programs_ask_mail_and_share_reports_too(workspace: Workspace, member: User) -> None:
    api = APIClient()
    api.force_login(member)
    mailing = make_mailing(workspace, size=3, provider="capture", sent_at=timezone.now(), name="Now")
    body = {"name": "Weekly", "query": {"kind": "overview", "range": "custom", "from": "2026-01-01", "to": "x"}}
    assert api.post("/v1/reports", body, format="json").status_code == 400
    body["query"] = {"kind": "overview", "range": "7d", "compare": False}
    made = api.post("/v1/reports", body, format="json")
    assert (made.status_code, made.json()["query"]) == (201, body["query"])
    path = f"/v1/reports/{made.json()['id']}"
    told = api.get(f"{path}/data").json()
    campaigns = next(table for table in told["tables"] if table["key"] == "campaigns")
    assert [(row["name"], row["sent"]) for row in campaigns["rows"]] == [(mailing.campaign.name, 3)]
    lines = b"".join(api.get(f"{path}/data?table=campaigns&as=csv").streaming_content).decode().splitlines()
    assert (lines[0].split(",")[0], lines[1].split(",")[0]) == ("Campaign", "Now")
    assert api.get(f"{path}/data?table=x&as=csv").status_code == 400
    assert api.get(f"{path}/schedule").status_code == 404
    put = api.put(f"{path}/schedule", {"crontab": "0 8 * * 1", "emails": ["a@x.example"]}, format="json")
    assert (put.status_code, put.json()["rhythm"]) == (200, "Every week on Monday at 08:00")
    assert put.json()["recipients"][0]["email"] == "a@x.example"
    assert api.put(f"{path}/schedule", {"crontab": "0 * * * *", "emails": ["a@x.example"]}).status_code == 400
    assert api.delete(f"{path}/schedule").status_code == 204
    link = api.post(f"{path}/shares", {"days": 7}, format="json")
    assert link.status_code == 201
    assert [one["url"] for one in api.get(f"{path}/shares").json()["results"]] == [None]
    assert api.post(f"{path}/shares", {"days": 400}, format="json").status_code == 400
    assert api.delete(f"{path}/shares/{link.json()['id']}").status_code == 204
    other = Report.objects.create(workspace=workspace, name="Other", query={})
    assert api.delete(f"/v1/reports/{other.pk}/shares/{link.json()['id']}").status_code == 404

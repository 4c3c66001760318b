"""The outbox, the ledger browser, the browser version of a mail, and system mail."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from campaigns.delivery import pipeline, readers
from campaigns.delivery.providers import Outcome
from campaigns.delivery.system_mail import EmailBackend, SystemMailFailed
from campaigns.delivery.tracking import open_token, web_version_url
from campaigns.models import CapturedMessage
from tests.campaigns.making import make_member, make_workspace
from tests.campaigns.sending import captured, make_launched, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


def member_of(workspace: Workspace, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_member(workspace, role))
    return client


def make_captured(size: int = 2, **changes: Any) -> tuple[Any, Client]:
    campaign, _ = make_launched(size, **changes)
    pipeline.deliver(campaign_id=campaign.pk)
    return campaign, member_of(campaign.workspace)


def test_the_outbox_lists_searches_and_filters() -> None:
    campaign, client = make_captured(2)
    other, _ = make_launched(1, workspace=campaign.workspace, name="Another one")
    pipeline.deliver(campaign_id=other.pk)
    address = reverse("campaigns:outbox")
    assert client.get(address).content.count(b"Beans, Reader") >= 3
    email = rows_of(campaign)[0].email
    found = client.get(address, {"q": email}).context["page"].items
    assert [mail.to for mail in found] == [email]
    assert len(client.get(address, {"campaign": str(other.pk)}).context["page"].items) == 1
    assert client.get(address, {"campaign": "nonsense"}).status_code == 200
    assert client.get(address, {"cursor": "nonsense"}).status_code in (302, 400)


def test_an_empty_outbox_says_what_it_is_for() -> None:
    assert b"Nothing has been sent yet" in member_of(make_workspace()).get(reverse("campaigns:outbox")).content


def test_a_mail_is_shown_in_a_frame_that_can_do_nothing() -> None:
    _campaign, client = make_captured(1)
    key = CapturedMessage.objects.get().pk
    page = client.get(reverse("campaigns:outbox_mail", args=[key])).content.decode()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "List-Unsubscribe-Post" in page

    body = client.get(reverse("campaigns:outbox_body", args=[key]))
    policy = body["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox" in policy
    assert body["X-Frame-Options"] == "SAMEORIGIN"
    assert b"/t/o/" not in body.content, "looking is no open"
    assert b"/t/c/" in body.content


def test_the_file_is_the_mail_byte_for_byte() -> None:
    _campaign, client = make_captured(1)
    row = CapturedMessage.objects.get()
    answer = client.get(reverse("campaigns:outbox_file", args=[row.pk]))
    assert answer.content == bytes(row.raw)
    assert answer["Content-Type"] == "message/rfc822"


def test_strangers_see_no_mail() -> None:
    make_captured(1)
    key = CapturedMessage.objects.get().pk
    stranger = member_of(make_workspace("Elsewhere"))
    for name in ("outbox_mail", "outbox_body", "outbox_file"):
        assert stranger.get(reverse(f"campaigns:{name}", args=[key])).status_code == 404
        assert stranger.get(reverse(f"campaigns:{name}", args=[10**30])).status_code == 404
        assert Client().get(reverse(f"campaigns:{name}", args=[key])).status_code == 302


def test_readers_are_started_once_and_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, client = make_captured(2)
    address = reverse("campaigns:outbox_readers")
    assert client.post(address).status_code == 302
    assert readers.get_progress(campaign.workspace_id).is_running
    page = client.get(address)
    assert b"Readers are at work" in page.content
    assert b"hx-trigger" in page.content
    assert client.post(address, headers={"HX-Request": "true"}).status_code == 409
    assert member_of(campaign.workspace, "analyst").post(address).status_code == 403


def test_readers_fetch_the_addresses_of_the_mail_and_count_what_they_did(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, _client = make_captured(30)
    fetched: list[tuple[str, str, str]] = []

    class Answer:
        status_code = 302

    class Visitor:
        def __enter__(self) -> Visitor:
            return self

        def __exit__(self, *_error: object) -> None:
            return None

        def get(self, url: str, headers: dict[str, str]) -> Answer:
            fetched.append(("GET", url, headers["User-Agent"]))
            return Answer()

        def post(self, url: str, data: dict[str, str], headers: dict[str, str]) -> Answer:
            assert data == {"List-Unsubscribe": "One-Click"}
            fetched.append(("POST", url, headers["User-Agent"]))
            return Answer()

    monkeypatch.setattr(readers, "own_instance_client", Visitor)
    monkeypatch.setattr(readers, "UNSUBSCRIBE_SHARE", 0.3)
    progress = readers.read_outbox(
        workspace_id=campaign.workspace_id, spread_s=0, chance=random.Random(3), sleep=lambda _seconds: None
    )
    assert progress.mails == 30
    assert progress.done == progress.total == len(fetched)
    assert progress.counts["opened"] == sum("/t/o/" in url for _method, url, _agent in fetched) > 0
    assert progress.counts["clicked"] == sum("/t/c/" in url for _method, url, _agent in fetched)
    assert progress.counts["unsubscribed"] == sum(method == "POST" for method, _url, _agent in fetched) > 0
    assert readers.get_progress(campaign.workspace_id).is_running is False
    tokens = {open_token(row.pk) for row in rows_of(campaign)}
    assert {url.rpartition("/")[2] for _m, url, _a in fetched if "/t/o/" in url} <= tokens


def test_the_ledger_shows_everybody_and_why() -> None:
    campaign, client = make_captured(3)
    page = client.get(reverse("campaigns:message_list", args=[campaign.pk]))
    assert page.context["total"] == 3
    for row in rows_of(campaign):
        assert row.email.encode() in page.content
    found = client.get(reverse("campaigns:message_list", args=[campaign.pk]), {"q": rows_of(campaign)[1].email})
    assert len(found.context["page"].items) == 1
    stranger = member_of(make_workspace("Elsewhere"))
    assert stranger.get(reverse("campaigns:message_list", args=[campaign.pk])).status_code == 404


def test_a_row_in_doubt_is_settled_by_those_who_may(told) -> None:
    told(lambda _message: Outcome("timeout"))
    campaign, _ = make_launched(2)
    pipeline.deliver(campaign_id=campaign.pk)
    owner = member_of(campaign.workspace)
    first, second = rows_of(campaign)
    address = reverse("campaigns:message_list", args=[campaign.pk])
    drawer = owner.get(address, {"open": first.public_id}).content.decode()
    assert drawer.count("Mark sent") == 1
    assert "may get this mail twice" in drawer

    assert owner.post(reverse("campaigns:message_settle", args=[first.public_id, "mark-sent"])).status_code == 302
    assert owner.post(reverse("campaigns:message_settle", args=[second.public_id, "resend"])).status_code == 302
    assert statuses_of(campaign) == {"sent": 1, "queued": 1}
    assert owner.post(reverse("campaigns:message_settle", args=[first.public_id, "explode"])).status_code == 404

    editor = member_of(campaign.workspace, "editor")
    assert editor.post(reverse("campaigns:message_settle", args=[second.public_id, "resend"])).status_code == 403
    assert "Mark sent" not in editor.get(address, {"open": second.public_id}).content.decode()


def test_lists_cost_the_same_however_long_they_are(django_assert_max_num_queries) -> None:
    campaign, client = make_captured(40)
    client.get(reverse("campaigns:outbox"))
    with django_assert_max_num_queries(10):
        client.get(reverse("campaigns:outbox"))
    with django_assert_max_num_queries(17):
        client.get(reverse("campaigns:message_list", args=[campaign.pk]))


def test_the_browser_version_shows_the_same_mail_to_whoever_holds_its_link() -> None:
    campaign, _client = make_captured(1)
    row = rows_of(campaign)[0]
    path = web_version_url(row.pk).partition("://")[2].partition("/")[2]
    page = Client().get(f"/{path}")
    assert page.status_code == 200
    assert b"Hi Reader 0" in page.content
    assert b"/t/o/" not in page.content
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert page["X-Robots-Tag"] == "noindex"
    assert Client().get("/w/test").status_code == 404
    assert Client().get(f"/w/{open_token(row.pk)}").status_code == 404


def test_system_mail_goes_through_the_provider_and_belongs_to_no_workspace() -> None:
    mail = EmailMultiAlternatives(
        subject="Set a new password",
        body="Follow\nthe link",
        from_email="PulseQuill <no-reply@x.example>",
        to=["maya@northwind.io"],
    )
    mail.attach_alternative("<p>Follow the link</p>", "text/html")
    backend = get_connection("campaigns.delivery.system_mail.EmailBackend")
    assert isinstance(backend, EmailBackend)
    assert backend.send_messages([mail]) == 1

    row = CapturedMessage.objects.get()
    assert (row.workspace_id, row.to, row.subject) == (None, "maya@northwind.io", "Set a new password")
    (read,) = captured()
    assert read["Subject"] == "Set a new password"
    assert read.get_body(("html",)).get_content().strip() == "<p>Follow the link</p>"
    assert member_of(make_workspace()).get(reverse("campaigns:outbox_mail", args=[row.pk])).status_code == 404


def test_system_mail_that_is_refused_says_so(told, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = told(lambda _message: Outcome("connection_refused"))
    monkeypatch.setattr("campaigns.delivery.system_mail.get_provider", lambda: provider)
    mail = EmailMultiAlternatives(subject="x", body="y", to=["maya@northwind.io"])
    with pytest.raises(SystemMailFailed, match="refuses connections"):
        EmailBackend().send_messages([mail])
    assert EmailBackend(fail_silently=True).send_messages([mail]) == 0

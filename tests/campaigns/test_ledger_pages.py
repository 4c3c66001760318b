"""The ledger browser, its file, and the desk for what is in doubt."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Activity, Workspace
from campaigns.delivery import pipeline
from campaigns.delivery.providers import Outcome
from campaigns.models import Campaign, DeliveryMinute, Message, Settlement
from campaigns.selectors import ledger as reads
from campaigns.services import doubts
from tests.campaigns.making import make_contact, make_list, make_member, make_workspace
from tests.campaigns.sending import make_launched, rows_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db
DESK = "/messages/in-doubt"


def sign_in(workspace: Workspace, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_member(workspace, role))
    return client


@pytest.fixture
def doubtful(told) -> Campaign:
    """Four rows: one sent, one failed, two in doubt."""
    answers = {"yes": "accepted", "no": "http_400", "perhaps1": "timeout", "perhaps2": "timeout"}
    told(lambda message: Outcome(answers[message.to.partition("@")[0]]))
    workspace = make_workspace()
    people = [make_contact(workspace, f"{name}@{name}.example.org") for name in answers]
    campaign, _ = make_launched(0, workspace=workspace, lists=[make_list(workspace, *people)])
    pipeline.deliver(campaign_id=campaign.pk)
    return campaign


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def post(client: Client, path: str, **fields: Any) -> Any:
    answer = client.post(path, fields, follow=True)
    assert answer.status_code == 200
    return answer


def statuses(campaign: Campaign) -> dict[str, str]:
    return {row.email.partition("@")[0]: row.status for row in rows_of(campaign)}


def test_rows_are_read_without_the_mail_they_carried(doubtful: Campaign) -> None:
    """A million rows would each bring the whole mail along, and nothing of the list or the file shows it."""
    client = sign_in(doubtful.workspace)
    addresses = (
        f"/campaigns/{doubtful.pk}/messages",
        f"/v1/campaigns/{doubtful.pk}/messages",
        f"/campaigns/{doubtful.pk}/messages.csv",
        DESK,
        f"/v1{DESK}",
    )
    for address in addresses:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
            shown = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200 and b"perhaps1" in shown
        of_rows = [one["sql"] for one in asked if 'FROM "campaigns_message"' in one["sql"] and "LIMIT" in one["sql"]]
        assert of_rows and not any("compiled_html" in sql or '."body"' in sql for sql in of_rows), address
        assert sum('"campaigns_variant"."id" =' in one["sql"] for one in asked) == 0, address


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"yes", "no", "perhaps1", "perhaps2"}),
        ({"status": "sent"}, {"yes"}),
        ({"status": "in_doubt"}, {"perhaps1", "perhaps2"}),
        ({"q": "PERHAPS"}, {"perhaps1", "perhaps2"}),
        ({"q": "no@no.example.org"}, {"no"}),
        ({"domain": "@yes.example.org"}, {"yes"}),
        ({"variant": "A"}, {"yes", "no", "perhaps1", "perhaps2"}),
        ({"variant": "Z"}, set()),
        ({"reason": "The provider did not answer in time."}, {"perhaps1", "perhaps2"}),
        ({"status": "nonsense", "q": " "}, {"yes", "no", "perhaps1", "perhaps2"}),
    ],
)
def test_the_ledger_can_be_narrowed(doubtful: Campaign, query: dict[str, str], shown: set[str]) -> None:
    text = page(sign_in(doubtful.workspace), f"/campaigns/{doubtful.pk}/messages", **query)
    assert {name for name in statuses(doubtful) if f"{name}@{name}.example.org" in text.split("<tbody>")[-1]} == shown


def test_it_asks_the_database_the_same_number_of_times_however_many_rows_there_are(
    django_assert_max_num_queries,
) -> None:
    campaign, _ = make_launched(60)
    client = sign_in(campaign.workspace)
    with django_assert_max_num_queries(18):
        first = page(client, f"/campaigns/{campaign.pk}/messages")
    assert "cursor=" in first


def test_a_message_shows_what_happened_to_it_and_who_settled_it(doubtful: Campaign) -> None:
    row = next(row for row in rows_of(doubtful) if row.email.startswith("perhaps1"))
    client = sign_in(doubtful.workspace)
    path = f"/campaigns/{doubtful.pk}/messages"
    text = page(client, path, open=str(row.public_id))
    assert "Attempt 1 ended in doubt" in text
    assert "did not answer in time" in text
    post(client, f"/messages/{row.public_id}/mark-sent")
    text = page(client, path, open=str(row.public_id))
    assert "Marked as sent by person" in text
    assert "Planned" in text


def test_a_message_of_another_campaign_does_not_open(doubtful: Campaign) -> None:
    other, _ = make_launched(1, workspace=doubtful.workspace)
    text = page(
        sign_in(doubtful.workspace), f"/campaigns/{doubtful.pk}/messages", open=str(rows_of(other)[0].public_id)
    )
    assert "What happened" not in text


def test_the_file_holds_the_filtered_rows_in_words_and_no_formula(doubtful: Campaign) -> None:
    Message.objects.filter(campaign=doubtful, status="failed").update(reason="=HYPERLINK(1)")
    client = sign_in(doubtful.workspace)
    answer = client.get(f"/campaigns/{doubtful.pk}/messages.csv")
    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert {row["email"].partition("@")[0]: row["status"] for row in rows} == {
        "yes": "Sent",
        "no": "Failed",
        "perhaps1": "In doubt",
        "perhaps2": "In doubt",
    }
    assert next(row["reason"] for row in rows if row["status"] == "Failed") == "'=HYPERLINK(1)"
    only = client.get(f"/campaigns/{doubtful.pk}/messages.csv", {"status": "sent"})
    assert b"".join(only.streaming_content).count(b"\r\n") == 2


def test_the_file_is_read_in_pieces(doubtful: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.exporting.ROWS_PER_READ", 3)
    answer = sign_in(doubtful.workspace).get(f"/campaigns/{doubtful.pk}/messages.csv")
    assert b"".join(answer.streaming_content).count(b"\r\n") == 5


def test_the_desk_lists_doubts_of_all_campaigns_and_of_none(doubtful: Campaign) -> None:
    workspace = doubtful.workspace
    Message.objects.create(
        workspace=workspace, email="receipt@example.org", email_normalized="receipt@example.org", status="in_doubt",
        reason="The provider did not answer in time.", claimed_at=timezone.now(), provider="sendgrid",
    )  # fmt: skip
    client = sign_in(workspace)
    text = page(client, DESK)
    assert all(f"{name}@" in text for name in ("perhaps1", "perhaps2", "receipt"))
    assert "Transactional" in text
    assert "yes@" not in text
    assert "receipt@" not in page(client, DESK, campaign=str(doubtful.pk))
    assert "perhaps" not in page(client, DESK, q="receipt")
    assert "3 in doubt" in page(client, "/campaigns")


def test_what_a_reader_did_is_shown_as_evidence(doubtful: Campaign) -> None:
    Message.objects.filter(email__startswith="perhaps1").update(first_opened_at=timezone.now())
    text = page(sign_in(doubtful.workspace), DESK)
    assert text.count("Opened: it arrived") == 1
    assert text.count("Nothing was heard of it") == 1


def test_all_that_match_are_marked_at_once_counted_audited_and_put_back_by_an_undo(doubtful: Campaign) -> None:
    client = sign_in(doubtful.workspace)
    answer = post(client, f"{DESK}/settle", action="mark-sent:all", campaign=str(doubtful.pk))
    assert "2 messages are marked as sent." in answer.content.decode()
    assert statuses(doubtful) == {"yes": "sent", "no": "failed", "perhaps1": "sent", "perhaps2": "sent"}
    assert DeliveryMinute.objects.get(campaign=doubtful).sent == 3
    assert Activity.objects.get(kind="message.marked_sent").data["count"] == 2

    batch = Settlement.objects.values_list("batch", flat=True).distinct().get()
    assert f"/messages/in-doubt/{batch}/undo" in answer.content.decode()
    post(client, f"{DESK}/{batch}/undo")
    assert statuses(doubtful) == {"yes": "sent", "no": "failed", "perhaps1": "in_doubt", "perhaps2": "in_doubt"}
    back = [row for row in rows_of(doubtful) if row.status == "in_doubt"]
    assert {(row.reason, row.sent_at) for row in back} == {("The provider did not answer in time.", None)}
    assert DeliveryMinute.objects.get(campaign=doubtful).sent == 1
    assert "nothing to undo" in post(client, f"{DESK}/{batch}/undo").content.decode()


def test_an_undo_leaves_what_is_known_to_have_arrived(doubtful: Campaign) -> None:
    rows = Message.objects.for_workspace(doubtful.workspace).filter(campaign=doubtful)
    settled = doubts.mark_sent(rows=rows, workspace=doubtful.workspace, actor=None)
    Message.objects.filter(email__startswith="perhaps1").update(first_opened_at=timezone.now())
    undone = doubts.undo_marking(settlement=reads.get_settlement(doubtful.workspace, settled.batch), actor=None)
    assert (undone.changed, undone.left) == (1, 1)
    assert statuses(doubtful)["perhaps1"] == "sent"
    assert statuses(doubtful)["perhaps2"] == "in_doubt"


def test_only_ticked_rows_are_sent_again_and_that_cannot_be_undone(doubtful: Campaign) -> None:
    row = next(row for row in rows_of(doubtful) if row.email.startswith("perhaps2"))
    client = sign_in(doubtful.workspace)
    answer = post(client, f"{DESK}/settle", action="resend", ids=[str(row.public_id), "nonsense"])
    assert "/undo" not in answer.content.decode()
    assert statuses(doubtful) == {"yes": "sent", "no": "failed", "perhaps1": "in_doubt", "perhaps2": "queued"}
    settlement = Settlement.objects.get()
    assert (settlement.verb, settlement.was_code) == ("resent", "timeout")
    assert "nothing to undo" in post(client, f"{DESK}/{settlement.pk}/undo").content.decode()


def test_rows_of_a_cancelled_campaign_are_not_sent_again(doubtful: Campaign) -> None:
    Campaign.objects.filter(pk=doubtful.pk).update(status="cancelled")
    answer = post(sign_in(doubtful.workspace), f"{DESK}/settle", action="resend:all")
    assert "left alone" in answer.content.decode()
    assert statuses(doubtful)["perhaps1"] == "in_doubt"


def test_whoever_may_not_settle_sees_the_desk_without_its_buttons(doubtful: Campaign) -> None:
    client = sign_in(doubtful.workspace, "editor")
    assert "Mark all sent" not in page(client, DESK)
    assert client.post(f"{DESK}/settle", {"action": "resend:all"}).status_code == 403
    assert statuses(doubtful)["perhaps1"] == "in_doubt"


def test_a_desk_without_doubts_says_so() -> None:
    assert "Nothing is in doubt" in page(sign_in(make_workspace()), DESK)


def test_a_paused_campaign_says_why_and_what_to_do_next(doubtful: Campaign) -> None:
    Campaign.objects.filter(pk=doubtful.pk).update(status="paused", status_reason="The provider refuses the API key.")
    client = sign_in(doubtful.workspace)
    for path in ("/campaigns", f"/campaigns/{doubtful.pk}/messages", f"/campaigns/{doubtful.pk}/live"):
        text = page(client, path)
        assert "The provider refuses the API key." in text
        assert "Resume" in text


def test_the_live_page_counts_whoever_was_skipped_apart(doubtful: Campaign) -> None:
    Message.objects.filter(campaign=doubtful, status="failed").update(status="skipped", reason="unsubscribed")
    text = page(sign_in(doubtful.workspace), f"/campaigns/{doubtful.pk}/live")
    assert (
        '<span data-bind="progress.to_send">3</span> sent<span data-not-sent> · 1 skipped · 2 in doubt</span>' in text
    )


def test_programs_list_settle_and_undo_as_pages_do(doubtful: Campaign) -> None:
    client = sign_in(doubtful.workspace)
    listed = client.get("/v1/messages/in-doubt").json()["results"]
    assert {row["email"].partition("@")[0] for row in listed} == {"perhaps1", "perhaps2"}
    assert client.get("/v1/messages/in-doubt", {"campaign": str(make_launched(1)[0].pk)}).json()["results"] == []

    def post_json(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = client.post(f"/v1/{path}", body or {}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    ids = [row["id"] for row in listed]
    done = post_json("messages/settle", {"verb": "mark-sent", "ids": ids})
    assert (done["changed"], done["left"]) == (2, 0)
    assert post_json(f"settlements/{done['id']}/undo")["changed"] == 2
    assert client.post(f"/v1/settlements/{done['id']}/undo").status_code == 409
    assert post_json("messages/settle", {"verb": "resend", "ids": ids[:1]})["changed"] == 1
    burnt = client.post("/v1/messages/settle", {"verb": "burn", "ids": ids}, content_type="application/json")
    assert burnt.status_code == 400

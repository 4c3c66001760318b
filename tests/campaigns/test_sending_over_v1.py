"""Sending over `/v1` and `/outbox.json`: the answers that API.md promises, and nobody else's rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Workspace
from campaigns.delivery import pipeline
from campaigns.delivery.providers import Outcome
from campaigns.models import Campaign, CapturedMessage, Message, SendingDomain
from tests.campaigns.making import make_member, make_workspace
from tests.campaigns.sending import make_launched, make_ready, rows_of, statuses_of, told

__all__ = ["told"]

pytestmark = pytest.mark.django_db


class Api:
    """A signed-in person's `/v1`."""

    def __init__(self, workspace: Workspace, role: str = "owner") -> None:
        self.client = Client()
        self.client.force_login(make_member(workspace, role))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(path, body or {}, content_type="application/json", headers=headers)

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, query)


def make_checked(size: int = 2) -> Campaign:
    campaign, _ = make_ready(size)
    domain = campaign.sender.from_email.partition("@")[2]
    SendingDomain.objects.create(workspace=campaign.workspace, name=domain, verified_at=timezone.now())
    return campaign


def test_sending_answers_202_and_then_409() -> None:
    campaign = make_checked()
    api = Api(campaign.workspace)
    answer = api.post(f"/v1/campaigns/{campaign.pk}/send")
    assert answer.status_code == 202, answer.content
    assert answer.json()["status"] == "sending"
    assert answer.json()["recipients"] == 2

    again = api.post(f"/v1/campaigns/{campaign.pk}/send")
    assert again.status_code == 409
    assert again["Content-Type"].startswith("application/problem+json")
    assert again.json()["code"] == "wrong_state"
    assert statuses_of(campaign) == {"queued": 2}


def test_the_same_key_replays_the_launch() -> None:
    campaign = make_checked()
    api = Api(campaign.workspace)
    first = api.post(f"/v1/campaigns/{campaign.pk}/send", **{"Idempotency-Key": "launch-1"})
    second = api.post(f"/v1/campaigns/{campaign.pk}/send", **{"Idempotency-Key": "launch-1"})
    assert (first.status_code, second.status_code) == (202, 202)
    assert second["Idempotency-Replayed"] == "true"
    assert len(rows_of(campaign)) == 2


def test_a_blocked_campaign_answers_422_with_the_findings() -> None:
    campaign = make_checked()
    campaign.variants.update(subject="")
    api = Api(campaign.workspace)
    for path, body in (("send", None), ("schedule", {"send_at": (timezone.now() + timedelta(hours=1)).isoformat()})):
        answer = api.post(f"/v1/campaigns/{campaign.pk}/{path}", body)
        assert answer.status_code == 422
        finding = next(row for row in answer.json()["findings"] if row["code"] == "subject_missing")
        assert finding["severity"] == "block"


def test_schedule_pause_resume_and_cancel() -> None:
    campaign = make_checked()
    api = Api(campaign.workspace)
    path = f"/v1/campaigns/{campaign.pk}"
    at = (timezone.now() + timedelta(hours=3)).replace(microsecond=0)
    answer = api.post(f"{path}/schedule", {"send_at": at.isoformat()})
    assert (answer.status_code, answer.json()["status"]) == (202, "scheduled")
    assert api.post(f"{path}/schedule", {"send_at": None}).json()["status"] == "draft"
    assert api.post(f"{path}/pause").status_code == 409
    assert api.post(f"{path}/send").status_code == 202
    assert api.post(f"{path}/pause").json()["status"] == "paused"
    assert api.post(f"{path}/resume").json()["status"] == "sending"
    assert api.post(f"{path}/cancel").json()["status"] == "cancelled"
    assert api.post(f"{path}/resume").status_code == 409
    assert api.get(f"{path}/messages", status="skipped").json()["results"][0]["reason"] == "cancelled"


@pytest.mark.parametrize("body", [{}, {"send_at": "soon"}, {"send_at": "2001-01-01T00:00:00Z"}, {"send_at": 7}])
def test_a_bad_time_is_a_400(body: dict[str, Any]) -> None:
    campaign = make_checked()
    answer = Api(campaign.workspace).post(f"/v1/campaigns/{campaign.pk}/schedule", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "send_at"


def test_a_test_send_takes_one_address_or_several() -> None:
    campaign = make_checked()
    api = Api(campaign.workspace)
    for to, count in (("maya@northwind.io", 1), (["a@northwind.io", "b@northwind.io"], 2)):
        answer = api.post(f"/v1/campaigns/{campaign.pk}/test-send", {"to": to})
        assert answer.status_code == 202, answer.content
        assert len(answer.json()["results"]) == count
        assert answer.json()["results"][0]["is_test"] is True
    assert api.post(f"/v1/campaigns/{campaign.pk}/test-send", {"to": "nobody"}).status_code == 400
    assert api.post(f"/v1/campaigns/{campaign.pk}/test-send", {}).status_code == 400
    assert api.post(f"/v1/campaigns/{campaign.pk}/test-send", {"to": "a@b.io", "variant": "Z"}).status_code == 404


def test_the_ledger_is_listed_filtered_and_settled(told) -> None:
    told(lambda message: Outcome("timeout" if "Reader 1" in message.mime.decode() else "accepted"))
    campaign, contacts = make_launched(3)
    pipeline.deliver(campaign_id=campaign.pk)
    api = Api(campaign.workspace)

    listed = api.get(f"/v1/campaigns/{campaign.pk}/messages", include="count").json()
    assert listed["count"] == 3
    (row,) = api.get(f"/v1/campaigns/{campaign.pk}/messages", status="in_doubt").json()["results"]
    assert row["email"] == contacts[1].email
    assert row["last_error_code"] == "timeout"
    assert row["variant"] == "A"
    assert api.get(f"/v1/messages/{row['id']}").json() == row

    assert api.post(f"/v1/messages/{row['id']}/mark-sent").json()["status"] == "sent"
    assert api.post(f"/v1/messages/{row['id']}/mark-sent").status_code == 409
    assert api.post(f"/v1/messages/{row['id']}/resend").status_code == 409
    assert api.get(f"/v1/campaigns/{campaign.pk}/messages", status="nonsense").status_code == 400


def test_resending_over_v1_queues_the_row_again(told) -> None:
    told(lambda _message: Outcome("timeout"))
    campaign, _ = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)
    answer = Api(campaign.workspace).post(f"/v1/messages/{rows_of(campaign)[0].public_id}/resend")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_pages_of_the_ledger_follow_each_other_without_repeating() -> None:
    campaign, _ = make_launched(5)
    api = Api(campaign.workspace)
    seen, address = [], f"/v1/campaigns/{campaign.pk}/messages?limit=2"
    while address:
        page = api.client.get(address).json()
        seen += [row["email"] for row in page["results"]]
        address = page["next"]
    assert seen == [row.email for row in rows_of(campaign)]


@pytest.mark.parametrize("verb", ["send", "schedule", "pause", "resume", "cancel", "test-send"])
def test_an_analyst_may_not_send(verb: str) -> None:
    campaign = make_checked()
    assert Api(campaign.workspace, "analyst").post(f"/v1/campaigns/{campaign.pk}/{verb}").status_code == 403


def test_strangers_find_nothing_and_change_nothing(told) -> None:
    told(lambda _message: Outcome("timeout"))
    campaign, _ = make_launched(1)
    pipeline.deliver(campaign_id=campaign.pk)
    message = rows_of(campaign)[0]
    stranger = Api(make_workspace("Elsewhere"))
    for verb in ("send", "schedule", "pause", "resume", "cancel", "test-send"):
        assert stranger.post(f"/v1/campaigns/{campaign.pk}/{verb}").status_code == 404
    assert stranger.get(f"/v1/campaigns/{campaign.pk}/messages").status_code == 404
    for public_id in (message.public_id, uuid4()):
        assert stranger.get(f"/v1/messages/{public_id}").status_code == 404
        assert stranger.post(f"/v1/messages/{public_id}/mark-sent").status_code == 404
        assert stranger.post(f"/v1/messages/{public_id}/resend").status_code == 404
    message.refresh_from_db()
    assert message.status == "in_doubt"


def test_the_outbox_is_read_as_json() -> None:
    campaign, contacts = make_launched(3)
    pipeline.deliver(campaign_id=campaign.pk)
    other, _ = make_launched(1, workspace=campaign.workspace)
    pipeline.deliver(campaign_id=other.pk)
    api = Api(campaign.workspace)

    page = api.get("/outbox.json", campaign=str(campaign.pk), limit="2").json()
    assert len(page["results"]) == 2
    assert page["next"]
    row = page["results"][0]
    assert {"id", "to", "subject", "html", "text", "headers"} <= set(row)
    assert "/t/c/" in row["html"]
    assert "/t/o/" in row["html"]
    assert "/u/" in row["text"]
    assert row["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [found["to"] for found in api.get("/outbox.json", q=contacts[0].email).json()["results"]] == [
        contacts[0].email
    ]
    assert Client().get("/outbox.json").status_code == 401
    assert Api(make_workspace("Elsewhere")).get("/outbox.json").json()["results"] == []


def test_a_list_costs_the_same_however_long_it_is(django_assert_max_num_queries) -> None:
    campaign, _ = make_launched(30)
    pipeline.deliver(campaign_id=campaign.pk)
    api = Api(campaign.workspace)
    api.get("/outbox.json")
    with django_assert_max_num_queries(14):
        api.get(f"/v1/campaigns/{campaign.pk}/messages")
    with django_assert_max_num_queries(8):
        api.get("/outbox.json")
    assert Message.objects.count() == CapturedMessage.objects.count() == 30

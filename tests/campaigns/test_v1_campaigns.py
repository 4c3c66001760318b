"""`/v1/campaigns`, senders, domains and templates over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from campaigns.models import Campaign, SendingDomain, Variant
from tests.campaigns.making import (
    HELLO,
    make_campaign,
    make_contact,
    make_list,
    make_member,
    make_sender,
    make_workspace,
)
from tests.fakes.dns_server import dns_server

pytestmark = pytest.mark.django_db


class Caller:
    """A member's HTTP client that speaks JSON."""

    def __init__(self, role: str = "owner") -> None:
        self.workspace = make_workspace()
        self.client = Client()
        self.client.force_login(make_member(self.workspace, role))

    def __call__(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method, f"/v1/{path}", *([data] if isinstance(data, str) else []),
            **({"data": json.dumps(data)} if data is not None and not isinstance(data, str) else {}),
            content_type="application/json", headers=headers,
        )  # fmt: skip


@pytest.fixture
def call() -> Caller:
    return Caller()


def test_a_campaign_is_made_read_changed_and_deleted(call: Caller) -> None:
    chosen = make_list(call.workspace)
    made = call(
        "POST",
        "campaigns",
        {"name": "Harvest", "lists": [str(chosen.pk)], "variants": [{"subject": "Hi", "body": HELLO}]},
    )
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["status"], body["lists"], body["variants"][0]["label"]) == ("draft", [str(chosen.pk)], "A")
    assert made["ETag"] == '"1"'
    path = f"campaigns/{body['id']}"
    changed = call("PATCH", path, {"variants": [{"label": "A", "preview_text": "There"}]}, **{"If-Match": '"1"'})
    assert changed.status_code == 200
    assert (
        changed["ETag"],
        changed.json()["variants"][0]["subject"],
        changed.json()["variants"][0]["preview_text"],
    ) == ('"2"', "Hi", "There")
    assert call("PATCH", path, {"name": "Late"}, **{"If-Match": '"1"'}).status_code == 412
    assert call("GET", path).json()["name"] == "Harvest"
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404


def test_put_removes_variants_that_are_not_named(call: Caller) -> None:
    campaign = make_campaign(call.workspace, variants=[{"label": "A"}, {"label": "B"}])
    answer = call("PUT", f"campaigns/{campaign.pk}", {"name": "X", "variants": [{"label": "B", "subject": "Only"}]})
    assert [v["label"] for v in answer.json()["variants"]] == ["B"]


def test_hostile_templates_are_refused_with_line_and_column(call: Caller) -> None:
    answer = call(
        "POST", "campaigns", {"name": "X", "variants": [{"format": "html", "body": "<p>a</p>\n{{> /etc/passwd}}"}]}
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "variants.0.body"
    assert "Line 2, column 1" in answer.json()["errors"][0]["detail"]
    assert not Campaign.objects.exists()


def test_idempotent_creation_makes_one_campaign(call: Caller) -> None:
    answers = [call("POST", "campaigns", {"name": "Once"}, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert Campaign.objects.count() == 1


def test_audience_preflight_and_preview_answer_for_the_stored_campaign(call: Caller) -> None:
    maya = make_contact(call.workspace, first_name="Maya")
    campaign = make_campaign(call.workspace, lists=[make_list(call.workspace, maya)])
    audience = call("GET", f"campaigns/{campaign.pk}/audience").json()
    assert (audience["included"], audience["skipped"]) == (1, {})
    assert audience["finish_estimate"]
    checked = call("POST", f"campaigns/{campaign.pk}/preflight", {}).json()
    assert checked["ok"] is True
    assert {f["code"] for f in checked["findings"]} == {"domain_unverified"}
    preview = call("POST", f"campaigns/{campaign.pk}/preview", {"variant": "A", "contact": str(maya.pk)}).json()
    assert preview["subject"] == "Beans, Maya"
    assert "Hi Maya" in preview["text"]
    assert "pq_" not in preview["html"]
    assert preview["size_bytes"] == len(preview["html"].encode())


def test_a_copy_is_a_new_draft(call: Caller) -> None:
    campaign = make_campaign(call.workspace)
    answer = call("POST", f"campaigns/{campaign.pk}/duplicate", {"name": "Again"})
    assert (answer.status_code, answer.json()["name"], answer.json()["status"]) == (201, "Again", "draft")


@pytest.mark.parametrize("action", ["", "/audience", "/preflight", "/preview", "/duplicate"])
def test_another_workspaces_campaign_looks_absent(call: Caller, action: str) -> None:
    foreign = make_campaign(make_workspace("Other"))
    method = "GET" if action in ("", "/audience") else "POST"
    answers = [
        call(method, f"campaigns/{key}{action}", None if method == "GET" else {}) for key in (foreign.pk, uuid4())
    ]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


@pytest.mark.parametrize("field", ["sender", "lists", "exclude_lists", "segments"])
def test_another_workspaces_rows_cannot_be_named(call: Caller, field: str) -> None:
    other = make_workspace("Other")
    row = make_sender(other) if field == "sender" else make_list(other)
    value: Any = str(row.pk) if field == "sender" else [str(row.pk)]
    answer = call("POST", "campaigns", {"name": "X", field: value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_another_workspaces_contact_cannot_be_previewed(call: Caller) -> None:
    campaign = make_campaign(call.workspace)
    stranger = make_contact(make_workspace("Other"))
    assert call("POST", f"campaigns/{campaign.pk}/preview", {"contact": str(stranger.pk)}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "campaigns"), ("POST", "senders"), ("POST", "templates"), ("POST", "sending-domains")],
)
def test_analysts_may_read_but_not_write(method: str, path: str) -> None:
    call = Caller("analyst")
    assert call("GET", path).status_code == 200
    assert call(method, path, {"name": "X"}).status_code == 403


@pytest.mark.parametrize(
    "body",
    ['{"name": "x\\u0000"}', '{"name": "x", "variants": [{"body": "\\ud800"}]}', '{"name": 3, "variants": 4}',
     '{"name": "x", "variants": [{"body": ' + "[" * 400 + "]" * 400 + "}]}", '{"name": "x", "variants": [[]]}',
     '{"name": "x", "variants": [{"body": [[]]}]}', '{"name":"x","variants":[{"body":[{"type":["text"]}]}]}',
     '{"name":"x","variants":[{"body":[{"type":"text","html":{}}]}]}', '{"name":"x","utm":[1]}', "[]", "3", "{"],
)  # fmt: skip
def test_bad_bodies_are_400(call: Caller, body: str) -> None:
    assert call("POST", "campaigns", body).status_code == 400


def test_the_list_does_not_cost_a_query_per_row(call: Caller, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        make_campaign(call.workspace, name=f"Campaign {number}")
    with django_assert_max_num_queries(8):
        answer = call("GET", "campaigns?limit=10&sort=name&status=draft")
    assert len(answer.json()["results"]) == 10
    assert answer.json()["next"]
    assert "body" not in answer.json()["results"][0]["variants"][0]


def test_senders_are_kept_clean(call: Caller) -> None:
    made = call("POST", "senders", {"from_name": "Maya", "from_email": "maya@northwind.io", "reply_to": ""})
    assert made.status_code == 201
    assert SendingDomain.objects.get().name == "northwind.io"
    assert call("POST", "senders", {"from_name": "Maya", "from_email": "maya@northwind.io"}).status_code == 400
    assert (
        call("POST", "senders", {"from_name": "Maya\r\nBcc: x@y.z", "from_email": "m@northwind.io"}).status_code == 400
    )
    path = f"senders/{made.json()['id']}"
    assert call("PATCH", path, {"from_name": "Maya O."}).json()["from_name"] == "Maya O."
    campaign = make_campaign(call.workspace)
    assert call("DELETE", f"senders/{campaign.sender_id}").status_code == 409
    assert call("DELETE", path).status_code == 204


def test_a_domain_comes_with_its_records_and_a_check_says_how_each_stands(call: Caller, settings: Any) -> None:
    made = call("POST", "sending-domains", {"name": "Northwind.io."}).json()
    assert made["name"] == "northwind.io"
    records = {one["kind"]: one for one in made["records"]}
    assert [one["state"] for one in made["records"]] == ["unchecked"] * 3
    assert records["dkim"]["value"].startswith("v=DKIM1; k=rsa; p=MII")
    with dns_server() as (address, zone):
        settings.DNS_RESOLVER = address
        for one in made["records"]:
            zone[one["host"], one["type"]] = [one["value"]]
        checked = call("POST", f"sending-domains/{made['id']}/check", {}).json()
        assert checked["verified_at"]
        assert checked["signs_since"]
        assert [(one["kind"], one["is_right"]) for one in checked["findings"]] == [
            ("spf", True), ("dkim", True), ("dmarc", True)
        ]  # fmt: skip
        del zone["_dmarc.northwind.io", "TXT"]
        lost = call("POST", f"sending-domains/{made['id']}/check", {}).json()
    assert lost["verified_at"] is None
    assert {one["kind"]: one["state"] for one in lost["records"]} == {
        "spf": "right", "dkim": "right", "dmarc": "missing"
    }  # fmt: skip
    assert call("POST", "sending-domains", {"name": "not a domain"}).status_code == 400
    assert "PRIVATE" not in str(lost)


def test_templates_are_saved_and_checked(call: Caller) -> None:
    made = call("POST", "templates", {"name": "Welcome", "format": "markdown", "body": "# Hi {{first_name}}"})
    assert made.status_code == 201, made.json()
    assert call("POST", "templates", {"name": "Welcome"}).status_code == 400
    assert call("POST", "templates", {"name": "Bad", "format": "html", "body": "{{#a}}"}).status_code == 400
    path = f"templates/{made.json()['id']}"
    assert call("PATCH", path, {"subject": "Hello"}).json()["subject"] == "Hello"
    assert call("DELETE", path).status_code == 204


def test_what_is_sent_cannot_be_changed(call: Caller) -> None:
    campaign = make_campaign(call.workspace)
    Campaign.objects.update(status="sent")
    assert call("PATCH", f"campaigns/{campaign.pk}", {"name": "X"}).status_code == 409
    assert call("DELETE", f"campaigns/{campaign.pk}").status_code == 409
    assert Variant.objects.get().subject == "Beans, {{first_name}}"


def test_a_templates_versions_are_listed_and_restored(call: Caller) -> None:
    made = call("POST", "templates", {"name": "Welcome", "subject": "One", "purpose": "welcome"}).json()
    assert made["purpose"] == "welcome"
    path = f"templates/{made['id']}"
    changed = call("PATCH", path, {"subject": "Two"}).json()
    assert changed["revision"] != made["revision"]
    kept = call("GET", f"{path}/versions").json()["results"]
    assert [(version["number"], version["subject"], version["note"]) for version in kept] == [
        (2, "Two", ""),
        (1, "One", "As it began"),
    ]
    assert call("POST", f"{path}/versions/1/restore").json()["subject"] == "One"
    assert call("GET", path).json()["subject"] == "One"
    assert call("POST", f"{path}/versions/9/restore").status_code == 404
    assert call("POST", "templates", {"name": "X", "purpose": "evil"}).status_code == 400

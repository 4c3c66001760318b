"""The walk over every route: as another tenant, as a lesser role, and as nobody.

Each route of the resolver is called with every method that it handles. Asked are: is the answer one of 401, 403, 404
(or the way to the sign-in page), is it the same as for a row that does not exist, does it hold nothing of the victim's,
and is every row of the victim's what it was. Ids are put into the path, the query and the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Workspace
from accounts.permissions import role_allows
from pulsequill.core.ids import uuid7
from tests.architecture import route_table
from tests.architecture.routes import METHODS, Route, all_routes
from tests.architecture.rows import OURS, Tenant, crossing_rows, fingerprint, make_tenant

VICTIM, STRANGER = "victimmark", "strangermark"
REFUSALS = {401, 403, 404}
TABLE = route_table.listed()
ROUTES = {route.pattern: route for route in all_routes() if not route.pattern.startswith(route_table.OPERATOR_PREFIX)}
TENANT_ROUTES = [
    route for pattern, route in ROUTES.items() if TABLE.get(pattern, None) and TABLE[pattern].kind == "tenant"
]
WITH_ID = [route for route in TENANT_ROUTES if TABLE[route.pattern].model]
MODELS = {model.__name__: model for label in OURS for model in apps.get_app_config(label).get_models()}

by_pattern = pytest.mark.parametrize("route", TENANT_ROUTES, ids=lambda route: route.pattern)
by_id_pattern = pytest.mark.parametrize("route", WITH_ID, ids=lambda route: route.pattern)


# --- the two tenants -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tenants(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Tenant, Tenant]]:
    """Two workspaces with one row of everything, made once: each call is rolled back."""
    with django_db_blocker.unblock():
        pair = make_tenant("victim", VICTIM), make_tenant("stranger", STRANGER)
    yield pair
    with django_db_blocker.unblock():
        Workspace.objects.filter(pk__in=[tenant.workspace.pk for tenant in pair]).delete()
        for tenant in pair:
            tenant.owner.delete()
            tenant.analyst.delete()


class Caller:
    """Somebody who calls routes: over `/v1` with a token, on pages with a session."""

    def __init__(self, tenant: Tenant | None, role: str = "owner") -> None:
        self.tenant, self.role = tenant, role

    def __call__(self, route: Route, method: str, path: str, *, query: str = "", body: Any = None) -> Answer:
        client = Client(raise_request_exception=False)
        headers = {}
        if self.tenant is not None:
            user = self.tenant.owner if self.role == "owner" else self.tenant.analyst
            if route.is_api:
                headers["Authorization"] = f"Bearer {self.tenant.access(user)}"
            else:
                client.force_login(user)
        sent: dict[str, Any] = {"headers": headers}
        if body is not None and method != "get":
            sent |= {"data": json.dumps(body), "content_type": "application/json"} if route.is_api else {"data": body}
        answer = getattr(client, method)(path + query, **sent)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return Answer(answer.status_code, content.decode("utf-8", "replace"), answer.get("Location", ""))


class Answer:
    """What came back."""

    def __init__(self, status: int, text: str, location: str) -> None:
        self.status, self.text, self.location = status, text, location

    def plain(self, *ids: str) -> str:
        """The answer without what differs from call to call, and without the id that was asked for."""
        text = self.text
        for one in ids:
            text = text.replace(f"/{one}", "/ID")
        return re.sub(r'nonce="[^"]*"|content="[^"]*"|value="[^"]*"|"request_id":"[^"]*"|[0-9a-f-]{36}', "", text)


class Rolled:
    """Run a call, look at what it did, and undo it."""

    def __init__(self, victim: Tenant) -> None:
        self.victim = victim

    def __enter__(self) -> Rolled:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.before = fingerprint(self.victim.workspace.pk)
        return self

    def changed(self) -> list[str]:
        """Return the tables in which the victim's rows are not what they were."""
        try:
            after = fingerprint(self.victim.workspace.pk)
        except DatabaseError:
            return []  # the transaction is dead: nothing it did can be kept
        # A sign-in of the caller's own is no row of the victim's.
        return sorted(table for table in self.before if after[table] != self.before[table])

    def __exit__(self, *exc: Any) -> None:
        transaction.set_rollback(True)
        self._atomic.__exit__(None, None, None)


def values_for(route: Route, row_id: str) -> dict[str, str]:
    """Return the parameters of a route: the id, and words for the rest."""
    return {name: route_table.WORDS.get(name, row_id) for name in route.parameters()}


def id_of(tenant: Tenant, route: Route) -> str:
    """Return the id of the tenant's row that a route is about ('' when it is about none)."""
    name = TABLE[route.pattern].model
    return tenant.public_id(MODELS[name]) if name else ""


def absent_id(route: Route) -> str:
    """Return an id that nobody has."""
    return str(uuid7()) if "<uuid:" in route.pattern or "<int:" not in route.pattern else "987654321"


def handled(route: Route) -> list[str]:
    """Return the methods that a route handles."""
    return [method for method in METHODS if route.handler_name(method) is not None]


# --- the table -------------------------------------------------------------------------------------------------------
def test_the_walk_knows_every_route() -> None:
    unknown = sorted(set(ROUTES) - set(TABLE))
    gone = sorted(set(TABLE) - set(ROUTES))
    assert not unknown, "Say in tests/architecture/route_table.py what kind of address these are: " + ", ".join(unknown)
    assert not gone, "These routes are listed but do not exist: " + ", ".join(gone)


def test_routes_are_built_on_the_base_of_their_kind() -> None:
    wrong = [
        f"{pattern}: listed as {TABLE[pattern].kind}, built as {route.kind}"
        for pattern, route in ROUTES.items()
        if pattern in TABLE and (TABLE[pattern].kind == "tenant") != (route.kind == "tenant")
    ]
    assert not wrong


def test_routes_with_an_id_say_whose() -> None:
    missing = [
        route.pattern
        for route in TENANT_ROUTES
        if set(route.parameters()) - set(route_table.WORDS) and TABLE[route.pattern].model not in MODELS
    ]
    assert not missing


# --- another tenant --------------------------------------------------------------------------------------------------
@by_id_pattern
def test_another_tenant_finds_nothing_under_the_victims_id(
    db: None, tenants: tuple[Tenant, Tenant], route: Route
) -> None:
    victim, stranger = tenants
    call, wanted, nobodys = Caller(stranger), id_of(victim, route), absent_id(route)
    for method in handled(route):
        body = (_schema_bodies(route, method, victim) or [{}])[0]
        with Rolled(victim) as watch:
            answer = call(route, method, route.path(values_for(route, wanted)), body=body)
            assert answer.status in REFUSALS, f"{method} answered {answer.status}: {answer.text[:300]}"
            assert VICTIM not in answer.text
            assert not watch.changed(), method
        with Rolled(victim):
            absent = call(route, method, route.path(values_for(route, nobodys)), body=body)
        assert (answer.status, answer.plain(wanted)) == (absent.status, absent.plain(nobodys)), method


def _ids(tenant: Tenant, *, as_list: bool) -> dict[str, Any]:
    found = {}
    for name, model in route_table.ID_FIELDS.items():
        one = tenant.public_id(MODELS[model])
        found[name] = [one] if as_list and name.endswith("s") else one
    return found


@by_pattern
def test_another_tenant_reaches_nothing_by_query_or_body(
    db: None, tenants: tuple[Tenant, Tenant], route: Route
) -> None:
    victim, stranger = tenants
    call = Caller(stranger)
    path = route.path(values_for(route, id_of(stranger, route)))
    query = "?" + "&".join(f"{name}={value}" for name, value in _ids(victim, as_list=False).items())
    for method in handled(route):
        bodies = [_ids(victim, as_list=True), *_schema_bodies(route, method, victim)] if method != "get" else [None]
        for body in bodies:
            with Rolled(victim) as watch:
                answer = call(route, method, path, query=query, body=body)
                assert answer.status < 500, f"{method} answered {answer.status}"
                assert VICTIM not in answer.text, f"{method} showed the victim's data"
                assert not watch.changed(), f"{method} changed the victim's rows"
                if not connection.needs_rollback and method != "get":
                    assert not crossing_rows(), f"{method} tied rows of two workspaces together"


# --- bodies from OpenAPI ---------------------------------------------------------------------------------------------
@cache
def _openapi() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def _schema_bodies(route: Route, method: str, victim: Tenant) -> list[dict[str, Any]]:
    """Return a body that fits the operation's schema, with the victim's id wherever an id may stand."""
    if not route.is_api:
        return []
    wanted = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path({n: f"{{{n}}}" for n in route.parameters()}))
    operation = _openapi()["paths"].get(wanted, {}).get(method)
    content = (operation or {}).get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return []
    return [_example(content["schema"], victim, name="", depth=0)]


def _example(shape: dict[str, Any], victim: Tenant, *, name: str, depth: int) -> Any:
    if "$ref" in shape:
        shape = _openapi()["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    for key in ("allOf", "oneOf", "anyOf"):
        if key in shape:
            return _example(shape[key][0], victim, name=name, depth=depth)
    kind = shape.get("type")
    kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
    if "enum" in shape:
        return shape["enum"][0]
    if kind == "object" or "properties" in shape:
        return {
            key: _example(part, victim, name=key, depth=depth + 1)
            for key, part in shape.get("properties", {}).items()
            if not part.get("readOnly") and depth < 4
        }
    if kind == "array":
        return [_example(shape.get("items", {}), victim, name=name, depth=depth + 1)]
    if shape.get("format") == "uuid" or name in route_table.ID_FIELDS:
        model = {**route_table.SOMETIMES_IDS, **route_table.ID_FIELDS}.get(name)
        assert model, f"Say in route_table.ID_FIELDS which rows `{name}` means."
        return victim.public_id(MODELS[model])
    by_format = {"email": "a@b.example", "uri": "https://a.example/x", "date-time": "2027-01-01T00:00:00Z"}
    return by_format.get(shape.get("format", "")) or {"integer": 1, "number": 1, "boolean": True}.get(
        kind or "", "text"
    )


def test_every_operation_has_a_route_in_the_walk() -> None:
    known = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{pattern}") for pattern in TABLE}
    assert sorted(set(_openapi()["paths"]) - known) == []


# --- a lesser role ---------------------------------------------------------------------------------------------------
@by_pattern
def test_an_analyst_changes_nothing(db: None, tenants: tuple[Tenant, Tenant], route: Route) -> None:
    victim, _ = tenants
    call = Caller(victim, role="analyst")
    path = route.path(values_for(route, id_of(victim, route)))
    for method in handled(route):
        if not role_allows("analyst", route.permission(method)):
            with Rolled(victim) as watch:
                answer = call(route, method, path, body=_ids(victim, as_list=True))
                assert answer.status == 403, f"{method} answered {answer.status}"
                assert not watch.changed(), method
        elif method != "get" and route.pattern not in route_table.ANALYST_WRITES:
            with Rolled(victim) as watch:
                answer = call(route, method, path, body=_ids(victim, as_list=True))
                assert answer.status < 500, f"{method} answered {answer.status}"
                assert not watch.changed(), f"{method} changed rows, but asks only for {route.permission(method)}"


# --- nobody ----------------------------------------------------------------------------------------------------------
@by_pattern
def test_nobody_gets_in(db: None, tenants: tuple[Tenant, Tenant], route: Route) -> None:
    victim, _ = tenants
    path = route.path(values_for(route, id_of(victim, route)))
    for method in handled(route):
        with Rolled(victim) as watch:
            answer = Caller(None)(route, method, path, body={})
            if route.is_api:
                assert answer.status == 401, f"{method} answered {answer.status}"
            else:
                assert (answer.status, answer.location.split("?")[0]) == (302, "/sign-in"), method
            assert VICTIM not in answer.text
            assert not watch.changed(), method


@pytest.mark.parametrize("pattern", [p for p, line in TABLE.items() if line.kind == "person"])
def test_pages_about_a_person_need_one(db: None, pattern: str) -> None:
    route = ROUTES[pattern]
    for method in handled(route):
        answer = Caller(None)(route, method, route.path({}), body={})
        assert answer.status == 401 or (answer.status == 302 and answer.location.startswith("/sign-in")), method


@pytest.mark.parametrize("pattern", [p for p, line in TABLE.items() if line.kind == "public"])
def test_public_addresses_show_and_change_nothing_for_nonsense(
    db: None, tenants: tuple[Tenant, Tenant], pattern: str
) -> None:
    victim, _ = tenants
    route = ROUTES[pattern]
    path = (
        "/v1/nothing"
        if pattern == "v1/.*"
        else route.path({name: victim.public_id(MODELS["Contact"]) for name in route.parameters()})
    )
    for method in ("get", "post"):
        with Rolled(victim) as watch:
            answer = Caller(None)(route, method, path, body=_ids(victim, as_list=True))
            assert answer.status < 500 or answer.status == 503, f"{method} answered {answer.status}"
            assert VICTIM not in answer.text
            assert not watch.changed()


def test_the_admin_is_for_staff(db: None, tenants: tuple[Tenant, Tenant]) -> None:
    _, stranger = tenants
    client = Client()
    client.force_login(stranger.owner)
    for route in all_routes():
        if route.pattern.startswith(route_table.OPERATOR_PREFIX) and route.pattern != "admin/logout/":
            path = "/" + re.sub(r"<(?:\w+:)?\w+>", "1", route.pattern)
            if "login" in path or "(" in path or ".*" in path:
                continue
            answer = client.get(path)
            assert answer.status_code in (302, 403, 404, 405), path
            if answer.status_code == 302:
                assert "/admin/" in answer["Location"] or "/login/" in answer["Location"], path

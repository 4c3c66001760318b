"""When something PulseQuill needs is away: 503 and "try again", on whichever layer it is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from redis.exceptions import ConnectionError as ValkeyAway

failure: Exception = RuntimeError()


def fail(_request: HttpRequest) -> HttpResponse:
    raise failure


def failing_middleware(_get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    return fail


urlpatterns = [path("fail", fail), path("v1/fail", fail)]
handler500 = "pulsequill.core.error_views.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def fail_with(error: Exception) -> None:
    global failure
    failure = error


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed"), ValkeyAway("refused")])
@override_settings(MIDDLEWARE=[])
def test_a_page_says_try_again(visitor: Client, error: Exception) -> None:
    fail_with(error)
    answer = visitor.get("/fail", HTTP_ACCEPT="text/html")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert b"Nothing is lost" in answer.content


@override_settings(MIDDLEWARE=[])
def test_a_program_gets_a_problem(visitor: Client) -> None:
    fail_with(OperationalError("gone"))
    answer = visitor.get("/v1/fail")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "unavailable"


@override_settings(MIDDLEWARE=[f"{__name__}.failing_middleware"])
def test_a_dependency_that_is_away_in_a_middleware_is_no_bug_either(visitor: Client) -> None:
    fail_with(OperationalError("gone"))
    assert visitor.get("/fail").status_code == 503


@override_settings(MIDDLEWARE=[])
def test_a_bug_stays_a_500(visitor: Client) -> None:
    fail_with(RuntimeError("a bug"))
    assert visitor.get("/fail").status_code == 500

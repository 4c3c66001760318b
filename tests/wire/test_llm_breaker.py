"""The circuit breaker on the wire: a provider that keeps failing is left alone, and tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiwriter.gateway import breaker
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from pulsequill.core.valkey import counters_client
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.asking import GOOD, MODELS, Asker

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def _fail(asker: Asker, provider: str = "openai", **options) -> str:
    with pytest.raises(GatewayError) as error:
        asker.ask(provider, **options)
    return error.value.code


def _let_time_pass() -> None:
    """Let the half minute of an open breaker be over."""
    client = counters_client()
    for key in client.scan_iter("ai:breaker:*:open"):
        client.delete(key)


def test_a_provider_that_keeps_failing_is_not_asked_any_more(server):
    server.otherwise = lambda _request: Reply(status=500)
    asker = Asker(server, "openai")
    codes = [_fail(asker, task=f"writer:{letter}") for letter in "ABCDE"]

    assert codes[-1] == "provider_paused"
    assert len(server.requests) == breaker.FAILURES_TO_OPEN == len(asker.steps)


def test_the_other_family_answers_while_the_first_is_paused(server):
    server.otherwise = lambda request: Reply(GOOD) if request.provider == "anthropic" else Reply(status=529)
    asker = Asker(server, "openai", "anthropic")
    for letter in "ABC":
        asker.ask("openai", task=f"writer:{letter}")
    asked = len(server.requests)

    result = asker.ask("openai", task="writer:D")

    assert (result.provider, result.fallback_from) == ("anthropic", MODELS["openai"])
    assert len(server.requests) == asked + 1, "the paused provider was not asked"


def test_after_the_pause_one_call_tries_and_closes_it(server):
    server.otherwise = lambda _request: Reply(status=500)
    asker = Asker(server, "openai")
    for letter in "ABC":
        _fail(asker, task=f"writer:{letter}")
    _let_time_pass()
    server.otherwise = lambda _request: Reply(GOOD)

    assert asker.ask("openai", task="writer:D").parsed.title == "It is back"
    assert asker.ask("openai", task="writer:E").parsed.title == "It is back"


def test_a_failed_trial_opens_it_again_at_once(server):
    server.otherwise = lambda _request: Reply(status=500)
    asker = Asker(server, "openai")
    for letter in "ABC":
        _fail(asker, task=f"writer:{letter}")
    _let_time_pass()
    asked = len(server.requests)

    assert _fail(asker, task="writer:D") == "provider_paused", "the retry after the failed trial is not made"
    assert len(server.requests) == asked + 1


def test_only_one_caller_tries_at_a_time():
    one = opened()

    assert [one.allows_call(f"caller {number}") for number in range(5)] == [True, False, False, False, False]


@pytest.mark.parametrize("code", ["cancelled", "budget_exceeded", "context_overflow", "provider_rate_limited"])
def test_a_trial_that_says_nothing_about_the_provider_lets_the_next_one_try(code):
    one = opened()

    with pytest.raises(GatewayError, match=code), one.guarding():
        raise GatewayError(code)

    assert one.allows_call("the next"), "the right to try was given back"
    assert not one.allows_call("one more")


def test_whoever_is_not_on_trial_does_not_end_the_trial_of_another():
    one = opened()
    assert one.allows_call("the one that tries")
    with pytest.raises(GatewayError, match="provider_paused"), one.guarding():
        raise AssertionError("the call was allowed")

    assert not one.allows_call("somebody else")


def test_an_answer_that_nobody_can_use_is_still_a_sign_of_health():
    one = opened()

    with pytest.raises(GatewayError), one.guarding():
        raise GatewayError("answer_refused")

    assert all(one.allows_call(f"caller {number}") for number in range(3))


def opened() -> breaker.Breaker:
    """A breaker that was open and lets one caller try."""
    one = breaker.Breaker.of(provider="openai", model="m", config=ProviderConfig("key", "url"))
    for _ in range(breaker.FAILURES_TO_OPEN):
        one.note_failure("provider_error")
    assert not one.allows_call("anybody")
    _let_time_pass()
    return one


def test_a_refused_key_is_left_alone_and_a_new_key_works_at_once(server):
    server.script.append(Reply(status=401))
    server.otherwise = lambda _request: Reply(GOOD)
    asker = Asker(server, "openai")
    assert _fail(asker) == "provider_auth"

    assert _fail(asker, task="writer:B") == "provider_paused"
    renewed = Asker(server, "openai", workspace=asker.generation.workspace, key="sk-new")
    assert renewed.ask("openai").parsed.title == "It is back"


def test_a_bad_question_opens_nothing(server):
    server.otherwise = lambda _request: Reply(status=400)
    asker = Asker(server, "openai")

    codes = {_fail(asker, task=f"writer:{number}") for number in range(8)}

    assert codes == {"provider_rejected"}

"""The circuit breaker on the wire: a provider that keeps failing is left alone, and tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiwriter.gateway import breaker
from aiwriter.gateway.errors import GatewayError
from pulsequill.core.valkey import counters_client
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.llm_bench import GOOD, MODELS, Bench

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def _fail(bench: Bench, provider: str = "openai", **options) -> str:
    with pytest.raises(GatewayError) as error:
        bench.ask(provider, **options)
    return error.value.code


def _let_time_pass() -> None:
    """Let the half minute of an open breaker be over."""
    client = counters_client()
    for key in client.scan_iter("ai:breaker:*:open"):
        client.delete(key)


def test_a_provider_that_keeps_failing_is_not_asked_any_more(server):
    server.otherwise = lambda _request: Reply(status=500)
    bench = Bench(server, "openai")
    codes = [_fail(bench, task=f"writer:{letter}") for letter in "ABCDE"]

    assert codes[-1] == "provider_paused"
    assert len(server.requests) == breaker.FAILURES_TO_OPEN == len(bench.steps)


def test_the_other_family_answers_while_the_first_is_paused(server):
    server.otherwise = lambda request: Reply(GOOD) if request.provider == "anthropic" else Reply(status=529)
    bench = Bench(server, "openai", "anthropic")
    for letter in "ABC":
        bench.ask("openai", task=f"writer:{letter}")
    asked = len(server.requests)

    result = bench.ask("openai", task="writer:D")

    assert (result.provider, result.fallback_from) == ("anthropic", MODELS["openai"])
    assert len(server.requests) == asked + 1, "the paused provider was not asked"


def test_after_the_pause_one_call_tries_and_closes_it(server):
    server.otherwise = lambda _request: Reply(status=500)
    bench = Bench(server, "openai")
    for letter in "ABC":
        _fail(bench, task=f"writer:{letter}")
    _let_time_pass()
    server.otherwise = lambda _request: Reply(GOOD)

    assert bench.ask("openai", task="writer:D").parsed.title == "It is back"
    assert bench.ask("openai", task="writer:E").parsed.title == "It is back"


def test_a_failed_trial_opens_it_again_at_once(server):
    server.otherwise = lambda _request: Reply(status=500)
    bench = Bench(server, "openai")
    for letter in "ABC":
        _fail(bench, task=f"writer:{letter}")
    _let_time_pass()
    asked = len(server.requests)

    assert _fail(bench, task="writer:D") == "provider_paused", "the retry after the failed trial is not made"
    assert len(server.requests) == asked + 1


def test_only_one_caller_tries_at_a_time():
    one = breaker.Breaker.of(provider="openai", model="m", api_key="k", base_url="u")
    for _ in range(breaker.FAILURES_TO_OPEN):
        one.note_failure("provider_error")
    assert not one.allows_call()
    _let_time_pass()

    assert [one.allows_call() for _ in range(5)] == [True, False, False, False, False]


def test_a_refused_key_is_left_alone_and_a_new_key_works_at_once(server):
    server.script.append(Reply(status=401))
    server.otherwise = lambda _request: Reply(GOOD)
    bench = Bench(server, "openai")
    assert _fail(bench) == "provider_auth"

    assert _fail(bench, task="writer:B") == "provider_paused"
    renewed = Bench(server, "openai", workspace=bench.generation.workspace, key="sk-new")
    assert renewed.ask("openai").parsed.title == "It is back"


def test_a_bad_question_opens_nothing(server):
    server.otherwise = lambda _request: Reply(status=400)
    bench = Bench(server, "openai")

    codes = {_fail(bench, task=f"writer:{number}") for number in range(8)}

    assert codes == {"provider_rejected"}

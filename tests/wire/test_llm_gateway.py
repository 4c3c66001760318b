"""The gateway against both providers on the wire, through LangChain and the real SDKs.

For every way that a provider can answer: what the caller gets, which audit rows stay, what was charged, what was sent.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.types import Delta
from aiwriter.models import BudgetHold
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.llm_bench import COSTS, GOOD, MODELS, Answer, Bench

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["openai", "anthropic"])
def provider(request) -> str:
    return request.param


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def test_a_structured_answer_arrives_with_its_usage_and_price(server, provider):
    server.script.append(Reply(GOOD))
    bench = Bench(server, "openai", "anthropic")

    result = bench.ask(provider)

    assert isinstance(result.parsed, Answer)
    assert result.parsed.title == "It is back"
    assert result.cost_micro_usd == COSTS[provider] == bench.cost
    (step,) = bench.steps
    assert (step.provider, step.model_requested, step.usage_source) == (provider, MODELS[provider], "provider")
    assert (step.input_tokens, step.output_tokens, step.error_class, step.attempt) == (100, 50, "", 1)
    assert step.model_served == f"{MODELS[provider]}-2026"
    assert step.price.model == MODELS[provider]
    assert step.output_text == GOOD
    assert BudgetHold.objects.count() == 0


def test_it_streams_all_text_so_far(server, provider):
    server.script.append(Reply(GOOD, pieces=6))
    bench = Bench(server, "openai", "anthropic")

    events = list(bench.gateway.stream(bench.request(provider)))

    texts = [event.text for event in events if isinstance(event, Delta)]
    assert len(texts) >= 5
    assert all(GOOD.startswith(text) for text in texts)
    assert texts[-1] == GOOD
    assert bench.steps[0].first_token_ms is not None


def test_what_is_sent_is_what_was_meant(server, provider):
    server.script.append(Reply(GOOD))
    Bench(server, "openai", "anthropic").ask(provider, temperature=0.4)

    (request,) = server.requests
    body = request.body
    assert body["stream"] is True
    assert "{{harvest}} {roast} 100%" in json.dumps(body["messages"])
    assert request.properties == {"title", "points"}
    if provider == "openai":
        assert body["response_format"]["json_schema"]["strict"] is True
        assert body["stream_options"] == {"include_usage": True}
        assert body.get("max_completion_tokens", body.get("max_tokens")) == 1500
        assert body["temperature"] == 0.4
    else:
        assert body["output_config"]["effort"] == "low"
        assert "maxLength" not in json.dumps(body["output_config"])
        assert body["max_tokens"] == 3500, "room for thinking"
        assert "temperature" not in body, "this model refuses it"
        assert "thinking" not in body


def test_a_wrong_shape_is_repaired_once(server, provider):
    server.script.extend([Reply('{"title": 5}'), Reply(GOOD)])
    bench = Bench(server, "openai", "anthropic")

    result = bench.ask(provider)

    assert result.parsed.title == "It is back"
    assert [step.error_class for step in bench.steps] == ["", ""]
    assert bench.cost == 2 * COSTS[provider], "both answers were made and are paid for"
    said = json.dumps(server.requests[1].body["messages"])
    assert "points" in said
    assert "That answer cannot be used" in said


def test_a_shape_that_stays_wrong_is_an_error(server, provider):
    server.otherwise = lambda _request: Reply("not json at all")
    bench = Bench(server, "openai", "anthropic")

    with pytest.raises(GatewayError) as error:
        bench.ask(provider)

    assert error.value.code == "answer_invalid"
    assert len(server.requests) == 2 == len(bench.steps)


def test_a_truncated_answer_gets_more_room_once(server, provider):
    finish = {"openai": "length", "anthropic": "max_tokens"}[provider]
    server.script.extend([Reply(GOOD[:20], finish=finish), Reply(GOOD)])
    bench = Bench(server, "openai", "anthropic")

    assert bench.ask(provider).parsed.title == "It is back"

    assert [step.error_class for step in bench.steps] == ["answer_truncated", ""]
    limits = [step.params["max_output_tokens"] for step in bench.steps]
    assert limits == [1500, 3000]
    assert bench.cost == 2 * COSTS[provider]


@pytest.mark.parametrize(
    ("reply", "code", "calls"),
    [
        (Reply(status=401), "provider_auth", 1),
        (Reply(status=429, error_code="insufficient_quota"), "provider_quota", 1),
        (Reply(status=500), "provider_error", 2),
        (Reply(status=529), "provider_overloaded", 2),
        (Reply(fault="html"), "provider_bad_answer", 2),
        (Reply(fault="empty_choices"), "provider_incomplete", 2),
        (Reply(GOOD, fault="clean_eof"), "provider_incomplete", 2),
        (Reply(GOOD, fault="reset"), "provider_unreachable", 2),
        (Reply(GOOD, finish="refused"), "answer_refused", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_fault_has_its_code_its_tries_and_its_audit_rows(server, provider, reply, code, calls):
    if code == "answer_refused":
        reply = Reply("", finish={"openai": "content_filter", "anthropic": "refusal"}[provider])
    server.otherwise = lambda _request: reply
    bench = Bench(server, provider)

    with pytest.raises(GatewayError) as error:
        bench.ask(provider)

    allowed = {code, "provider_incomplete", "provider_bad_answer"} if reply.fault else {code}
    assert error.value.code in allowed
    assert len(server.requests) == calls == len(bench.steps)
    assert {step.error_class for step in bench.steps} == {error.value.code}
    if reply.status != 200 or reply.fault == "html":
        assert bench.cost == 0
    if reply.fault in ("clean_eof", "reset"):
        assert bench.cost > 0, "what arrived was made and is charged by estimate"
    assert BudgetHold.objects.count() == 0


@pytest.mark.parametrize("status", [401, 429, 500, 529])
def test_the_other_family_steps_in_and_it_is_recorded(server, provider, status):
    other = {"openai": "anthropic", "anthropic": "openai"}[provider]
    server.otherwise = lambda request: Reply(GOOD) if request.provider == other else Reply(status=status)
    bench = Bench(server, "openai", "anthropic")

    result = bench.ask(provider)

    assert (result.provider, result.fallback_from) == (other, MODELS[provider])
    last = bench.steps[-1]
    assert (last.provider, last.fallback_from, last.error_class) == (other, MODELS[provider], "")
    assert bench.cost == COSTS[other]


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_not(server, provider):
    server.script.extend([Reply(status=429, retry_after="2"), Reply(GOOD)])
    bench = Bench(server, provider)
    assert bench.ask(provider).parsed.title == "It is back"
    assert bench.waits == [2.0]

    server.script.append(Reply(status=429, retry_after="60"))
    with pytest.raises(GatewayError) as error:
        bench.ask(provider, task="writer:B")

    assert error.value.code == "provider_rate_limited"
    assert bench.waits == [2.0]


def test_a_dribbling_server_does_not_outlast_the_deadline(server, provider):
    server.otherwise = lambda _request: Reply(GOOD * 10, pieces=200, fault="dribble")
    bench = Bench(server, provider)

    with pytest.raises(GatewayError) as error:
        bench.ask(provider, deadline_s=1.5)

    assert error.value.code == "deadline_exceeded"
    (step,) = bench.steps
    assert step.latency_ms < 5000
    assert step.cost_micro_usd > 0


def test_a_silent_server_is_a_timeout(server, provider):
    server.otherwise = lambda _request: Reply(fault="silent")
    bench = Bench(server, provider)

    with pytest.raises(GatewayError) as error:
        bench.ask(provider, deadline_s=0.3)

    assert error.value.code == "provider_timeout"
    assert bench.cost == 0


def test_cancelling_closes_the_connection_upstream(server, provider):
    server.otherwise = lambda _request: Reply(GOOD * 40, pieces=400, fault="dribble")
    bench = Bench(server, provider)
    stream = bench.gateway.stream(bench.request(provider))
    next(stream)

    bench.is_cancelled = True
    with pytest.raises(GatewayError) as error:
        list(stream)

    assert error.value.code == "cancelled"
    (step,) = bench.steps
    assert (step.error_class, step.usage_source) == ("cancelled", "estimated")
    assert step.cost_micro_usd > 0, "what was made before is charged"
    _until(lambda: server.disconnects == 1)


def test_cancelling_reaches_a_provider_that_has_said_nothing_yet(server, provider):
    server.otherwise = lambda _request: Reply(fault="silent")
    bench = Bench(server, provider)
    threading.Timer(0.5, lambda: setattr(bench, "is_cancelled", True)).start()
    started = time.monotonic()

    with pytest.raises(GatewayError) as error:
        bench.ask(provider, deadline_s=60)

    assert error.value.code == "cancelled"
    assert time.monotonic() - started < 10, "nobody waits for the provider's minute"
    _until(lambda: server.disconnects == 1)


def test_a_run_that_takes_over_does_not_ask_again(server, provider):
    server.script.append(Reply(GOOD))
    bench = Bench(server, provider)
    first = bench.ask(provider)

    again = bench.ask(provider)

    assert again.parsed == first.parsed
    assert again.is_reused
    assert (again.cost_micro_usd, len(server.requests), len(bench.steps)) == (0, 1, 1)


def test_without_budget_nothing_is_sent(server, provider):
    bench = Bench(server, "openai", "anthropic")
    from aiwriter.services.money import set_budget

    set_budget(workspace=bench.generation.workspace, actor=None, cap_micro_usd=10, warn_percent=80)

    with pytest.raises(GatewayError) as error:
        bench.ask(provider)

    assert error.value.code == "budget_exceeded"
    assert server.requests == []


def test_a_missing_usage_is_estimated(server):
    server.script.append(Reply(GOOD, input_tokens=0, output_tokens=0))
    bench = Bench(server, "openai")

    result = bench.ask("openai")

    assert result.usage.source == "estimated"
    assert result.usage.input_tokens > 0
    assert bench.cost > 0


def _until(condition, *, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)

"""Every way in which a provider can answer, as a table: what the caller gets, what is charged, what is tried again.

Both providers, LangChain, the real SDKs and HTTP; only the provider's end of the wire is ours. A row holds for both
families. What is sent stands in a second table, by model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from aiwriter.gateway import breaker
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.types import Delta, LLMResult
from aiwriter.models import BudgetHold, GenerationStep, ModelPrice
from pulsequill.core.valkey import counters_client
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.wire.asking import COSTS, GOOD, MODELS, Asker

pytestmark = pytest.mark.django_db
PROVIDERS = ("openai", "anthropic")


#: What comes over the wire, one reply after the other; the last one again and again.
WIRE = {
    "ok": [Reply(GOOD, pieces=1)],
    "streamed": [Reply(GOOD, pieces=6)],
    "no usage told": [Reply(GOOD, input_tokens=0, output_tokens=0)],
    "wrong shape, then right": [Reply('{"title": 5}'), Reply(GOOD)],
    "wrong shape twice": [Reply("not JSON at all")],
    "truncated, then whole": [Reply(GOOD[:20], finish="truncated"), Reply(GOOD)],
    "truncated twice": [Reply(GOOD[:20], finish="truncated")],
    "400": [Reply(status=400)],
    "401": [Reply(status=401)],
    "403": [Reply(status=403)],
    "413": [Reply(status=413)],
    "429, come back in 2 s": [Reply(status=429, retry_after="2"), Reply(GOOD)],
    "429, come back in 60 s": [Reply(status=429, retry_after="60")],
    "429, no word when": [Reply(status=429), Reply(GOOD)],
    "429, no credit": [Reply(status=429, error_code="insufficient_quota")],
    "402, no credit": [Reply(status=402, error_code="billing_error")],
    "500": [Reply(status=500)],
    "500, then an answer": [Reply(status=500), Reply(GOOD)],
    "529": [Reply(status=529)],
    "HTML with 200": [Reply(fault="html")],
    "empty choices": [Reply(fault="empty_choices")],
    "reset": [Reply(GOOD, fault="reset")],
    "clean end of stream": [Reply(GOOD, fault="clean_eof")],
    "error in the stream": [Reply(GOOD, fault="error_event")],
    "dribble": [Reply(GOOD * 10, pieces=200, fault="dribble")],
    "timeout": [Reply(fault="silent")],
    "refusal": [Reply("", finish="refused")],
    "endless": [Reply("x" * 60_000, pieces=400)],
}
#: What must come of it. Each call leaves one audit row: how it ended, and whether it was charged by the provider's
#: count, by our estimate or not at all. `waits`: seconds between the calls. `breaker`: what it thinks afterwards.
MATRIX = """
what comes              | the caller gets       | each call                    | is charged       | waits | breaker
ok                      | the answer            | fine                         | counted          |       | well
streamed                | the answer            | fine                         | counted          |       | well
no usage told           | the answer            | fine                         | estimated        |       | well
wrong shape, then right | the answer            | 2 x fine                     | 2 x counted      |       | well
wrong shape twice       | answer_invalid        | 2 x fine                     | 2 x counted      |       | well
truncated, then whole   | the answer            | answer_truncated, fine       | 2 x counted      |       | well
truncated twice         | answer_truncated      | 2 x answer_truncated         | 2 x counted      |       | well
400                     | provider_rejected     | provider_rejected            | nothing          |       | well
401                     | provider_auth         | provider_auth                | nothing          |       | open
403                     | provider_auth         | provider_auth                | nothing          |       | open
413                     | context_overflow      | context_overflow             | nothing          |       | well
429, come back in 2 s   | the answer            | provider_rate_limited, fine  | nothing, counted | 2     | well
429, come back in 60 s  | provider_rate_limited | provider_rate_limited        | nothing          |       | well
429, no word when       | the answer            | provider_rate_limited, fine  | nothing, counted | 1     | well
429, no credit          | provider_quota        | provider_quota               | nothing          |       | open
402, no credit          | provider_quota        | provider_quota               | nothing          |       | open
500                     | provider_error        | 2 x provider_error           | 2 x nothing      | 0.5   | failing
500, then an answer     | the answer            | provider_error, fine         | nothing, counted | 0.5   | well
529                     | provider_overloaded   | 2 x provider_overloaded      | 2 x nothing      | 0.5   | failing
HTML with 200           | provider_bad_answer   | 2 x provider_bad_answer      | 2 x nothing      | 0.5   | failing
empty choices           | provider_bad_answer   | 2 x provider_bad_answer      | 2 x counted      | 0.5   | failing
reset                   | provider_unreachable  | 2 x provider_unreachable     | 2 x estimated    | 0.5   | failing
clean end of stream     | provider_incomplete   | 2 x provider_incomplete      | 2 x estimated    | 0.5   | failing
error in the stream     | provider_overloaded   | 2 x provider_overloaded      | 2 x estimated    | 0.5   | failing
dribble                 | deadline_exceeded     | deadline_exceeded            | estimated        |       | failing
timeout                 | provider_timeout      | provider_timeout             | estimated        |       | failing
refusal                 | answer_refused        | answer_refused               | counted          |       | well
endless                 | answer_truncated      | 2 x answer_truncated         | 2 x estimated    |       | well
"""
DEADLINES_S = {"dribble": 1.0, "timeout": 0.2}


@dataclass(frozen=True)
class Row:
    """A line of the matrix."""

    name: str
    gets: str
    calls: list[str]
    charged: list[str]
    waits_s: float
    breaker: str


def _each(cell: str) -> list[str]:
    """`2 x fine` is fine, fine."""
    times, _, word = cell.rpartition(" x ")
    return [word] * int(times) if times else cell.split(", ")


def _rows() -> list[Row]:
    lines = [[cell.strip() for cell in line.split("|")] for line in MATRIX.strip().splitlines()[1:]]
    return [
        Row(name, gets, _each(calls), _each(charged), float(waits or 0), thinks)
        for name, gets, calls, charged, waits, thinks in lines
    ]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def test_the_table_has_a_row_for_everything_that_can_come():
    assert [row.name for row in _rows()] == list(WIRE)
    assert breaker.FAILURES_TO_OPEN > 2, "no row opens the breaker by failing twice"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.name)
def test_whatever_a_provider_answers_has_one_end_one_price_and_its_audit_rows(server, provider, row):
    replies = iter(WIRE[row.name])
    server.otherwise = lambda _request: next(replies, WIRE[row.name][-1])
    asker = Asker(server, provider)

    result, deltas, code = _ask(asker, provider, DEADLINES_S.get(row.name, 10.0))

    assert (code or "the answer") == row.gets
    if result:
        assert result.parsed.title == "It is back"
        assert deltas[-1] == GOOD == result.text
        assert result.cost_micro_usd == asker.steps[-1].cost_micro_usd
    assert [step.error_class or "fine" for step in asker.steps] == row.calls
    assert len(server.requests) == len(row.calls), "no try that nobody knows of"
    assert [_charged(step, provider) for step in asker.steps] == row.charged
    assert [step.attempt for step in asker.steps] == list(range(1, len(row.calls) + 1))
    assert asker.waited == row.waits_s
    assert _opinion(provider) == row.breaker
    assert BudgetHold.objects.count() == 0, "what was set aside is given back"
    for step, request in zip(asker.steps, server.requests, strict=True):
        _check_row(step, provider)
        _check_sent(request, MODELS[provider])


def test_the_deltas_of_a_streamed_answer_grow(server):
    server.script.append(Reply(GOOD, pieces=6))

    _, deltas, _ = _ask(Asker(server, "openai"), "openai", 10)

    assert len(deltas) >= 5
    assert sorted(deltas, key=len) == deltas


# --- what is sent, by model ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sent:
    """What a request to a model holds, by path in its body, and what it must not hold."""

    model: str
    holds: dict[str, Any]
    lacks: tuple[str, ...]


GPT = {"stream": True, "stream_options.include_usage": True, "response_format.json_schema.strict": True}
CLAUDE = {"stream": True, "output_config.format.type": "json_schema", "system.0.cache_control.type": "ephemeral"}
EFFORT = {"output_config.effort": "low"}
NOT_GPT = ("output_config", "system", "thinking", "max_tokens", "tools", "tool_choice")
NOT_CLAUDE = ("response_format", "stream_options", "max_completion_tokens", "thinking", "tools", "tool_choice")
#: A limit has room for thinking where the model thinks; a temperature is sent where the model takes one.
SENT = (
    Sent("gpt-4.1", GPT | {"temperature": 0.4, "max_completion_tokens": 1500}, ("reasoning_effort", *NOT_GPT)),
    Sent("gpt-4.1-mini", GPT | {"temperature": 0.4, "max_completion_tokens": 1500}, ("reasoning_effort", *NOT_GPT)),
    Sent("gpt-5-mini", GPT | {"reasoning_effort": "low", "max_completion_tokens": 3500}, ("temperature", *NOT_GPT)),
    Sent("gpt-6-luna", GPT | {"reasoning_effort": "low", "max_completion_tokens": 3500}, ("temperature", *NOT_GPT)),
    Sent("claude-sonnet-5-5", CLAUDE | EFFORT | {"max_tokens": 3500}, ("temperature", *NOT_CLAUDE)),
    Sent("claude-haiku-5-5", CLAUDE | EFFORT | {"max_tokens": 3500}, ("temperature", *NOT_CLAUDE)),
    Sent("claude-of-old", CLAUDE | {"temperature": 0.4, "max_tokens": 1500}, ("output_config.effort", *NOT_CLAUDE)),
)  # fmt: skip
BY_MODEL = {sent.model: sent for sent in SENT}


@pytest.mark.parametrize("model", BY_MODEL)
def test_each_model_is_sent_what_it_takes_and_nothing_else(server, model):
    ModelPrice.objects.create(
        provider="anthropic", model="claude-of-old", valid_from=date(2024, 1, 1), input_price=1, output_price=1,
        context_tokens=200_000, max_output_tokens=8000,
    )  # fmt: skip
    server.script.append(Reply(GOOD))
    asker = Asker(server, *PROVIDERS)

    asker.ask("openai", model=model, temperature=0.4)

    (request,) = server.requests
    _check_sent(request, model, temperature=0.4)
    assert "maxLength" not in str(request.body), "one of the providers refuses it"
    assert request.properties == {"title", "points"}
    (step,) = asker.steps
    assert step.params["temperature"] == request.body.get("temperature")


# --- reading the tables ----------------------------------------------------------------------------------------------
def _ask(asker: Asker, provider: str, deadline_s: float) -> tuple[LLMResult | None, list[str], str]:
    """The answer if there is one, the texts on the way, and the code of the error if there is one."""
    deltas, result = [], None
    try:
        for event in asker.gateway.stream(asker.request(provider, deadline_s=deadline_s, temperature=0.4)):
            if isinstance(event, Delta):
                deltas.append(event.text)
            else:
                result = event
    except GatewayError as error:
        return None, deltas, error.code
    return result, deltas, ""


def _charged(step: GenerationStep, provider: str) -> str:
    """How a call was charged; each way has its own look in the audit row."""
    looks = {
        ("provider", COSTS[provider], 100, 50): "counted",
        ("none", 0, 0, 0): "nothing",
        ("estimated", step.cost_micro_usd or None, step.input_tokens or None, step.output_tokens): "estimated",
    }
    return looks.get((step.usage_source, step.cost_micro_usd, step.input_tokens, step.output_tokens), "wrongly")


def _opinion(provider: str) -> str:
    model = MODELS[provider]
    names = {key.decode().rpartition(":")[2] for key in counters_client().scan_iter(f"ai:breaker:{provider}:{model}:*")}
    assert names <= {"open", "failures"}
    return {frozenset(): "well", frozenset({"failures"}): "failing", frozenset({"open"}): "open"}[frozenset(names)]


def _check_row(step: GenerationStep, provider: str) -> None:
    entry = load_catalog(date(2026, 11, 23)).get(MODELS[provider])
    assert (step.provider, step.model_requested, step.role) == (provider, MODELS[provider], "writer")
    assert (step.price_id, step.fallback_from, step.is_cache_hit) == (entry.price_id, "", False)
    assert step.params["route_reason"]
    assert step.params["schema"] == "Answer"
    assert len(step.request_sha256) == 64
    assert bool(step.output_text) == (step.first_token_ms is not None)


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        try:
            body = body[int(part)] if part.isdigit() else body[part]
        except (KeyError, TypeError, IndexError):
            return None
    return body


def _check_sent(request: Request, model: str, *, temperature: float | None = 0.4) -> None:
    sent = BY_MODEL[model]
    limit = next(path for path in sent.holds if path.startswith("max_"))
    for path, wanted in sent.holds.items():
        if path == limit:
            assert _at(request.body, path) in (wanted, wanted + 1500), "twice the room after a truncated answer"
        elif path != "temperature" or temperature is not None:
            assert _at(request.body, path) == wanted, path
    assert [path for path in sent.lacks if _at(request.body, path) is not None] == []
    assert request.body["model"] == model
    assert "{{harvest}} {roast} 100%" in str(request.body["messages"]), "merge tags arrive as they were"
    assert "sk-test" not in str(request.body)

"""What the gateway does around a call, on the wire: repair, the other family, cancelling, taking over, money, caching.

The ways in which a provider can answer stand in `test_llm_matrix.py`.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BudgetHold, Generation, ModelPrice
from aiwriter.prompts.messages import build_messages
from aiwriter.services.money import set_budget
from tests.fakes.llm_server import LLMServer, Reply
from tests.waiting import wait_until
from tests.wire.asking import COSTS, GOOD, MODELS, Asker

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["openai", "anthropic"])
def provider(request) -> str:
    return request.param


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def test_a_wrong_shape_is_sent_back_with_what_is_wrong_about_it(server, provider):
    server.script.extend([Reply('{"title": 5}'), Reply(GOOD)])

    Asker(server, provider).ask(provider)

    first, second = (request.body["messages"] for request in server.requests)
    assert second[: len(first)] == first
    assert [turn["role"] for turn in second[-2:]] == ["assistant", "user"]
    assert "points" in json.dumps(second[-1])
    assert "That answer cannot be used" in json.dumps(second[-1])


def test_words_around_the_object_do_no_harm(server, provider):
    server.script.append(Reply(f"Here you are:\n```json\n{GOOD}\n```\nGood luck!"))

    assert Asker(server, provider).ask(provider).parsed.title == "It is back"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 429, 500, 529])
def test_the_other_family_steps_in_and_it_is_recorded(server, provider, status):
    other = {"openai": "anthropic", "anthropic": "openai"}[provider]
    server.otherwise = lambda request: Reply(GOOD) if request.provider == other else Reply(status=status)
    asker = Asker(server, "openai", "anthropic")

    result = asker.ask(provider)

    assert (result.provider, result.fallback_from) == (other, MODELS[provider])
    last = asker.steps[-1]
    assert (last.provider, last.fallback_from, last.error_class) == (other, MODELS[provider], "")
    assert asker.cost == COSTS[other]


def test_a_prompt_is_cut_for_each_model_that_is_asked_and_the_audit_row_says_how(server):
    """GPT takes everything and fails; Claude with a smaller context gets fewer examples and the same facts."""
    ModelPrice.objects.filter(model="claude-sonnet-5-5").update(context_tokens=6000)
    facts = ["Shipping is free until Sunday."]
    examples = [{"title": f"Mail {number}", "text": "A cup of coffee. " * 60} for number in range(9)]
    server.otherwise = lambda request: Reply(GOOD) if request.provider == "anthropic" else Reply(status=529)
    asker = Asker(server, "openai", "anthropic")

    asker.ask("openai", messages=build_messages("writer", {"facts": facts, "examples": examples}))

    to_gpt, to_claude = (str(server.requests[number].body["messages"]) for number in (0, -1))
    sent = [sum(f"Mail {number}" in text for number in range(9)) for text in (to_gpt, to_claude)]
    assert sent[0] == 9
    assert 0 < sent[1] < 9
    assert "Mail 0" in to_claude, "the nearest stays"
    assert facts[0] in to_claude
    *first, last = (step.params.get("left_out") for step in asker.steps)
    assert set(map(str, first)) == {"None"}
    assert last == {"examples": 9 - sent[1]}


def test_what_cannot_be_shortened_enough_is_never_sent(server, provider):
    ModelPrice.objects.update(context_tokens=4200)
    asker = Asker(server, provider)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider, messages=build_messages("writer", {"facts": ["coffee " * 3000]}))

    assert error.value.code == "context_overflow"
    assert server.requests == []
    assert BudgetHold.objects.count() == 0


def test_cancelling_closes_the_connection_upstream(server, provider):
    server.otherwise = lambda _request: Reply(GOOD * 40, pieces=400, fault="dribble")
    asker = Asker(server, provider)
    stream = asker.gateway.stream(asker.request(provider))
    next(stream)

    asker.is_cancelled = True
    with pytest.raises(GatewayError) as error:
        list(stream)

    assert error.value.code == "cancelled"
    (step,) = asker.steps
    assert (step.error_class, step.usage_source) == ("cancelled", "estimated")
    assert step.cost_micro_usd > 0, "what was made before is charged"
    wait_until(lambda: server.disconnects == 1)


def test_cancelling_reaches_a_provider_that_has_said_nothing_yet(server, provider):
    asker = Asker(server, provider)

    def stop_once_asked(_request) -> Reply:
        asker.is_cancelled = True
        return Reply(fault="silent")

    server.otherwise = stop_once_asked

    with pytest.raises(GatewayError) as error:
        asker.ask(provider, deadline_s=60)

    assert error.value.code == "cancelled"
    assert asker.steps[0].input_tokens > 0, "it may have read the question"
    wait_until(lambda: server.disconnects == 1)


@pytest.mark.parametrize(
    ("end", "code"), [(GeneratorExit, "cancelled"), (KeyboardInterrupt, "interrupted"), (SystemExit, "interrupted")]
)
def test_a_stream_that_is_abandoned_leaves_no_answer_behind(server, provider, end, code):
    server.otherwise = lambda _request: Reply(GOOD * 40, pieces=400, fault="dribble")
    asker = Asker(server, provider)
    stream = asker.gateway.stream(asker.request(provider, schema=None))
    next(stream)

    with pytest.raises(end):
        stream.throw(end)

    (step,) = asker.steps
    assert step.error_class == code, "half an answer must not pass for one"
    assert BudgetHold.objects.count() == 0


def test_waiting_for_another_try_can_be_cancelled(server, provider):
    server.script.append(Reply(status=429, retry_after="5"))
    asker = Asker(server, provider)
    asker.after_wait = lambda: setattr(asker, "is_cancelled", True)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider)

    assert error.value.code == "cancelled"
    assert asker.waited < 1, "of five seconds"
    assert len(server.requests) == 1


@pytest.mark.parametrize("replies", [[Reply(GOOD)], [Reply('{"title": 5}'), Reply(GOOD)]], ids=["at once", "repaired"])
def test_a_run_that_takes_over_does_not_ask_again(server, provider, replies):
    server.script.extend(replies)
    asker = Asker(server, provider)
    first = asker.ask(provider)
    calls = len(server.requests)

    again = asker.ask(provider)

    assert again.parsed == first.parsed
    assert again.is_reused
    assert (again.cost_micro_usd, len(server.requests), len(asker.steps)) == (0, calls, calls)


def test_without_budget_nothing_is_sent(server, provider):
    asker = Asker(server, "openai", "anthropic")
    set_budget(workspace=asker.generation.workspace, actor=None, cap_micro_usd=10, warn_percent=80)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider)

    assert error.value.code == "budget_exceeded"
    assert server.requests == []


def test_what_a_provider_kept_is_cheaper_and_what_claude_is_made_to_keep_is_dearer(server):
    """100 tokens in, 50 out. GPT: 60 of them at a quarter. Claude: 40 from its cache at a twentieth, 20 into it."""
    server.otherwise = lambda request: Reply(
        GOOD, cached_tokens=60 if request.provider == "openai" else 40,
        stored_tokens=0 if request.provider == "openai" else 20,
    )  # fmt: skip
    asker = Asker(server, "openai", "anthropic")

    gpt, claude = asker.ask("openai", task="writer:A"), asker.ask("anthropic", task="writer:B")

    assert [step.cached_tokens for step in asker.steps] == [60, 40]
    assert [step.input_tokens for step in asker.steps] == [100, 100]
    assert gpt.cost_micro_usd == (40 * 2_000_000 + 60 * 500_000 + 50 * 8_000_000) // 10**6
    assert claude.cost_micro_usd == (40 * 2_000_000 + 20 * 2_500_000 + 40 * 100_000 + 50 * 10_000_000) // 10**6


def test_the_instruction_is_the_same_for_every_brief_so_that_it_can_be_kept(server, provider):
    server.otherwise = lambda _request: Reply(GOOD)
    asker = Asker(server, provider)

    for goal in ("The roast is back", "The shop is closed"):
        asker.ask(provider, task=f"writer:{goal[4]}", messages=build_messages("writer", {"goal": goal}))

    assert len({request.system for request in server.requests}) == 1


def test_nobody_but_the_provider_is_called(server, provider, monkeypatch):
    """No tokenizer is fetched, nothing is traced, no telemetry: the only host that is looked up is the provider's."""
    import tiktoken

    monkeypatch.setenv("LANGSMITH_API_KEY", "ls-test")
    monkeypatch.setattr(tiktoken, "get_encoding", _forbidden)
    monkeypatch.setattr(tiktoken, "encoding_for_model", _forbidden)
    called: set[str] = set()
    connect = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda self, address: (called.add(str(address)), connect(self, address))[1]
    )
    server.script.append(Reply(GOOD))
    asker = Asker(server, provider)
    called.clear()

    asker.ask(provider)

    port = server.url.rpartition(":")[2]
    foreign = {address for address in called if port not in address and not _is_ours(address)}
    assert any(port in address for address in called)
    assert foreign == set()
    assert Generation.objects.count() == 1


def _forbidden(*_args: object) -> None:
    raise AssertionError("a tokenizer would be fetched from the network")


def _is_ours(address: str) -> bool:
    """Whether an address is that of the tests' own Valkey."""
    from django.conf import settings

    return any(part in settings.CACHE_URL for part in address.strip("()").replace("'", "").split(", ")[-1:])

"""Repeated questions: answered from the cache at no cost, asked once when they come together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from aiwriter.models import GenerationStep
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.asking import COSTS, GOOD, Asker


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        running.otherwise = lambda _request: Reply(GOOD)
        yield running


@pytest.mark.django_db
def test_the_same_question_costs_once(server):
    first = Asker(server, "openai")
    second = Asker(server, "openai", workspace=first.generation.workspace)
    first.ask("openai", is_cacheable=True)

    answer = second.ask("openai", is_cacheable=True)

    assert answer.parsed.title == "It is back"
    assert len(server.requests) == 1
    (step,) = second.steps
    assert (step.is_cache_hit, step.cost_micro_usd, step.input_tokens) == (True, 0, 0)
    assert (first.cost, second.cost) == (COSTS["openai"], 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other", [{"temperature": 0.9}, {"max_output_tokens": 900}, {"model": "gpt-4.1-mini"}, {"is_cacheable": False}]
)
def test_another_question_or_a_wish_for_a_fresh_answer_is_asked(server, other):
    first = Asker(server, "openai")
    second = Asker(server, "openai", workspace=first.generation.workspace)
    first.ask("openai", is_cacheable=True)

    second.ask("openai", **{"is_cacheable": True, **other})

    assert len(server.requests) == 2


@pytest.mark.django_db
def test_no_answer_crosses_a_workspace(server):
    Asker(server, "openai").ask("openai", is_cacheable=True)
    Asker(server, "openai").ask("openai", is_cacheable=True)

    assert len(server.requests) == 2


@pytest.mark.django_db
def test_a_failed_answer_is_not_kept(server):
    server.script.extend([Reply(status=500), Reply(status=500)])
    first = Asker(server, "openai")
    second = Asker(server, "openai", workspace=first.generation.workspace)
    with pytest.raises(Exception, match="provider_error"):
        first.ask("openai", is_cacheable=True)

    assert second.ask("openai", is_cacheable=True).parsed.title == "It is back"


@pytest.mark.django_db(transaction=True)
def test_ten_callers_at_once_make_one_call(server):
    gate = threading.Event()
    server.otherwise = lambda _request: Reply(GOOD, gate=gate)
    askers = [Asker(server, "openai")]
    askers += [Asker(server, "openai", workspace=askers[0].generation.workspace) for _ in range(9)]
    waiting = threading.Barrier(11)

    def ask(asker: Asker) -> str:
        try:
            waiting.wait()
            return asker.ask("openai", is_cacheable=True).text
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(ask, asker) for asker in askers]
        waiting.wait()
        gate.set()
        texts = {future.result(timeout=30) for future in asked}

    assert texts == {GOOD}
    assert len(server.requests) == 1
    assert GenerationStep.objects.filter(is_cache_hit=True).count() == 9

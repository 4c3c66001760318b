"""A key's limits at a provider: calls a minute, calls at once, and a rest when it is told to slow down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import redis
from django.db import connection

from aiwriter.gateway import throttle
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.throttle import Throttle
from pulsequill.core.valkey import counters_client
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.asking import GOOD, MODELS, Asker

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer(otherwise=lambda _request: Reply(GOOD)) as running:
        yield running


def limits(key: str = "sk-1", model: str = "gpt-4.1") -> Throttle:
    return Throttle.of(provider="openai", model=model, config=ProviderConfig(key, "https://ai.example/v1"))


def pass_through(one: Throttle, *, longest_s: float = 0.0, pause=time.sleep) -> None:
    with one.turn(longest_s=longest_s, lasts_s=10, pause=pause):
        pass


def empty(one: Throttle) -> float:
    """Make calls until none is left, however fast that goes; return when the last one was asked for."""
    while True:
        asked_at = time.monotonic()
        try:
            pass_through(one)
        except GatewayError:
            return asked_at


# --- calls a minute --------------------------------------------------------------------------------------------------
def test_a_key_makes_its_calls_of_a_minute_and_then_waits(settings):
    settings.AI_REQUESTS_PER_MINUTE = 5
    for _ in range(5):
        pass_through(limits())

    with pytest.raises(GatewayError, match="provider_busy"):
        pass_through(limits(), longest_s=5.0)


def test_calls_come_back_steadily_not_all_at_once(settings):
    """300 a minute are five a second: after the bucket is empty no call waits longer than a fifth of a second."""
    settings.AI_REQUESTS_PER_MINUTE = 300
    pauses: list[float] = []
    empty_at = empty(limits())

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    for _ in range(3):
        pass_through(limits(), longest_s=1.0, pause=pause)

    assert time.monotonic() - empty_at > 0.4
    assert max(pauses, default=0.0) <= 0.2


def test_models_of_a_key_share_its_calls_and_other_keys_have_their_own(settings):
    settings.AI_REQUESTS_PER_MINUTE = 2
    pass_through(limits())
    pass_through(limits(model="gpt-4.1-mini"))

    with pytest.raises(GatewayError, match="provider_busy"):
        pass_through(limits())
    pass_through(limits(key="sk-2"))


def test_many_workers_together_make_no_more_calls_than_one_key_may(settings):
    settings.AI_REQUESTS_PER_MINUTE = 20

    def ask(_number: int) -> bool:
        try:
            pass_through(limits())
        except GatewayError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        allowed = sum(pool.map(ask, range(200)))

    assert 20 <= allowed <= 22, "twenty, and what comes back while they ask"


def test_a_call_that_may_not_be_made_goes_to_the_other_family(server, settings):
    settings.AI_REQUESTS_PER_MINUTE = 1
    asker = Asker(server, "openai", "anthropic")

    first, second = (asker.ask("openai", task=f"writer:{letter}") for letter in "AB")

    assert (first.provider, first.fallback_from) == ("openai", "")
    assert (second.provider, second.fallback_from) == ("anthropic", MODELS["openai"])
    assert [step.error_class for step in asker.steps] == ["", ""], "a call that was not made leaves no row"


# --- calls at once ---------------------------------------------------------------------------------------------------
def test_a_key_has_so_many_calls_under_way_and_the_next_waits_for_a_place(settings):
    settings.AI_CALLS_AT_ONCE = 2
    with limits().turn(longest_s=0, lasts_s=10, pause=time.sleep):
        other = limits().turn(longest_s=0, lasts_s=10, pause=time.sleep)
        other.__enter__()
        with pytest.raises(GatewayError, match="provider_busy"):
            pass_through(limits())

        def free(_seconds: float) -> None:
            other.__exit__(None, None, None)

        pass_through(limits(), longest_s=1.0, pause=free)


def test_a_killed_worker_gives_its_place_back(settings):
    settings.AI_CALLS_AT_ONCE = 1
    limits().turn(longest_s=0, lasts_s=0.05, pause=time.sleep).__enter__()

    pass_through(limits(), longest_s=2.0)


@pytest.mark.django_db(transaction=True)
def test_ten_questions_at_once_are_never_more_than_three_at_the_provider(server, settings):
    settings.AI_CALLS_AT_ONCE = 3
    server.otherwise = lambda _request: Reply(GOOD, fault="dribble")
    askers = [Asker(server, "openai", is_patient=True)]
    askers += [Asker(server, "openai", is_patient=True, workspace=askers[0].generation.workspace) for _ in range(9)]

    def ask(asker: Asker) -> str:
        try:
            return asker.ask("openai", deadline_s=60).text
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        texts = set(pool.map(ask, askers))

    assert texts == {GOOD}
    assert server.most_in_flight <= 3


# --- slowing down ----------------------------------------------------------------------------------------------------
def test_everybody_leaves_a_provider_alone_that_says_when_to_come_back(server):
    server.script.append(Reply(status=429, retry_after="30"))
    first = Asker(server, "openai", "anthropic")
    other = Asker(server, "openai", "anthropic", workspace=first.generation.workspace)

    assert first.ask("openai").provider == "anthropic"
    assert other.ask("openai").provider == "anthropic"

    asked = [request.provider for request in server.requests]
    assert asked == ["openai", "anthropic", "anthropic"], "the second worker knew without asking"


def test_another_model_of_the_key_goes_on(server):
    server.script.append(Reply(status=429, retry_after="30"))
    asker = Asker(server, "openai")
    with pytest.raises(GatewayError, match="provider_rate_limited"):
        asker.ask("openai")

    assert asker.ask("openai", task="subject_lines").provider == "openai"


def test_the_rest_is_waited_for_where_nobody_can_step_in(server):
    """Fifteen seconds are too long beside another family, and better than failing without one."""
    server.script.append(Reply(status=429, retry_after="15"))
    asker = Asker(server, "openai")

    assert asker.ask("openai", deadline_s=20).provider == "openai"

    assert asker.waited == 15.0


def test_nobody_waits_past_the_deadline(server):
    server.script.append(Reply(status=429, retry_after="15"))
    asker = Asker(server, "openai")

    with pytest.raises(GatewayError, match="provider_rate_limited"):
        asker.ask("openai", deadline_s=10)

    assert asker.waited == 0


def test_a_date_says_when_to_come_back_as_well_as_a_number(server):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.script.append(Reply(status=429, retry_after=soon))

    with pytest.raises(GatewayError) as error:
        Asker(server, "openai").ask("openai")

    assert 30 < error.value.retry_after_s <= 40


def test_waiting_for_a_turn_can_be_cancelled(server, settings):
    settings.AI_REQUESTS_PER_MINUTE = 1
    asker = Asker(server, "openai")
    asker.ask("openai", task="writer:A")
    asker.after_wait = lambda: setattr(asker, "is_cancelled", True)

    with pytest.raises(GatewayError, match="cancelled"):
        asker.ask("openai", task="writer:B", deadline_s=100)

    assert asker.waited < 1


def test_without_valkey_every_call_may_be_made(settings, monkeypatch):
    settings.AI_REQUESTS_PER_MINUTE = settings.AI_CALLS_AT_ONCE = 1
    away = redis.Redis.from_url("redis://127.0.0.1:1")
    monkeypatch.setattr(throttle, "counters_client", lambda: away)

    for _ in range(3):
        pass_through(limits())


def test_no_key_can_be_read_from_what_valkey_keeps(server):
    Asker(server, "openai", key="sk-very-secret").ask("openai")

    assert not [key for key in counters_client().scan_iter() if b"secret" in key]

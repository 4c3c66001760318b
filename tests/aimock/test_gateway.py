"""The gateway against a second, independent implementation of both providers."""

from __future__ import annotations

import pytest

from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.types import Delta
from aiwriter.models import BudgetHold
from tests.wire.asking import COSTS, GOOD, MODELS, Asker

pytestmark = pytest.mark.django_db
USAGE = {"input_tokens": 100, "output_tokens": 50, "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


@pytest.fixture(params=["openai", "anthropic"])
def provider(request) -> str:
    return request.param


def says(content: str, *, to: str = "harvest", **also) -> dict:
    return {"match": {"userMessage": to}, "response": {"content": content, "usage": USAGE}, **also}


def fails(status: int, kind: str = "error", **match) -> dict:
    error = {"message": "from aimock", "type": kind, "code": kind}
    return {"match": match or {"userMessage": "harvest"}, "response": {"error": error, "status": status}}


def test_a_structured_answer_streams_in_and_is_charged(aimock, provider):
    aimock.answers(says(GOOD))
    asker = Asker(aimock, provider)

    events = list(asker.gateway.stream(asker.request(provider)))

    texts = [event.text for event in events if isinstance(event, Delta)]
    assert len(texts) > 3
    assert texts[-1] == GOOD
    assert events[-1].parsed.title == "It is back"
    (step,) = asker.steps
    assert step.finish_reason in ("stop", "end_turn")
    # aimock tells Claude's input tokens only when a stream begins, where LangChain does not look: they are estimated.
    assert step.usage_source == {"openai": "provider", "anthropic": "estimated"}[provider]
    assert step.output_tokens == 50
    if provider == "openai":
        assert step.cost_micro_usd == COSTS["openai"]
    assert len(aimock.calls) == 1


def test_a_wrong_shape_is_repaired(aimock, provider):
    aimock.answers(says(GOOD, to="That answer cannot be used"), says('{"title": 5}'))
    asker = Asker(aimock, provider)

    assert asker.ask(provider).parsed.title == "It is back"
    assert len(aimock.calls) == 2 == len(asker.steps)


def test_a_truncated_answer_is_asked_for_once_more_with_more_room(aimock, provider):
    finish = {"openai": "length", "anthropic": "max_tokens"}[provider]
    short = {"content": GOOD[:20], "usage": USAGE, "finishReason": finish}
    aimock.answers({"match": {"userMessage": "harvest"}, "response": short})
    asker = Asker(aimock, provider)

    with pytest.raises(GatewayError, match="answer_truncated"):
        asker.ask(provider)

    assert [step.params["max_output_tokens"] for step in asker.steps] == [1500, 3000]


@pytest.mark.parametrize(
    ("status", "kind", "code", "calls"),
    [
        (401, "authentication_error", "provider_auth", 1),
        (429, "insufficient_quota", "provider_quota", 1),
        (500, "api_error", "provider_error", 2),
        (529, "overloaded_error", "provider_overloaded", 2),
    ],
)
def test_an_error_has_its_code_and_its_tries(aimock, provider, status, kind, code, calls):
    aimock.answers(fails(status, kind))
    asker = Asker(aimock, provider)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider)

    assert error.value.code == code
    assert [step.error_class for step in asker.steps] == [code] * calls
    assert len(aimock.calls) == calls
    assert asker.cost == 0
    assert BudgetHold.objects.count() == 0


def test_a_rate_limit_is_waited_for(aimock, provider):
    """aimock asks for one second with each 429."""
    aimock.answers(fails(429, "rate_limit_error"))
    asker = Asker(aimock, provider)

    with pytest.raises(GatewayError, match="provider_rate_limited"):
        asker.ask(provider)

    assert asker.waited == 1.0
    assert len(aimock.calls) == 2


def test_the_other_family_steps_in(aimock, provider):
    other = {"openai": "anthropic", "anthropic": "openai"}[provider]
    aimock.answers(fails(529, "overloaded_error", model=MODELS[provider]), says(GOOD))
    asker = Asker(aimock, "openai", "anthropic")

    result = asker.ask(provider)

    assert (result.provider, result.fallback_from) == (other, MODELS[provider])


@pytest.mark.parametrize(
    ("rate", "codes"),
    [
        ("disconnectRate", {"provider_unreachable", "provider_incomplete"}),
        ("malformedRate", {"provider_bad_answer"}),
        ("dropRate", {"provider_error"}),
    ],
)
def test_a_broken_connection_is_a_failure_and_is_tried_again(aimock, provider, rate, codes):
    aimock.answers(says(GOOD))
    aimock.misbehaves(**{rate: 1.0})
    asker = Asker(aimock, provider)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider)

    assert error.value.code in codes
    assert len(asker.steps) == 2
    assert BudgetHold.objects.count() == 0


def test_a_stream_that_is_cut_is_a_failure_and_what_came_is_charged(aimock, provider):
    aimock.answers(says(GOOD, truncateAfterChunks=5, latency=50))  # slow enough for the pieces to arrive before the cut
    asker = Asker(aimock, provider)

    with pytest.raises(GatewayError) as error:
        asker.ask(provider)

    assert error.value.code in {"provider_unreachable", "provider_incomplete"}
    assert {step.usage_source for step in asker.steps} == {"estimated"}
    assert asker.cost > 0

"""A server of the operator's own that speaks OpenAI's dialect, such as Ollama or vLLM: any model, no key needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from structlog.testing import capture_logs

from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.errors import GatewayError
from aiwriter.gateway.keys import providers_for
from aiwriter.models import Generation, ModelPrice
from aiwriter.retrieval.embedders import usable_embedders
from aiwriter.services.keys import set_provider_key
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply
from tests.wire.asking import GOOD, Asker

pytestmark = pytest.mark.django_db
MODEL = "qwen3:14b"


@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer(own_model=MODEL, otherwise=lambda _request: Reply(GOOD)) as running:
        settings.OPENAI_BASE_URL, settings.OPENAI_MODEL = running.openai_url, MODEL
        yield running


def describe(**fields) -> ModelPrice:
    """What an operator fills in in the admin."""
    defaults = {"input_price": 0, "output_price": 0, "context_tokens": 32_000, "max_output_tokens": 8000}
    return ModelPrice.objects.create(
        provider="openai", model=MODEL, valid_from=date(2026, 1, 1), **{**defaults, **fields}
    )


def test_it_answers_without_a_key_and_without_a_row_in_the_catalogue(server):
    asker = Asker(server, config=providers_for(None)["openai"])

    result = asker.ask("openai", temperature=0.4)

    assert result.parsed.title == "It is back"
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer none"
    assert request.body["model"] == MODEL


def test_what_nobody_counts_is_estimated_and_what_nobody_priced_is_as_dear_as_the_dearest(server):
    asker = Asker(server, config=providers_for(None)["openai"])

    asker.ask("openai")

    (step,) = asker.steps
    assert step.usage_source == "estimated"
    dearest = max(ModelPrice.objects.values_list("input_price", "output_price"))
    assert step.cost_micro_usd == -(-(step.input_tokens * dearest[0] + step.output_tokens * dearest[1]) // 10**6) > 0
    assert step.price is None
    assert "assumed" in step.params["price"]


def test_a_model_without_a_price_is_warned_about(server):
    with capture_logs() as logs:
        load_catalog(date(2026, 11, 23))

    assert [(log["event"], log["model"]) for log in logs] == [("ai_model_without_price", MODEL)]


def test_an_operators_row_says_what_it_costs_and_what_it_can_do(server):
    row = describe(has_structured_output=True)
    asker = Asker(server, config=providers_for(None)["openai"])

    asker.ask("openai")

    (step,) = asker.steps
    assert (step.cost_micro_usd, step.price) == (0, row)
    assert step.input_tokens > 0, "still counted"
    assert server.requests[0].body["response_format"]["type"] == "json_schema"


def test_it_is_asked_in_the_older_dialect_and_told_the_shape_in_words(server):
    """Ollama ignores `max_completion_tokens`, and what ignores `response_format` has to hear of the shape otherwise."""
    Asker(server, config=providers_for(None)["openai"]).ask("openai", max_output_tokens=700)

    (request,) = server.requests
    assert request.body["max_tokens"] == 700
    assert "response_format" not in request.body
    assert '"points"' in request.system
    assert "JSON schema" in request.system


def test_its_model_serves_every_role(server):
    catalog = load_catalog(date(2026, 11, 23))

    assert {catalog.for_role("openai", role).model for role in ("small", "main")} == {MODEL}
    assert catalog.for_role("anthropic", "main").model == "claude-sonnet-5-5", "the other family is as it was"


def test_a_model_that_the_server_has_not_is_told(server, settings):
    settings.OPENAI_MODEL = "no-such-model"

    with pytest.raises(GatewayError) as error:
        Asker(server, config=providers_for(None)["openai"]).ask("openai")

    assert error.value.code == "provider_rejected"


def test_a_workspaces_key_goes_to_the_same_server(server):
    workspace = make_workspace()
    set_provider_key(workspace=workspace, actor=None, provider="openai", key="sk-of-the-workspace")

    config = providers_for(workspace.pk)["openai"]

    assert (config.api_key, config.base_url) == ("sk-of-the-workspace", server.openai_url)
    assert config.is_own_server


def test_it_is_not_asked_for_vectors(server):
    assert "openai" not in {embedder.id.partition(":")[0] for embedder in usable_embedders(make_workspace().pk)}


def test_without_a_model_name_an_address_alone_configures_nothing(server, settings):
    settings.OPENAI_MODEL = ""

    assert "openai" not in providers_for(None)


@pytest.mark.django_db(transaction=True)
def test_the_whole_team_writes_on_it(server):
    server.otherwise = team.answer

    generation = written(ask(make_workspace(), cta_url=team.LINK))

    assert generation.status == Generation.Status.SUCCEEDED, generation.error_detail
    assert [draft.angle for draft in generation.ordered_drafts] == list(team.LABELS)
    assert {request.body["model"] for request in server.requests} == {MODEL}

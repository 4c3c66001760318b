"""Vectors from a provider: audited and paid for like every other call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from aiwriter.gateway import budget
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.client import ProviderConfig
from aiwriter.gateway.errors import translate
from aiwriter.gateway.pricing import cost_micro_usd
from aiwriter.gateway.throttle import Throttle
from aiwriter.gateway.tokens import estimate_text
from aiwriter.gateway.types import Usage
from aiwriter.models import GenerationStep
from aiwriter.models.generation_step import INTERRUPTED

EMBEDDING_MODEL = "text-embedding-3-small"
TIMEOUT_S = 15.0
#: For its turn at a busy key; who remembers texts comes again.
LONGEST_WAIT_S = 5.0


def embed_texts(
    texts: Sequence[str], *, dimensions: int, config: ProviderConfig, workspace_id: Any, generation_id: Any
) -> list[list[float]]:
    """Return one vector for each text.

    LangChain does not say how many tokens were used, so the estimate is booked.

    Raises:
        GatewayError: the budget is used up, the key is busy, or the provider did not answer.
    """
    entry = load_catalog(timezone.now().date()).get(EMBEDDING_MODEL)
    usage = Usage(input_tokens=sum(estimate_text(text) for text in texts), source="estimated")
    cost = cost_micro_usd(entry, usage)
    throttle = Throttle.of(provider=entry.provider, model=entry.model, config=config)
    with throttle.turn(longest_s=LONGEST_WAIT_S, lasts_s=2 * TIMEOUT_S, pause=time.sleep):
        step = GenerationStep(
            workspace_id=workspace_id,
            generation_id=generation_id,
            role="memory",
            task="embed",
            provider=entry.provider,
            model_requested=EMBEDDING_MODEL,
            params={"dimensions": dimensions, "texts": len(texts)},
            usage_source="none",
            price_id=entry.price_id,
        )
        budget.reserve(step=step, amount_micro_usd=cost)
        started = time.monotonic()
        step.error_class = INTERRUPTED
        try:
            vectors = _embed(list(texts), dimensions, config)
            step.error_class = ""
            step.input_tokens, step.usage_source, step.cost_micro_usd = usage.input_tokens, usage.source, cost
            return vectors
        except Exception as caught:
            error = translate(caught)
            step.error_class = error.code
            raise error from caught
        finally:
            step.latency_ms = round((time.monotonic() - started) * 1000)
            budget.settle(step)


def _embed(texts: list[str], dimensions: int, config: ProviderConfig) -> list[list[float]]:
    from langchain_openai import OpenAIEmbeddings

    model = OpenAIEmbeddings(
        model=EMBEDDING_MODEL,
        dimensions=dimensions,
        api_key=config.api_key,  # type: ignore[arg-type]  # becomes a SecretStr
        base_url=config.base_url,
        max_retries=0,
        timeout=TIMEOUT_S,
        check_embedding_ctx_length=False,  # would fetch a tokenizer from the network
    )
    return model.embed_documents(texts)

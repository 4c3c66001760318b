"""What the writer adds to a model's own time, beside OpenAI's SDK called bare in the same run.

`CALL`: one call through the gateway, with budget, throttle, breaker, checks and audit row, until the answer is whole.
`FIRST_TOKEN`: the whole way that a person waits: from the request, over the broker and a warm worker, to the first
words in the stream that the page reads. The model answers after known delays; what is over them is printed, and the
CPU time of this process, which tells more than the clock where others use the machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from aiwriter.agents.answers import RewriteAnswer
from aiwriter.gateway.catalog import load_catalog
from aiwriter.gateway.client import ProviderConfig, wire_schema
from aiwriter.gateway.gateway import LLMGateway
from aiwriter.gateway.types import Delta, LLMRequest
from aiwriter.models import Generation
from aiwriter.prompts.messages import build_messages
from aiwriter.services.passages import rewrite
from aiwriter.streams import stream_key
from pulsequill.benchmarks.ai_provider import PIECES
from pulsequill.benchmarks.audience import make_workspace
from pulsequill.benchmarks.harness import Benchmark
from pulsequill.benchmarks.processes import SERVERS, free_port, server
from pulsequill.core.valkey import streams_client
from pulsequill.env import BASE_DIR

FIRST_MS, GAP_MS = 300.0, 10.0
TOTAL_MS = FIRST_MS + (PIECES - 1) * GAP_MS
#: Milliseconds over the model's own first token that a person may wait on a warm worker.
AIMED_AT_MS = 80.0
KEY = "sk-benchmark"
MODEL = "gpt-4.1"
DATA = {"goal": "The harvest roast is back", "text": "Our roast is back.", "instruction": "expand", "language": "en"}
WORKER_READY_S = 90.0

#: First token and end of one call, in milliseconds after it was begun.
Times = tuple[float, float]


@cache
def _provider_url() -> str:
    port = free_port()
    delays = (str(FIRST_MS), str(GAP_MS))
    SERVERS.enter_context(server("pulsequill.benchmarks.ai_provider", str(port), *delays, port=port))
    return f"http://127.0.0.1:{port}/v1"


def _median_of(name: str, calls: int, call: Callable[[], Times]) -> Times:
    """Return the medians of several calls, and tell what they add to the model's own time."""
    cpu_before = time.process_time()
    times = [call() for _ in range(calls)]
    cpu_ms = (time.process_time() - cpu_before) / calls * 1000
    first, total = (statistics.median(part) for part in zip(*times, strict=True))
    sys.stdout.write(
        f"  {name}: first token +{first - FIRST_MS:.1f} ms, end +{total - TOTAL_MS:.1f} ms, "
        f"CPU {cpu_ms:.1f} ms a call\n"
    )
    return first, total


def _bare_sdk() -> Callable[[], Times]:
    """Return one call by OpenAI's SDK alone, of the same question."""
    from openai import OpenAI

    client = OpenAI(api_key=KEY, base_url=_provider_url(), max_retries=0)
    messages: Any = [{"role": turn.speaker, "content": turn.text} for turn in build_messages("rewrite", DATA)]
    schema = {"name": RewriteAnswer.__name__, "schema": wire_schema(RewriteAnswer), "strict": True}
    shape: Any = {"type": "json_schema", "json_schema": schema}

    def call() -> Times:
        started = time.perf_counter()
        first_at, text = 0.0, ""
        for chunk in client.chat.completions.create(
            model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}, response_format=shape
        ):
            piece = chunk.choices[0].delta.content if chunk.choices else None
            if piece and not text:
                first_at = time.perf_counter()
            text += piece or ""
        RewriteAnswer.model_validate_json(text)
        return (first_at - started) * 1000, (time.perf_counter() - started) * 1000

    return call


def _through_the_gateway() -> Callable[[], Times]:
    workspace = make_workspace("Writing")
    generation = Generation.objects.create(workspace=workspace, kind=Generation.Kind.REWRITE)
    gateway = LLMGateway(
        workspace_id=workspace.pk,
        generation_id=generation.pk,
        catalog=load_catalog(timezone.now().date()),
        providers={"openai": ProviderConfig(KEY, _provider_url())},
        checkpoint=lambda: None,
    )

    def call() -> Times:
        number = generation.steps.count()  # another question each time: an answered one would not be asked again
        started = time.perf_counter()
        first_at, is_complete = 0.0, False
        request = LLMRequest(
            role="writer", task="rewrite", messages=build_messages("rewrite", {**DATA, "number": number}),
            schema=RewriteAnswer,
        )  # fmt: skip
        for event in gateway.stream(request):
            if isinstance(event, Delta):
                first_at = first_at or time.perf_counter()
            else:
                is_complete = event.parsed is not None
        assert is_complete
        return (first_at - started) * 1000, (time.perf_counter() - started) * 1000

    return call


def _prepare_call(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    calls = 40 if is_full else 12
    product, reference = _through_the_gateway(), _bare_sdk()
    return (
        lambda: _median_of("gateway", calls, product)[1],
        lambda: _median_of("bare SDK", calls, reference)[1],
    )


@contextmanager
def _worker() -> Iterator[None]:
    """Run an `ai` worker as production does."""
    environment = {"OPENAI_BASE_URL": _provider_url(), "OPENAI_API_KEY": KEY}
    command = (
        "-m celery -A pulsequill.celery worker --without-gossip --without-mingle -n bench@%h -Q ai -P threads -c 4"
    )
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command.split(), "--loglevel=WARNING"], cwd=BASE_DIR, env={**os.environ, **environment}
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _asked_by_a_person() -> Callable[[], Times]:
    """Return one edit of a passage: from the request to the first words, and to the end, in the stream."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, _provider_url()
    SERVERS.enter_context(_worker())

    def call(longest_s: float = 20.0) -> Times:
        workspace = make_workspace("Writing")  # a workspace asks only so often in a minute
        started = time.perf_counter()
        generation = rewrite(workspace=workspace, actor=None, text="Our roast is back.", instruction="expand")
        key, last, first_at = stream_key(workspace.pk, generation.pk), b"0-0", 0.0
        while True:
            answer: Any = streams_client().xread({key: last}, block=1000)
            now = time.perf_counter()
            for number, fields in answer[0][1] if answer else ():
                last = number
                if b'"type": "text"' in fields[b"frame"]:
                    first_at = first_at or now
                if b'"type": "done"' in fields[b"frame"]:
                    assert first_at, fields
                    return (first_at - started) * 1000, (now - started) * 1000
            assert now - started < longest_s, "the worker did not answer"

    call(WORKER_READY_S)
    return call


def _prepare_first_token(is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    calls = 40 if is_full else 12
    product, reference = _asked_by_a_person(), _bare_sdk()
    return (
        lambda: _median_of("from request to stream", calls, product)[0],
        lambda: _median_of("bare SDK", calls, reference)[0],
    )


CALL = Benchmark(
    name="AI: a call through the gateway, to its end",
    unit="ms",
    reference_name="OpenAI's SDK alone",
    prepare=_prepare_call,
    floor=0.80,
    aim=0.95,
    is_lower_better=True,
)
FIRST_TOKEN = Benchmark(
    name="AI: from the request to the first words in the stream",
    unit="ms",
    reference_name="OpenAI's SDK alone",
    prepare=_prepare_first_token,
    floor=0.50,
    aim=round(FIRST_MS / (FIRST_MS + AIMED_AT_MS), 2),
    is_lower_better=True,
)

"""kill -9 of a real AI worker while models are answering: one final state, and no answered call is paid for twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from aiwriter import tasks
from aiwriter.agents import running
from aiwriter.gateway import budget
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BudgetHold, Draft, Generation, GenerationStep
from aiwriter.streams import stream_key
from pulsequill.core.valkey import streams_client
from pulsequill.embedded.service import die_with_parent
from pulsequill.processes import PROCESSES
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_workspace
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.instance import ROOT
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
PATIENCE_S = 120


@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer(otherwise=team.answer) as running_server:
        settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = running_server.openai_url, running_server.url
        settings.EMBEDDER = "lexical"
        yield running_server


@pytest.fixture
def start_worker(server: LLMServer, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the AI worker as `manage.py serve` does, on this test's database, broker and models."""
    database = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "PUBLIC_URL": settings.PUBLIC_URL,
        "OPENAI_API_KEY": "sk-test",
        "ANTHROPIC_API_KEY": "sk-test",
        "OPENAI_BASE_URL": server.openai_url,
        "ANTHROPIC_BASE_URL": server.url,
        "EMBEDDER": "lexical",
    }
    command = next(process.command for process in PROCESSES if process.name == "ai")
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            worker = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGKILL),
            )  # fmt: skip
        started.append(worker)
        return worker

    yield start
    for process in started:
        process.kill()
        process.wait()


class _HeldUp:
    """Answers as the team does, but lets the writers of some angles stand in the middle of their first answer."""

    def __init__(self, server: LLMServer, *labels: str) -> None:
        self.server, self.labels, self.gate, self.held = server, labels, Event(), 0
        server.otherwise = self

    def __call__(self, request: Request) -> Reply:
        reply = team.answer(request)
        is_writer = team.role_of(request) == "writer" and not self.gate.is_set()
        if is_writer and team.data_of(request)["angle"]["label"] in self.labels:
            self.held += 1
            reply.gate = self.gate
        return reply

    def asked(self) -> Counter[str]:
        """How often each role was asked, writers by their angle."""
        names = []
        for request in self.server.requests:
            role = team.role_of(request)
            names.append(team.data_of(request)["angle"]["label"] if role == "writer" else role)
        return Counter(names)


def charged(generation: Generation) -> Counter[str]:
    rows = GenerationStep.objects.filter(generation=generation, error_class="")
    return Counter(step.task for step in rows if step.cost_micro_usd)


def broke_off(generation: Generation) -> dict[str, str]:
    """Calls without an answer, by task: what the audit trail says of their end."""
    rows = GenerationStep.objects.filter(generation=generation).exclude(error_class="")
    return dict(rows.values_list("task", "error_class"))


def frames(generation: Generation) -> list[bytes]:
    entries = streams_client().xrange(stream_key(generation.workspace_id, generation.pk))
    return [fields[b"frame"] for _, fields in entries]


def test_a_worker_killed_while_models_answer_costs_one_charge_a_call_and_ends_once(server, start_worker):
    story = _HeldUp(server, *team.LABELS[1:])
    generation = ask(make_workspace(), cta_url=team.LINK)
    first = start_worker()
    wait_until(
        lambda: story.held == 2 and charged(generation)["writer:A"], timeout_s=PATIENCE_S,
        what="one writer has answered and two are in the middle of it",
    )  # fmt: skip
    assert BudgetHold.objects.filter(generation=generation).count() == 2
    assert broke_off(generation) == {"writer:B": "under_way", "writer:C": "under_way"}
    paid_before = charged(generation)

    first.kill()
    first.wait()
    story.gate.set()

    generation.refresh_from_db()
    assert generation.status == Generation.Status.RUNNING, "nobody could say that it died"
    assert BudgetHold.objects.filter(generation=generation).count() == 2
    start_worker()
    tasks.sweep_generations()
    assert Generation.objects.get(pk=generation.pk).lease_id == generation.lease_id, "its lease has not expired"

    Generation.objects.filter(pk=generation.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    tasks.sweep_generations()
    tasks.sweep_generations()
    wait_until(
        lambda: Generation.objects.get(pk=generation.pk).is_finished, timeout_s=PATIENCE_S, what="another run ends it"
    )

    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == (Generation.Status.SUCCEEDED, "")
    assert Draft.objects.filter(generation=generation).count() == 3
    asked = story.asked()
    assert asked["strategist"] == asked[team.LABELS[0]] == 1, "what was answered before is not asked again"
    assert asked[team.LABELS[1]] == asked[team.LABELS[2]] == 2
    now_paid = charged(generation)
    assert all(now_paid[task] == times for task, times in paid_before.items())
    assert max(now_paid.values()) == 1, "one charge for each answered call"
    assert sum(now_paid.values()) == sum(asked.values()) - 2, "the two that broke off gave no answer"
    steps = GenerationStep.objects.filter(generation=generation)
    assert broke_off(generation) == {"writer:B": "interrupted", "writer:C": "interrupted"}
    assert steps.count() == sum(asked.values()), "the trail has every call that a provider got"
    assert generation.cost_micro_usd == sum(steps.values_list("cost_micro_usd", flat=True))
    assert budget.get_state(generation.workspace_id).spent == generation.cost_micro_usd
    assert BudgetHold.objects.count() == 0

    def ends() -> int:
        return sum(b'"type": "done"' in frame for frame in frames(generation))

    wait_until(ends, timeout_s=PATIENCE_S, what="the end is told on the stream")
    assert ends() == 1, "one end on the stream"


def test_a_generation_that_nobody_takes_over_in_time_ends_as_interrupted():
    generation = ask(make_workspace())
    held = running.claim(generation.pk)
    assert held is not None
    call = GenerationStep(workspace=generation.workspace, generation=generation, role="strategist", provider="openai")
    budget.reserve(step=call, amount_micro_usd=5)
    long_ago = timezone.now() - tasks.GIVE_UP_AFTER - timedelta(seconds=1)
    Generation.objects.filter(pk=generation.pk).update(
        created_at=long_ago, leased_until=timezone.now() - timedelta(seconds=1)
    )

    tasks.sweep_generations()
    with pytest.raises(GatewayError):
        held.checkpoint()

    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == (Generation.Status.FAILED, "interrupted")
    assert BudgetHold.objects.count() == 0
    assert [step.error_class for step in GenerationStep.objects.filter(generation=generation)] == ["interrupted"]
    assert sum(b'"type": "done"' in frame for frame in frames(generation)) == 1

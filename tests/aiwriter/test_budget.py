"""The monthly budget: never over the cap, whatever happens at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from aiwriter import tasks
from aiwriter.agents import running
from aiwriter.gateway import budget
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BudgetHold, Generation, GenerationStep
from aiwriter.services.money import set_budget
from aiwriter.services.passages import rewrite
from aiwriter.usage import get_usage
from pulsequill.core.errors import Blocked
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_member, make_workspace
from tests.fakes.llm_server import LLMServer, Reply, Request
from tests.waiting import wait_until

CAP = 1000


@pytest.fixture
def workspace(transactional_db):
    made = make_workspace()
    set_budget(workspace=made, actor=None, cap_micro_usd=CAP, warn_percent=80)
    return made


def make_step(generation: Generation, cost: int = 0) -> GenerationStep:
    return GenerationStep(
        workspace_id=generation.workspace_id, generation=generation, role="writer", provider="openai",
        model_requested="gpt-4.1", cost_micro_usd=cost,
    )  # fmt: skip


def test_twenty_at_once_never_go_over_a_tiny_budget(workspace):
    generation = Generation.objects.create(workspace=workspace)

    def spend(_number: int) -> bool:
        try:
            step = make_step(generation)
            budget.reserve(step=step, amount_micro_usd=150)
            step.error_class, step.cost_micro_usd = "", 140
            budget.settle(step)
        except GatewayError as error:
            assert error.code == "budget_exceeded"
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as pool:
        granted = sum(pool.map(spend, range(60)))

    state = budget.get_state(workspace.pk)
    assert state.spent == granted * 140 <= CAP
    assert 6 <= granted <= 7
    assert state.held == 0


def test_a_hold_counts_until_it_is_settled_or_expires(workspace):
    generation = Generation.objects.create(workspace=workspace)

    hold = budget.reserve(step=make_step(generation), amount_micro_usd=900)

    with pytest.raises(GatewayError):
        budget.reserve(step=make_step(generation), amount_micro_usd=200)
    assert GenerationStep.objects.count() == 1, "what was not made leaves no row"
    BudgetHold.objects.filter(pk=hold.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert budget.get_state(workspace.pk).left == CAP


def test_last_month_is_forgiven(workspace):
    generation = Generation.objects.create(workspace=workspace)
    make_step(generation, 990).save()
    assert budget.get_state(workspace.pk).is_warning

    GenerationStep.objects.update(created_at=timezone.now() - timedelta(days=32))

    assert budget.get_state(workspace.pk).spent == 0


def test_an_exhausted_budget_refuses_before_anything_is_queued(workspace, settings):
    settings.OPENAI_API_KEY = "sk-test"
    generation = Generation.objects.create(workspace=workspace, status="succeeded")
    make_step(generation, CAP).save()

    with pytest.raises(Blocked) as refusal:
        ask(workspace)

    assert refusal.value.code == "budget_exceeded"
    assert Generation.objects.count() == 1


def test_templates_cost_nothing_and_ignore_the_budget(workspace):
    set_budget(workspace=workspace, actor=None, cap_micro_usd=0, warn_percent=80)

    assert ask(workspace).status == Generation.Status.QUEUED


# --- twenty real requests at once ------------------------------------------------------------------------------------
def test_twenty_real_requests_at_once_never_go_over_a_tiny_budget(workspace, settings, monkeypatch):
    """Requests come in by `/v1`, are run and answered at the same time; meanwhile somebody adds up again and again."""
    number = 20
    monkeypatch.setattr("aiwriter.services.limits.MOST_UNFINISHED", number)
    settings.AI_RUNS_PER_WORKSPACE = number
    settings.EMBEDDER = "lexical"
    members = [make_member(workspace) for _ in range(number)]
    began, over, gate = Barrier(number), Event(), Event()
    sums: list[int] = []

    def held_up(request: Request) -> Reply:
        reply = team.answer(request)
        reply.gate = gate
        return reply

    def watch() -> None:
        try:
            while not over.wait(0.01):
                sums.append(promised(workspace))
        finally:
            connection.close()

    def ask_and_run(index: int) -> tuple[str, str, int]:
        try:
            api = APIClient()
            api.force_authenticate(members[index])
            text = f"Our harvest roast number {index} is back."
            answer = api.post("/v1/ai/rewrite", {"text": text, "instruction": "expand"}, format="json")
            connection.close()  # twenty that wait for each other may not hold what the others need
            began.wait(60)
            if answer.status_code != 202:
                return answer.json()["code"], "", 0
            running.run(answer.json()["id"])
            ended = Generation.objects.get(pk=answer.json()["id"])
            return ended.status, ended.error_code, ended.cost_micro_usd
        finally:
            connection.close()

    with LLMServer(otherwise=held_up) as server:
        settings.OPENAI_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL = server.openai_url
        one = hold_of_one_call(workspace, settings)
        cap = one * 5 // 2
        set_budget(workspace=workspace, actor=None, cap_micro_usd=cap, warn_percent=80)
        with ThreadPoolExecutor(number + 1) as pool:
            watcher = pool.submit(watch)
            runs = [pool.submit(ask_and_run, index) for index in range(number)]
            try:
                wait_until(lambda: sum(run.done() for run in runs) >= number - 2, timeout_s=60, what="losers are told")
                wait_until(lambda: server.in_flight == 2, timeout_s=60, what="the two that the budget pays for ask")
            finally:
                gate.set()
                ends = [run.result(60) for run in runs]
                over.set()
            watcher.result(60)

    won = [end for end in ends if end[0] == Generation.Status.SUCCEEDED]
    lost = [end for end in ends if end not in won]
    assert len(won) == 2 == len(server.requests)
    assert {end[:2] for end in lost} == {(Generation.Status.BLOCKED, "budget_exceeded")}
    assert all(cost == 0 for _, _, cost in lost)
    assert max(sums) == 2 * one, "both holds were seen"
    assert max(sums) <= cap
    state = budget.get_state(workspace.pk)
    assert (state.spent, state.held) == (sum(cost for _, _, cost in won), 0)


def promised(workspace) -> int:
    """What is spent and held, as one statement sees it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(cost_micro_usd), 0) FROM aiwriter_generationstep WHERE workspace_id = %(w)s)"
            "     + (SELECT coalesce(sum(amount_micro_usd), 0) FROM aiwriter_budgethold WHERE workspace_id = %(w)s)",
            {"w": workspace.pk},
        )
        return int(cursor.fetchone()[0])


def hold_of_one_call(workspace, settings) -> int:
    """What is set aside for one such request: found out by a budget that pays for none."""
    seen: list[int] = []
    reserve = budget.reserve
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "reserve", lambda **given: seen.append(given["amount_micro_usd"]) or reserve(**given))
        set_budget(workspace=workspace, actor=None, cap_micro_usd=1, warn_percent=80)
        text = "Our harvest roast number 10 is back."
        running.run(rewrite(workspace=workspace, actor=None, text=text, instruction="expand").pk)
    Generation.objects.for_workspace(workspace).delete()
    return seen[0]


def test_a_call_whose_hold_expires_is_told_as_interrupted_and_one_under_way_is_no_failure(workspace):
    generation = Generation.objects.create(workspace=workspace, status=Generation.Status.SUCCEEDED)
    dead, alive = make_step(generation), make_step(generation)
    budget.reserve(step=dead, amount_micro_usd=100)
    budget.reserve(step=alive, amount_micro_usd=100)
    BudgetHold.objects.filter(pk=dead.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    tasks.sweep_generations()

    ends = dict(GenerationStep.objects.values_list("pk", "error_class"))
    assert ends == {dead.pk: "interrupted", alive.pk: "under_way"}
    assert [hold.pk for hold in BudgetHold.objects.all()] == [alive.pk]
    assert get_usage(workspace)["failed_calls"] == get_usage(workspace)["by_model"][0]["failed_calls"] == 1

"""The monthly budget: never over the cap, whatever happens at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from aiwriter.gateway import budget
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BudgetHold, Generation, GenerationStep
from aiwriter.services.money import set_budget
from pulsequill.core.errors import Blocked
from tests.aiwriter.making import ask, make_workspace

CAP = 1000


@pytest.fixture
def workspace(transactional_db):
    made = make_workspace()
    set_budget(workspace=made, actor=None, cap_micro_usd=CAP, warn_percent=80)
    return made


def make_step(generation: Generation, cost: int) -> GenerationStep:
    return GenerationStep(
        workspace_id=generation.workspace_id, generation=generation, role="writer", provider="openai",
        model_requested="gpt-4.1", cost_micro_usd=cost,
    )  # fmt: skip


def test_twenty_at_once_never_go_over_a_tiny_budget(workspace):
    generation = Generation.objects.create(workspace=workspace)

    def spend(_number: int) -> bool:
        try:
            hold = budget.reserve(workspace_id=workspace.pk, generation_id=generation.pk, amount_micro_usd=150)
            budget.settle(hold, make_step(generation, 140))
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

    hold = budget.reserve(workspace_id=workspace.pk, generation_id=generation.pk, amount_micro_usd=900)

    with pytest.raises(GatewayError):
        budget.reserve(workspace_id=workspace.pk, generation_id=generation.pk, amount_micro_usd=200)
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

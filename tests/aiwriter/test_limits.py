"""How much may be asked and written at once, in a minute and by a double click."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Notification
from aiwriter import tasks
from aiwriter.agents import running
from aiwriter.models import Budget, Generation, GenerationStep
from aiwriter.services import limits
from aiwriter.services.generations import cancel_generation, request_drafts
from aiwriter.services.money import set_budget
from aiwriter.services.passages import rewrite
from campaigns.models import Campaign
from pulsequill.core.errors import Blocked, Throttled
from tests.aiwriter.making import SENTENCE, ask, make_member, make_workspace, written

MONEY = 1_000_000


@pytest.fixture
def workspace(transactional_db):
    return make_workspace()


def claimed(workspace, number: int) -> list[Generation]:
    made = [ask(workspace) for _ in range(number)]
    for generation in made:
        assert running.claim(generation.pk) is not None
    return made


# --- how many run at once ------------------------------------------------------------------------------------------
def test_a_workspace_runs_only_so_many_and_the_rest_wait_in_the_queue(workspace, settings):
    settings.AI_RUNS_PER_WORKSPACE = 2
    claimed(workspace, 2)
    third = ask(workspace)

    assert running.run(third.pk) is False

    third.refresh_from_db()
    assert third.status == Generation.Status.QUEUED


def test_a_full_workspace_does_not_hold_up_another(workspace, settings):
    settings.AI_RUNS_PER_WORKSPACE = 1
    claimed(workspace, 1)

    assert written(ask(make_workspace("Rival Tea"))).status == Generation.Status.SUCCEEDED


def test_the_one_that_ends_wakes_the_ones_that_wait_the_oldest_first(workspace, settings, monkeypatch):
    settings.AI_RUNS_PER_WORKSPACE = 2
    claimed(workspace, 1)
    runner, older, younger = (ask(workspace) for _ in range(3))
    stranger = ask(make_workspace("Rival Tea"))
    woken = []
    monkeypatch.setattr(tasks.run_generation, "delay", lambda generation_id: woken.append(generation_id))

    tasks.run_generation(generation_id=str(runner.pk))

    assert woken == [str(older.pk)]
    assert str(younger.pk) not in woken
    assert str(stranger.pk) not in woken


def test_a_task_that_finds_no_place_wakes_nobody(workspace, settings, monkeypatch):
    settings.AI_RUNS_PER_WORKSPACE = 1
    claimed(workspace, 1)
    waiting = ask(workspace)
    monkeypatch.setattr(tasks.run_generation, "delay", lambda **_ids: pytest.fail("nothing has ended"))

    tasks.run_generation(generation_id=str(waiting.pk))


def test_a_run_that_died_gives_its_place_up_with_its_lease(workspace, settings):
    settings.AI_RUNS_PER_WORKSPACE = 1
    (dead,) = claimed(workspace, 1)
    Generation.objects.filter(pk=dead.pk).update(leased_until=timezone.now() - timedelta(seconds=1))

    assert running.claim(ask(workspace).pk) is not None


def test_many_claims_at_once_never_take_more_places_than_there_are(workspace, settings):
    settings.AI_RUNS_PER_WORKSPACE = 3
    waiting = [ask(workspace) for _ in range(limits.MOST_UNFINISHED)]

    def claim(generation: Generation) -> bool:
        try:
            return running.claim(generation.pk) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(waiting)) as pool:
        assert sum(pool.map(claim, waiting)) == 3


def test_a_task_delivered_twice_at_once_is_done_once(workspace, monkeypatch):
    generation = ask(workspace)
    began, go_on = Event(), Event()
    work = running._work

    def held_up(held):
        began.set()
        assert go_on.wait(20)
        work(held)

    monkeypatch.setattr(running, "_work", held_up)

    def run() -> bool:
        try:
            return running.run(generation.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run)
        assert began.wait(20)
        assert running.run(generation.pk) is False, "the first delivery works on it"
        go_on.set()
        assert first.result(20) is True

    assert running.run(generation.pk) is False, "it is finished"
    assert GenerationStep.objects.filter(generation=generation).count() == 1


# --- how many may be asked -----------------------------------------------------------------------------------------
def test_a_person_may_ask_only_so_often_in_a_minute_and_another_still_may(workspace):
    hasty, calm = make_member(workspace), make_member(workspace)
    for _ in range(limits.PERSON_PER_MINUTE):
        limits.refuse_haste(workspace=workspace, actor=hasty)

    with pytest.raises(Throttled) as refusal:
        rewrite(workspace=workspace, actor=hasty, text="Our roast is back.", instruction="shorten")

    assert 0 < refusal.value.retry_after_s <= 60
    assert rewrite(workspace=workspace, actor=calm, text="Our roast is back.", instruction="shorten").pk


def test_a_workspace_has_a_minute_too(workspace):
    for _ in range(limits.WORKSPACE_PER_MINUTE):
        limits.refuse_haste(workspace=workspace, actor=None)

    with pytest.raises(Throttled):
        ask(workspace)

    assert ask(make_workspace("Rival Tea")).pk


def test_haste_is_answered_with_429_and_when_to_come_back(workspace):
    member, client = make_member(workspace), APIClient()
    client.force_login(member)
    for _ in range(limits.PERSON_PER_MINUTE):
        limits.refuse_haste(workspace=workspace, actor=member)

    answer = client.post("/v1/ai/rewrite", {"text": "Our roast is back.", "instruction": "shorten"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled"), answer.content
    assert 0 < int(answer["Retry-After"]) <= 60


def test_too_many_unfinished_are_refused(workspace):
    for _ in range(limits.MOST_UNFINISHED):
        ask(workspace)

    with pytest.raises(Blocked) as refusal:
        ask(workspace)

    assert refusal.value.code == "too_many_generations"


# --- double clicks -------------------------------------------------------------------------------------------------
def brief(**fields):
    return {"goal": SENTENCE, "cta_url": "https://northwind.example/harvest", **fields}


def test_a_double_click_makes_one_generation(workspace):
    member = make_member(workspace)

    first = request_drafts(workspace=workspace, actor=member, brief=brief())
    second = request_drafts(workspace=workspace, actor=member, brief=brief())

    assert first.pk == second.pk
    assert Generation.objects.count() == 1


def test_two_clicks_at_the_same_moment_make_one_generation(workspace):
    member = make_member(workspace)

    def click(_number: int) -> str:
        try:
            return str(rewrite(workspace=workspace, actor=member, text="Our roast.", instruction="expand").pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(click, range(8)))) == 1


def test_only_the_same_wish_of_the_same_person_while_it_is_unfinished_is_a_double_click(workspace):
    member = make_member(workspace)
    first = request_drafts(workspace=workspace, actor=member, brief=brief())

    others = [
        request_drafts(workspace=workspace, actor=member, brief=brief(tone="Warm")),
        request_drafts(workspace=workspace, actor=make_member(workspace), brief=brief()),
        request_drafts(workspace=workspace, actor=None, brief=brief()),
    ]
    cancel_generation(generation=first, actor=member)
    after = request_drafts(workspace=workspace, actor=member, brief=brief())

    assert len({first.pk, after.pk, *(other.pk for other in others)}) == 5


def test_a_double_click_on_the_page_of_a_campaign_asks_once(workspace, client: Client):
    client.force_login(make_member(workspace))
    client.post(reverse("campaigns:campaign_new"), {"name": "Harvest", "start": "blank"})
    campaign = Campaign.objects.for_workspace(workspace).get()
    address = reverse("campaigns:angles", args=[campaign.pk])

    answers = [client.post(address, json.dumps(brief()), content_type="application/json") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
    assert Generation.objects.count() == 1


# --- what people are told about the budget ---------------------------------------------------------------------------
def spend(workspace, cost: int) -> None:
    paid = Generation.objects.create(workspace=workspace, status=Generation.Status.SUCCEEDED)
    GenerationStep.objects.create(
        workspace=workspace, generation=paid, role="writer", provider="openai", model_requested="gpt-4.1",
        cost_micro_usd=cost,
    )  # fmt: skip


def told(workspace) -> list[str]:
    return list(Notification.objects.for_workspace(workspace).order_by("created_at").values_list("kind", flat=True))


def test_people_are_warned_once_a_month_and_told_once_that_the_writer_stopped(workspace):
    set_budget(workspace=workspace, actor=None, cap_micro_usd=10 * MONEY, warn_percent=80)
    written(ask(workspace))
    assert told(workspace) == []

    spend(workspace, 8 * MONEY)
    written(ask(workspace))
    written(ask(workspace))
    assert told(workspace) == ["ai_budget.warned"]
    line = Notification.objects.for_workspace(workspace).get()
    assert line.body == "The AI writer has spent $8.00 of this month’s $10.00."
    assert line.url == "/ai/usage"

    spend(workspace, 2 * MONEY)
    written(ask(workspace))
    written(ask(workspace))
    assert told(workspace) == ["ai_budget.warned", "ai_budget.stopped"]


def test_a_new_month_and_a_new_budget_warn_anew(workspace):
    set_budget(workspace=workspace, actor=None, cap_micro_usd=10 * MONEY, warn_percent=80)
    spend(workspace, 9 * MONEY)
    written(ask(workspace))
    last_month = (timezone.now().replace(day=1) - timedelta(days=1)).date().replace(day=1)
    Budget.objects.filter(workspace=workspace).update(warned_month=last_month)
    written(ask(workspace))
    assert told(workspace) == ["ai_budget.warned"] * 2

    set_budget(workspace=workspace, actor=None, cap_micro_usd=10 * MONEY, warn_percent=90)
    written(ask(workspace))

    assert told(workspace) == ["ai_budget.warned"] * 3

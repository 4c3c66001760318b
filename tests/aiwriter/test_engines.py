"""What every writing engine must do, held against each one that is installed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from aiwriter.agents import engines
from aiwriter.agents.contract import VoiceData
from aiwriter.agents.engines import ENGINES
from aiwriter.gateway.errors import GatewayError
from aiwriter.models import BudgetHold, Generation
from aiwriter.services.money import set_budget
from tests.aiwriter import team
from tests.aiwriter.engine_runs import INSTALLED, VOICE, provider_fake, roles, run_engine
from tests.aiwriter.making import ask, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply, Request

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = ["writer", "writer", "writer"]


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with provider_fake() as running:
        yield running


@pytest.fixture(params=INSTALLED)
def engine(request) -> str:
    return request.param


def verdicts(request: Request, problems: dict[int, str]) -> Reply:
    """A reviewer's answer that finds these problems."""
    key = "reviews" if team.role_of(request) == "brand_reviewer" else "verdicts"
    seen = [draft["position"] for draft in team.data_of(request)["drafts"]]
    found = [{"position": n, "problems": [problems[n]] if n in problems else []} for n in seen]
    return Reply(json.dumps({key: found}))


def critical(**problems_by_role: dict[int, str]):
    """A team whose reviewers find the same problems each time they look."""

    def answer(request: Request) -> Reply:
        role = team.role_of(request)
        return verdicts(request, problems_by_role[role]) if role in problems_by_role else team.answer(request)

    return answer


def test_it_hands_over_what_the_models_wrote(server, engine):
    run = run_engine(engine)

    assert run.error is None
    assert [draft.angle for draft in run.package.drafts] == list(team.LABELS)
    assert [draft.subject for draft in run.package.drafts] == [
        f"{label}: the harvest roast is back" for label in team.LABELS
    ]
    assert [block["type"] for block in run.package.drafts[0].blocks] == ["heading", "text", "button"]
    assert (run.package.provider, run.package.model) == ("openai", "gpt-4.1-2026")


def test_every_question_is_one_request_one_audit_row_and_one_stage(server, engine):
    run = run_engine(engine, voice=VOICE)

    expected = ["brand_reviewer", "critic", "strategist", *WRITERS]
    assert roles(server.requests) == expected
    assert sorted(step.role for step in run.steps) == expected
    assert sorted(stage["role"] for stage in run.stages if stage["state"] == "started") == expected
    assert sorted(stage["role"] for stage in run.stages if stage["state"] == "done") == expected
    assert all(step.prompt_id == f"{step.role}@v1" and step.prompt_sha256 for step in run.steps)
    costs = {stage["task"]: stage["cost_micro_usd"] for stage in run.stages if stage["state"] == "done"}
    assert costs == {step.task: step.cost_micro_usd for step in run.steps}
    assert all(stage["tokens"] and stage["model"] for stage in run.stages if stage["state"] == "done")
    assert BudgetHold.objects.count() == 0


def test_strategist_writers_brand_reviewer_and_critic_speak_in_this_order(server, engine):
    run_engine(engine, voice=VOICE)

    assert list(map(team.role_of, server.requests)) == ["strategist", *WRITERS, "brand_reviewer", "critic"]


def all_together(server: LLMServer) -> threading.Event:
    """Hold every writer's answer back until the third one is asked for; returns what is set then."""
    asked: list[Request] = []
    all_there = threading.Event()

    def answer(request: Request) -> Reply:
        reply = team.answer(request)
        if team.role_of(request) == "writer":
            reply.gate = all_there
            asked.append(request)
            if len(asked) == 3:
                all_there.set()
        return reply

    server.otherwise = answer
    return all_there


def test_the_writers_write_side_by_side(server, engine):
    all_together(server)

    run = run_engine(engine)

    assert run.error is None
    assert server.most_in_flight == 3


def test_drafts_are_shown_growing(server, engine):
    run = run_engine(engine)

    growing = [frame for frame in run.frames if frame["type"] == "draft" and frame["position"] == 1]
    assert len(growing) > 5
    assert len(growing[0]["blocks"]) < len(growing[-1]["blocks"])


def test_without_a_voice_nobody_reviews_it_and_the_page_is_told(server, engine):
    run = run_engine(engine, voice=VoiceData())

    assert "brand_reviewer" not in roles(server.requests)
    told = [(stage["state"], stage["summary"]) for stage in run.stages if stage["role"] == "brand_reviewer"]
    assert told == [("skipped", "no voice")]


def test_the_brand_reviewer_judges_by_the_voice_and_knows_no_facts(server, engine):
    run_engine(engine, voice=VOICE)

    asked = next(request for request in server.requests if team.role_of(request) == "brand_reviewer")
    data = team.data_of(asked)
    assert data["voice"] == VOICE.profile
    assert not {"facts", "offer", "links"} & set(data)
    assert [draft["subject"] for draft in data["drafts"]] == [
        f"{label}: the harvest roast is back" for label in team.LABELS
    ]


def test_what_any_reviewer_finds_reaches_the_editor_who_tells_what_changed(server, engine):
    looks: list[str] = []

    def answer(request: Request) -> Reply:
        role = team.role_of(request)
        if role in ("brand_reviewer", "critic"):
            looks.append(role)
            is_first = looks.count(role) == 1
            words = {"brand_reviewer": "too stiff", "critic": "'glad' is not backed"}[role]
            return verdicts(request, {1: words} if is_first else {})
        return team.answer(request)

    server.otherwise = answer

    run = run_engine(engine, voice=VOICE)

    edits = [request for request in server.requests if team.role_of(request) == "editor"]
    assert [team.data_of(edit)["problems"] for edit in edits] == [["too stiff", "'glad' is not backed"]]
    assert run.package.drafts[1].subject == "Mended: the harvest roast is back"
    (stage,) = run.done("editor")
    before, after = "The offer: the harvest roast is …", "Mended: the harvest roast is …"
    assert stage["changes"] == [{"part": "Subject", "before": before, "after": after}]
    assert stage["summary"] == "2 to mend, changed: Subject"
    assert (stage["task"], stage["label"]) == ("editor:B", "Editor B")


def test_the_rules_find_what_critics_overlook(server, engine):
    server.otherwise = lambda request: team.answer(request, bad_position=1)

    run = run_engine(engine)

    (edit,) = [request for request in server.requests if team.role_of(request) == "editor"]
    assert any("75" in problem for problem in team.data_of(edit)["problems"])
    assert run.package.drafts[1].subject.startswith("Mended")


def test_only_what_was_mended_is_looked_at_again(server, engine):
    server.otherwise = critical(critic={2: "an empty promise"})

    run = run_engine(engine)

    first, second = (team.data_of(request) for request in server.requests if team.role_of(request) == "critic")
    assert [draft["position"] for draft in first["drafts"]] == [0, 1, 2]
    assert [(draft["position"], draft["asked_to_mend"]) for draft in second["drafts"]] == [(2, ["an empty promise"])]
    assert [stage["task"] for stage in run.done("critic")] == ["critic", "critic:2"]


def test_mending_ends_even_when_nobody_is_ever_content(server, engine):
    server.otherwise = critical(brand_reviewer=dict.fromkeys(range(3), "stiff"), critic={0: "no", 1: "no", 2: "no"})

    run = run_engine(engine, voice=VOICE)

    asked = roles(server.requests)
    assert (asked.count("brand_reviewer"), asked.count("critic"), asked.count("editor")) == (2, 2, 6)
    assert sorted(step.role for step in run.steps) == asked
    assert len({step.task for step in run.steps}) == len(run.steps)
    assert len(run.package.drafts) == 3


def test_verdicts_on_drafts_that_nobody_wrote_do_not_count(server, engine):
    server.otherwise = lambda request: (
        Reply(json.dumps({"verdicts": [{"position": 7, "problems": ["what?"]}]}))
        if team.role_of(request) == "critic"
        else team.answer(request)
    )

    run = run_engine(engine)

    assert "editor" not in roles(server.requests)
    assert run.done("critic")[0]["summary"] == "nothing to mend"


def test_the_critic_is_of_the_other_family(server, engine):
    run = run_engine(engine)

    by_role = {step.role: step.provider for step in run.steps}
    assert (by_role["writer"], by_role["critic"]) == ("openai", "anthropic")


def test_the_other_family_steps_in_and_the_page_is_told(server, engine):
    server.otherwise = lambda request: Reply(status=529) if request.provider == "openai" else team.answer(request)

    run = run_engine(engine)

    assert run.package.provider == "anthropic"
    assert all(stage["summary"].endswith("instead of gpt-4.1") for stage in run.done("writer"))
    assert len(server.requests) == len(run.steps)


def test_a_role_that_fails_ends_the_work_with_its_own_error(server, engine):
    def answer(request: Request) -> Reply:
        fails = team.role_of(request) == "writer" and team.data_of(request)["angle"]["label"] == team.LABELS[1]
        return Reply(status=401) if fails else team.answer(request)

    server.otherwise = answer

    run = run_engine(engine)

    assert run.package is None
    assert run.error.code == "provider_auth"
    assert ("writer:B", "failed") in [(stage["task"], stage["state"]) for stage in run.stages]
    assert not {"brand_reviewer", "critic"} & set(roles(server.requests))
    assert len(server.requests) == len(run.steps)


def test_a_rate_limit_is_not_retried_behind_the_gateways_back(server, engine):
    server.otherwise = lambda _request: Reply(status=429, retry_after="0")

    run = run_engine(engine)

    assert run.error.code == "provider_rate_limited"
    assert [(stage["role"], stage["state"]) for stage in run.stages] == [
        ("strategist", "started"),
        ("strategist", "failed"),
    ]


def test_a_budget_that_is_used_up_midway_stops_before_the_next_call(server, engine):
    workspace = make_workspace()

    def answer(request: Request) -> Reply:
        if team.role_of(request) == "strategist":
            set_budget(workspace=workspace, actor=None, cap_micro_usd=1, warn_percent=80)
        return team.answer(request)

    server.otherwise = answer

    run = run_engine(engine, workspace=workspace)

    assert run.error.code == "budget_exceeded"
    assert roles(server.requests) == ["strategist"]
    assert BudgetHold.objects.count() == 0


def test_when_it_is_cancelled_no_call_stays_behind(server, engine):
    all_writing = all_together(server)
    play = server.otherwise

    def slowly(request: Request) -> Reply:
        reply = play(request)
        if team.role_of(request) == "writer":
            reply.fault, reply.pieces = "dribble", 400
        return reply

    def checkpoint() -> None:
        if all_writing.is_set():
            raise GatewayError("cancelled")

    server.otherwise = slowly

    run = run_engine(engine, checkpoint=checkpoint)

    assert run.error.code == "cancelled"
    assert roles(server.requests) == ["strategist", *WRITERS]
    assert len(run.steps) == 4, "whoever was asked is audited before the engine comes back"
    assert BudgetHold.objects.count() == 0


def test_a_run_that_takes_over_pays_nothing_twice_and_ends_the_same(server, engine):
    before = run_engine(engine, voice=VOICE)
    asked = len(server.requests)

    after = run_engine(engine, voice=VOICE, generation=before.generation)

    assert after.package == before.package
    assert len(server.requests) == asked


def test_a_whole_generation_says_which_engine_wrote(server, engine, settings):
    settings.AI_ENGINE, settings.EMBEDDER = engine, "lexical"

    generation = written(ask(make_workspace(), cta_url=team.LINK))

    assert generation.status == Generation.Status.SUCCEEDED, generation.error_detail
    assert (generation.engine, generation.origin) == (engine, "ai")
    assert [draft.angle for draft in generation.ordered_drafts] == list(team.LABELS)


def test_crewai_without_its_extra_says_what_to_do(server, settings, monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)
    settings.AI_ENGINE = "crewai"

    generation = written(ask(make_workspace()))

    assert generation.error_code == "ai_not_configured"
    assert "pip install -r requirements-crew.lock" in generation.error_detail
    assert server.requests == []


@pytest.mark.parametrize("name", ENGINES)
def test_the_ai_worker_loads_the_engine_that_is_configured_if_it_is_there(name, settings, monkeypatch):
    loaded: list[str] = []
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.ANTHROPIC_API_KEY = name, "sk-test", ""
    monkeypatch.setattr(engines, "import_module", loaded.append)

    engines.preload()

    assert loaded == ["langchain_openai", *([ENGINES[name][0]] if name in INSTALLED else [])]

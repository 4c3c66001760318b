"""The agent desk from stored calls: who, what came of it, what changed, what failed, what it cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aiwriter.agents.desk import desk_frames
from aiwriter.agents.ending import final_frames
from aiwriter.models import GenerationStep
from aiwriter.models.generation_step import INTERRUPTED, UNDER_WAY
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply, Request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings) -> Iterator[LLMServer]:
    with LLMServer(otherwise=team.answer) as running:
        settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = running.openai_url, running.url
        settings.EMBEDDER = "lexical"
        yield running


def test_each_role_is_told_with_model_tokens_cost_and_time(server):
    generation = written(ask(make_workspace(), cta_url=team.LINK))

    desk = desk_frames(generation)

    assert [row["label"] for row in desk] == [
        "Strategist", "Writer A", "Writer B", "Writer C", "Brand reviewer", "Compliance critic",
    ]  # fmt: skip
    assert [row["state"] for row in desk] == ["done"] * 4 + ["skipped", "done"]
    assert desk[0]["summary"] == " · ".join(team.LABELS)
    assert desk[1]["summary"].endswith(" words")
    called = [row for row in desk if row["state"] == "done"]
    assert all(row["model"] and row["tokens"] == 150 and row["ms"] >= 0 for row in called)
    assert sum(row["cost_micro_usd"] for row in desk) == generation.cost_micro_usd > 0


def test_what_an_editor_changed_is_told_part_by_part(server):
    server.otherwise = lambda request: team.answer(request, bad_position=1)

    desk = desk_frames(written(ask(make_workspace(), cta_url=team.LINK)))

    editor = next(row for row in desk if row["label"] == "Editor B")
    assert {change["part"] for change in editor["changes"]} >= {"Subject", "Text"}
    assert any("75%" in change["before"] and "75%" not in change["after"] for change in editor["changes"])
    assert editor["summary"].startswith("changed: Subject")


def test_a_provider_that_fails_and_who_stepped_in_are_told(server):
    def answer(request: Request) -> Reply:
        is_strategist = team.role_of(request) == "strategist"
        return Reply(status=401) if is_strategist and request.provider == "openai" else team.answer(request)

    server.otherwise = answer

    first = desk_frames(written(ask(make_workspace(), cta_url=team.LINK)))[0]

    assert (first["label"], first["state"]) == ("Strategist", "done")
    assert first["model"].startswith("claude")
    assert first["problems"][0].endswith("The provider does not accept the key.")
    assert "stepped in for" in first["problems"][-1]


def test_a_step_that_nobody_could_do_is_failed(server):
    server.otherwise = lambda _request: Reply(status=401)

    generation = written(ask(make_workspace()))
    desk = desk_frames(generation)

    assert generation.status == "failed"
    assert [row["state"] for row in desk] == ["failed"]
    assert len(desk[0]["problems"]) == 2


def test_templates_are_told_one_by_one_and_say_that_no_model_wrote_them():
    generation = written(ask(make_workspace()))

    desk = desk_frames(generation)

    assert [row["label"] for row in desk] == ["Template A", "Template B", "Template C"]
    assert {row["cost_label"] for row in desk} == {"$0.00"}
    assert [frame["type"] for frame in final_frames(generation)] == ["stage"] * 3 + ["draft"] * 3 + ["done"]


def test_a_page_that_comes_in_the_middle_shows_who_is_at_work_and_whom_a_restart_cut_off():
    generation = ask(make_workspace(), cta_url=team.LINK)
    common = {"workspace": generation.workspace, "generation": generation, "role": "writer", "provider": "openai"}
    GenerationStep.objects.create(**common, task="writer:A", error_class=INTERRUPTED)
    GenerationStep.objects.create(**common, task="writer:A", error_class=UNDER_WAY)
    GenerationStep.objects.create(**common, task="writer:B", error_class=INTERRUPTED)

    again, cut_off = desk_frames(generation)

    assert (again["state"], cut_off["state"]) == ("started", "failed")
    assert again["problems"] == cut_off["problems"] == ["The writer was restarted in the middle of this."]

"""Small tasks on the wire: what is asked, what grows on the screen, and what comes of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from aiwriter.agents.small import growing
from aiwriter.models import Generation
from aiwriter.services.passages import alt_text, call_to_action, rewrite, subject_lines
from aiwriter.streams import stream_key
from tests.aiwriter import team
from tests.aiwriter.making import ask, make_workspace, written
from tests.fakes.llm_server import LLMServer, Reply

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "We roasted it this week, and we are glad to have it again. " * 6


@pytest.fixture
def server(settings: Any) -> Iterator[LLMServer]:
    with LLMServer() as running_server:
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-test", running_server.openai_url
        settings.EMBEDDER = "lexical"
        yield running_server


def frames(generation: Generation) -> list[dict[str, Any]]:
    with redis.Redis.from_url(django_settings.STREAMS_URL) as valkey:
        entries = valkey.xrange(stream_key(generation.workspace_id, generation.pk))
    return [json.loads(fields[b"frame"]) for _, fields in entries]


def test_an_edit_is_shown_while_it_grows_and_checked_when_it_is_whole(
    server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "PAUSE_S", 0.0)
    server.script.append(Reply(json.dumps({"text": LONG}), pieces=30))

    generation = written(
        rewrite(workspace=make_workspace(), actor=None, text="We roasted it, {{first_name}}.", instruction="expand")
    )

    sent = frames(generation)
    texts = [frame["text"] for frame in sent if frame["type"] == "text"]
    assert len(texts) > 5
    assert all(LONG.startswith(text) for text in texts)
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert sent[-1]["type"] == "done"
    result = sent[-1]["generation"]["result"]
    assert result["text"] == LONG
    assert [each["code"] for each in result["checks"]["findings"]] == ["edit_tag_lost"]


def test_an_edit_gets_the_brief_as_background_and_stays_in_the_language_of_its_passage(server: LLMServer) -> None:
    workspace = make_workspace()
    brief = ask(workspace, facts=["1,450 bags"], must_say=["Say this everywhere"], must_not_say=["cheap"]).brief
    server.otherwise = lambda _request: Reply(json.dumps({"text": "Es ist da."}))

    for more in ({"instruction": "plainer"}, {"instruction": "translate", "language": "de"}):
        written(
            rewrite(workspace=workspace, actor=None, text="Es ist da!", brief=brief, earlier=["Da ist es."], **more)
        )

    first, second = (team.data_of(request) for request in server.requests)
    assert first["facts"] == ["1,450 bags"]
    assert first["must_not_say"] == ["cheap"]
    assert first["earlier"] == ["Da ist es."]
    assert "must_say" not in first
    assert "language" not in first
    assert second["language"] == "de"


def test_another_try_is_asked_anew_and_the_same_question_comes_from_the_cache(server: LLMServer) -> None:
    workspace = make_workspace()
    server.otherwise = lambda _request: Reply(json.dumps({"text": "It is back, and good."}))
    fields: dict[str, Any] = {"workspace": workspace, "actor": None, "text": "It is back.", "instruction": "expand"}

    for _ in range(2):
        written(rewrite(**fields))
    assert len(server.requests) == 1
    written(rewrite(**fields, earlier=["It is back, and good."]))
    assert len(server.requests) == 2


def test_subject_lines_of_a_model_are_scored_and_none_comes_twice(server: LLMServer) -> None:
    workspace = make_workspace()
    lines = [{"subject": f"Line number {n}", "preview_text": "More inside."} for n in range(10)]
    server.otherwise = lambda _request: Reply(json.dumps({"lines": lines}))

    generation = subject_lines(
        workspace=workspace, actor=None, brief=ask(workspace).brief, mail="It is here.", earlier=["line NUMBER 3"]
    )

    result = written(generation).result["lines"]
    assert [line["subject"] for line in result] == [f"Line number {n}" for n in range(10) if n != 3]
    assert all(line["score"] and line["reasons"] for line in result)
    assert team.data_of(server.requests[0])["mail"] == "It is here."


def test_labels_and_alternative_texts_of_a_model_are_tidied(server: LLMServer) -> None:
    workspace = make_workspace()
    labels = [{"label": label, "reason": "Why."} for label in ("Taste it.", "Reserve a bag", "Old", "A", "B", "C", "D")]
    server.script.append(Reply(json.dumps({"labels": labels})))
    result = written(
        call_to_action(workspace=workspace, actor=None, label="Reserve a bag", around="Beans.", earlier=["Old"])
    ).result
    assert [each["label"] for each in result["labels"]] == ["Taste it", "A", "B", "C", "D"]

    server.script.append(Reply(json.dumps({"text": "“Terraces of the farm.” "})))
    asked = alt_text(workspace=workspace, actor=None, file_name="IMG_1.png", around="The farm has terraces.")
    assert written(asked).result == {"text": "Terraces of the farm", "basis": "words"}
    sent = team.data_of(server.requests[-1])
    assert (sent["file_name"], sent["around"]) == ("IMG_1.png", "The farm has terraces.")
    assert asked.kind == "alt_text"

"""The small requests: edits, subject lines, button labels and alternative texts, by rules and over `/v1`."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from aiwriter.models import Generation
from aiwriter.services.passages import alt_text, call_to_action, rewrite, subject_lines
from pulsequill.core.errors import Invalid, NotFound
from tests.aiwriter.making import SENTENCE, ask, make_member, make_workspace, written

pytestmark = pytest.mark.django_db(transaction=True)


def done(generation: Generation) -> dict[str, Any]:
    finished = written(generation)
    assert finished.status == Generation.Status.SUCCEEDED, finished.error_detail
    return finished.result


def refused(generation: Generation) -> str:
    finished = written(generation)
    assert finished.status == Generation.Status.FAILED
    return finished.error_code


def asked(workspace: Any = None, **fields: Any) -> dict[str, Any]:
    return {"workspace": workspace or make_workspace(), "actor": None, **fields}


def test_an_edit_by_rules_keeps_marks_and_merge_tags_and_says_so() -> None:
    text = "Hi {{first_name}}, we do not really utilize ⟦link-a⟧numerous beans⟦/link-a⟧."

    result = done(rewrite(**asked(text=text, instruction="plainer")))

    assert result["text"] == "Hi {{first_name}}, we do not really use ⟦link-a⟧many beans⟦/link-a⟧."
    assert result["checks"] == {"ok": True, "findings": []}


def test_what_rules_leave_out_is_named() -> None:
    text = "It is back. We have 1,450 bags. They were picked in June. {{first_name}}, write to us."

    result = done(rewrite(**asked(text=text, instruction="shorten")))

    assert {each["code"] for each in result["checks"]["findings"]} == {"edit_tag_lost"}
    assert not result["checks"]["ok"]


@pytest.mark.parametrize(
    "fields",
    [
        {"instruction": "expand"},
        {"instruction": "another_try"},
        {"instruction": "translate", "language": "de"},
        {"instruction": "wish", "wish": "as a haiku"},
        {"instruction": "shorten", "earlier": ["It is back."]},
    ],
)
def test_what_needs_a_model_is_refused_without_one(fields: dict[str, Any]) -> None:
    assert refused(rewrite(**asked(text="The harvest is back.", **fields))) == "ai_not_configured"


def test_a_wish_needs_its_words_and_a_translation_its_language() -> None:
    for instruction in ("wish", "translate", "sing"):
        with pytest.raises(Invalid):
            rewrite(**asked(text="It is back.", instruction=instruction))


def test_subject_lines_carry_their_score_and_another_ten_are_others() -> None:
    workspace = make_workspace()
    brief = {"goal": SENTENCE, "facts": ["1,450 bags, picked in June", "Cup score 87.25"]}
    first = done(subject_lines(**asked(workspace, brief=brief, count=4)))["lines"]

    assert len(first) == 4
    assert all(0 < line["score"] <= 100 and line["reasons"] and line["label"] for line in first)
    seen = [line["subject"] for line in first]
    more = done(subject_lines(**asked(workspace, brief=brief, count=4, earlier=seen)))["lines"]
    assert more
    assert not set(seen) & {line["subject"] for line in more}


def test_labels_say_the_same_deed_in_other_words() -> None:
    labels = done(call_to_action(**asked(label="Reserve a bag")))["labels"]

    assert [each["label"] for each in labels] == [
        "Reserve your bag", "Reserve yours", "Set aside a bag", "Hold a bag", "Set aside your bag",
    ]  # fmt: skip
    assert all(each["reason"] for each in labels)
    more = done(call_to_action(**asked(label="Reserve a bag", earlier=[each["label"] for each in labels])))["labels"]
    assert [each["label"] for each in more] == ["Reserve my bag"]


def test_the_label_of_the_brief_comes_first() -> None:
    workspace = make_workspace()
    brief = ask(workspace, cta_label="Order the roast").brief

    labels = done(call_to_action(**asked(workspace, label="Read more", brief=brief)))["labels"]

    assert labels[0] == {"label": "Order the roast", "reason": "As the brief says it."}


@pytest.mark.parametrize("fields", [{"label": "Kaffeepause"}, {"around": "We roasted again."}])
def test_labels_that_no_rule_understands_are_refused(fields: dict[str, Any]) -> None:
    assert refused(call_to_action(**asked(**fields))) == "ai_not_configured"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"file_name": "harvest-roast_bag-2x.JPG"}, "Harvest roast bag"),
        ({"file_name": "https://cdn.example/a/FincaLaEsperanza%20terraces.png?w=600"}, "Finca La Esperanza terraces"),
        ({"file_name": "IMG_2041.jpg", "caption": "The terraces of the farm."}, "The terraces of the farm"),
    ],
)
def test_an_alternative_text_comes_from_the_file_or_the_caption(fields: dict[str, Any], text: str) -> None:
    assert done(alt_text(**asked(**fields)))["text"] == text


def test_a_picture_that_no_word_describes_needs_a_model() -> None:
    assert refused(alt_text(**asked(file_name="IMG_2041.jpg", around="We roasted."))) == "ai_not_configured"


def test_another_workspaces_brief_does_not_exist() -> None:
    brief = ask(make_workspace()).brief
    with pytest.raises(NotFound):
        rewrite(**asked(text="It is back.", instruction="shorten", brief=brief))


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/v1/ai/{path}", body, content_type="application/json")


def test_every_small_request_answers_with_a_generation_over_v1() -> None:
    workspace = make_workspace()
    client = Client()
    client.force_login(make_member(workspace))
    brief = str(ask(workspace).brief.pk)
    for path, body, kind in (
        ("rewrite", {"text": "It is back.", "instruction": "shorten", "brief": brief}, "rewrite"),
        ("subject-lines", {"brief": brief, "mail": "It is back."}, "subject_lines"),
        ("subject-lines", {"goal": SENTENCE}, "subject_lines"),
        ("cta", {"label": "Reserve a bag"}, "cta"),
        ("alt-text", {"file_name": "harvest-roast.jpg"}, "alt_text"),
    ):
        answer = post(client, path, body)
        assert answer.status_code == 202, answer.content
        assert answer.json()["kind"] == kind
    assert post(client, "subject-lines", {}).status_code == 400
    assert post(client, "cta", {}).status_code == 400
    assert post(client, "alt-text", {}).status_code == 400


def test_a_line_is_scored_at_once_and_for_everybody_who_may_read_drafts() -> None:
    client = Client()
    client.force_login(make_member(make_workspace(), role="analyst"))

    answer = post(client, "subject-score", {"subject": "Finca La Esperanza: 1,450 bags are here"})

    assert answer.status_code == 200
    assert answer.json()["score"] > 70
    assert {"code", "points", "most", "message", "source"} == set(answer.json()["reasons"][0])

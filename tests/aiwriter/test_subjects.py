"""The score of a subject line: a table of lines and what each rule says of it."""

from __future__ import annotations

import pytest

from aiwriter.subjects import score_line
from aiwriter.subjects.score import RULES

GOOD = "Finca La Esperanza: 1,450 bags are here"
PREVIEW = "Picked in June, rested for months, roasted this week."


def points(subject: str, preview_text: str = PREVIEW, language: str = "en") -> dict[str, tuple[int, int]]:
    return {r.code: (r.points, r.most) for r in score_line(subject, preview_text, language).reasons}


def said(code: str, subject: str, preview_text: str = PREVIEW, language: str = "en") -> str:
    return next(r.message for r in score_line(subject, preview_text, language).reasons if r.code == code)


def test_the_points_of_all_rules_add_up_to_a_hundred() -> None:
    assert sum(rule.most for rule in RULES) == 100
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_a_good_line_gets_nearly_all_and_every_reason_has_its_points_and_its_source() -> None:
    score = score_line(GOOD, PREVIEW)

    assert score.score >= 95
    assert score.score == sum(reason.points for reason in score.reasons)
    assert all(reason.message and reason.source and 0 <= reason.points <= reason.most for reason in score.reasons)
    assert "advice, not fact" in score.as_json()["label"]


@pytest.mark.parametrize(
    ("code", "subject", "preview_text", "share"),
    [
        ("length", "x" * 29, PREVIEW, 0.5),
        ("length", "x" * 30, PREVIEW, 1),
        ("length", "x" * 60, PREVIEW, 1),
        ("length", "x" * 61, PREVIEW, 0.5),
        ("length", "x" * 71, PREVIEW, 0),
        ("words", "one two three four five six seven eight nine", PREVIEW, 1),
        ("words", "one two three four five six seven eight nine ten", PREVIEW, 0.5),
        ("words", "a b c d e f g h i j k l", PREVIEW, 0),
        ("phone", "x" * 33, PREVIEW, 1),
        ("phone", "x" * 34, PREVIEW, 0.9),
        ("phone", "x" * 42, PREVIEW, 0.5),
        ("capitals", "The HARVEST is back", PREVIEW, 0),
        ("capitals", "The USA and code SAVE10 are back", PREVIEW, 1),
        ("marks", "It is here", PREVIEW, 1),
        ("marks", "It is here!", PREVIEW, 0.6),
        ("marks", "It is here!!", PREVIEW, 0),
        ("emoji", "It is here ☕", PREVIEW, 1),
        ("emoji", "It is here ☕🎉", PREVIEW, 0),
        ("emoji", "A family of four 👨‍👩‍👧‍👦", PREVIEW, 1),
        ("urgency", "Last chance for the harvest roast", PREVIEW, 1),
        ("urgency", "Hurry: last chance, today only", PREVIEW, 0),
        ("spam", "You have won free money", PREVIEW, 0),
        ("spam", "Free shipping until Sunday", PREVIEW, 1),
        ("specific", "something nice for the weekend", PREVIEW, 0.3),
        ("specific", "Which roast do you drink?", PREVIEW, 0.8),
        ("specific", "12 bags from Huila", PREVIEW, 1),
        ("preview_length", GOOD, "", 0),
        ("preview_length", GOOD, "x" * 39, 0.5),
        ("preview_length", GOOD, "x" * 40, 1),
        ("preview_length", GOOD, "x" * 90, 1),
        ("preview_length", GOOD, "x" * 91, 0.5),
        ("preview_adds", "The harvest roast is back", "The harvest roast is back again this week, friends", 0),
        ("preview_adds", "The harvest roast is back", "Free shipping on every order until Sunday evening", 1),
    ],
)
def test_each_rule_gives_its_share_of_the_points(code: str, subject: str, preview_text: str, share: float) -> None:
    got, most = points(subject, preview_text)[code]

    assert got == round(most * share), said(code, subject, preview_text)


def test_a_merge_tag_is_measured_as_its_fallback_or_as_a_name() -> None:
    assert "11 characters" in said(
        "length", "Hello {{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}}"
    )
    assert "13 characters" in said("length", "Hello {{first_name}}")
    assert "the reader" in said("specific", "Hello {{first_name}}")


def test_wide_letters_take_twice_the_room_and_words_without_spaces_are_not_counted() -> None:
    line = "収穫ロースト、一年待った豆が届きました"

    assert "38 characters" in said("length", line, "日曜日まで送料無料です。", "ja")
    assert not {"words", "urgency", "spam", "preview_adds"} & set(points(line, "日曜日まで送料無料です。", "ja"))
    assert score_line(line, "日曜日まで送料無料です。六月に摘んだ豆を今週焙煎しました。", "ja").score > 80


def test_urgency_is_known_in_other_languages() -> None:
    assert points("Nur heute: letzte Chance auf die Ernte", PREVIEW, "de")["urgency"] == (0, 8)
    assert points("Dernière chance, aujourd’hui seulement", PREVIEW, "fr-FR")["urgency"] == (0, 8)


def test_a_shouting_line_scores_far_below_a_plain_one_and_an_empty_one_gets_nothing() -> None:
    assert score_line("FREE MONEY!!! ACT NOW, LAST CHANCE", "").score < score_line(GOOD, PREVIEW).score / 2
    assert score_line("", PREVIEW).score == 0

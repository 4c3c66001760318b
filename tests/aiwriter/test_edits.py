"""What an edit of a passage lost or made up."""

from __future__ import annotations

import pytest

from aiwriter.guardrails.edits import check_edit

LINKED = "See ⟦link-a⟧the beans⟦/link-a⟧ from Huila, {{first_name}}."
GREETING = "{{#first_name}}Hi {{first_name}},{{/first_name}}{{^first_name}}Hello,{{/first_name}}"
GERMAN = "Die Ernte ist da, und wir haben sie für euch in dieser Woche frisch geröstet."


def codes(before: str, after: str, instruction: str = "plainer", **more: object) -> dict[str, str]:
    report = check_edit(before=before, after=after, instruction=instruction, **more)
    assert report["ok"] == ("block" not in {each["severity"] for each in report["findings"]})
    return {each["code"]: each["severity"] for each in report["findings"]}


def test_an_edit_that_keeps_everything_has_nothing_to_be_said() -> None:
    assert codes(LINKED, "{{first_name}}, have a look at ⟦link-a⟧our beans⟦/link-a⟧ from Huila.") == {}
    assert codes(f"{GREETING} it is here.", f"{GREETING} look, it is here.") == {}


@pytest.mark.parametrize(
    ("before", "after", "code", "severity"),
    [
        (LINKED, "See ⟦link-a⟧the beans⟦/link-a⟧ from Huila.", "edit_tag_lost", "block"),
        (LINKED, "See the beans from Huila, {{first_name}}.", "edit_link_lost", "block"),
        (LINKED, "See ⟦link-a⟧the beans from Huila, {{first_name}}.", "edit_link_lost", "block"),
        ("Read on at https://northwind.example/beans", "Read on at our shop", "edit_link_lost", "block"),
        ("⟦code-a⟧Beans⟦code-b⟧", "⟦code-a⟧Good beans", "edit_code_lost", "block"),
        ("We have 1,450 bags.", "We have many bags.", "edit_number_lost", "block"),
        ("A bag is £9.50 now.", "A bag is £7.50 now.", "number_unsupported", "block"),
        ("It is back.", "It is back, with 20% off.", "number_unsupported", "block"),
        ("It is back.", "It is back, with a free gift.", "offer_unsupported", "block"),
        ("It is back.", "As an AI language model I like: it is back.", "leftover_text", "block"),
        ("It is back.", "It is back, [First Name].", "tag_foreign", "block"),
        ("It is back.", "It is back. See https://evil.example/x", "link_unknown", "block"),
        ("It is back.", "It is back.", "edit_unchanged", "info"),
        (GERMAN, "The harvest is here and we have roasted it for you in this week.", "edit_language", "block"),
    ],
)
def test_what_is_lost_or_made_up_is_named(before: str, after: str, code: str, severity: str) -> None:
    assert codes(before, after)[code] == severity


def test_shortening_may_leave_a_number_out_and_says_so() -> None:
    assert codes("We have 1,450 bags. They are good.", "They are good.", "shorten") == {"edit_number_lost": "warn"}


def test_a_fact_of_the_brief_may_come_in_and_a_forbidden_word_may_not() -> None:
    assert codes("It is back.", "It is back, with free shipping.", "expand", evidence=["Free shipping"]) == {}
    assert codes("It is back.", "The best ever is back.", must_not_say=["best ever"]) == {"must_not_say": "block"}


def test_numbers_survive_a_translation_in_words_of_the_other_language() -> None:
    english = "Twenty percent off until 5 March, {{first_name}}, and we are glad to have you with us again."
    german = "Zwanzig Prozent Rabatt bis zum 5. März, {{first_name}}, und wir freuen uns, dass du wieder da bist."

    assert codes(english, german, "translate", translated_into="de") == {}
    assert "edit_language" in codes(english, english, "translate", translated_into="de")


def test_a_short_passage_in_the_language_of_its_brief_may_grow_in_it() -> None:
    assert codes("Die Ernte ist da", GERMAN, "expand", language="de") == {}
    assert codes("Die Ernte ist da", GERMAN, "expand") == {}

"""The lines that say what an editor changed."""

from __future__ import annotations

from aiwriter.agents.changes import LONGEST, list_changes
from aiwriter.agents.contract import DraftContent


def draft(*blocks: dict, subject: str = "Back again", preview: str = "Until Sunday.") -> DraftContent:
    return DraftContent(0, "The news", subject, preview, [{"id": f"a{n}", **block} for n, block in enumerate(blocks)])


def text(words: str) -> dict:
    return {"type": "text", "html": f"<p>{words}</p>"}


def test_nothing_changed_is_no_change_whatever_the_ids():
    before = draft(text("One."), {"type": "divider"})
    after = draft({"id": "other", **text("One.")}, {"type": "divider"})

    assert list_changes(before, after) == []


def test_a_changed_word_stands_with_a_few_words_around_it():
    before = draft(text("one two three four five six seven eight nine ten eleven"))
    after = draft(text("one two three four five SIX seven eight nine ten eleven"))

    assert list_changes(before, after) == [
        {
            "part": "Text",
            "before": "… two three four five six seven eight nine ten …",
            "after": "… two three four five SIX seven eight nine ten …",
        }
    ]


def test_parts_of_a_kind_are_counted_and_stand_from_top_to_bottom():
    before = draft(text("One."), text("Two."), subject="Old")
    after = draft(text("One."), text("Deux."), subject="New")

    assert [(c["part"], c["before"], c["after"]) for c in list_changes(before, after)] == [
        ("Subject", "Old", "New"),
        ("Text 2", "Two.", "Deux."),
    ]


def test_a_part_that_was_added_or_taken_out_has_one_side():
    quote = {"type": "quote", "html": "<p>Lovely</p>", "attribution": "Ada"}

    assert list_changes(draft(text("One.")), draft(text("One."), quote)) == [
        {"part": "Quote", "before": "", "after": "Lovely (Ada)"}
    ]
    assert list_changes(draft(text("One."), quote), draft(text("One."))) == [
        {"part": "Quote", "before": "Lovely (Ada)", "after": ""}
    ]


def test_a_button_that_leads_elsewhere_has_changed():
    def button(url: str) -> dict:
        return {"type": "button", "label": "See it", "url": url}

    (change,) = list_changes(draft(button("https://a.example")), draft(button("https://b.example")))

    assert (change["part"], change["after"]) == ("Button", "See it (https://b.example)")


def test_a_word_that_is_repeated_at_the_edge_is_not_counted_twice():
    (change,) = list_changes(draft(subject="very good"), draft(subject="very very good"))

    assert (change["before"], change["after"]) == ("very good", "very very good")


def test_long_passages_are_cut():
    (change,) = list_changes(draft(text("old " * 200)), draft(text("new " * 200)))

    assert len(change["before"]) <= LONGEST + 2
    assert change["before"].endswith("…")

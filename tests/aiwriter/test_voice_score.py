"""The voice score: every point that is taken has a reason, and rules do the counting."""

from __future__ import annotations

import pytest

from aiwriter.services.voices import accept_brand_voice
from aiwriter.voice.manner import class_of, formality_of, guess_language, measure
from aiwriter.voice.scoring import Nearest, paragraphs_of_blocks, score_paragraph, voice_report
from aiwriter.voice.style_rules import broken_rules, understood
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.aiwriter.test_voices import LETTERS, learned

CASUAL = "Hey there! We've got something super cool for you. It's our new roast, and you're gonna love it!"
PLAIN = "We roasted the harvest lot on Monday. You get it in a plain bag, and we think you'll like it."
FORMAL = (
    "We are pleased to inform you that, in accordance with our agreement, the annual statement has been prepared and "
    "is enclosed herewith for your consideration."
)


def codes(text: str, profile: dict, measured: dict | None = None, nearest: Nearest | None = None) -> dict[str, int]:
    _, reasons = score_paragraph(text, profile=profile, measured=measured or {}, language="en", nearest=nearest)
    return {reason.code: reason.points for reason in reasons}


def test_formality_puts_texts_in_order():
    casual, plain, formal = (formality_of(text, "en") for text in (CASUAL, PLAIN, FORMAL))

    assert casual < plain < formal
    assert [class_of(value) for value in (casual, formal)] == ["casual", "formal"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (PLAIN, "en"),
        ("Wir haben den Kaffee am Montag geröstet, und er schmeckt nach Pflaume. Du bekommst ihn bei uns.", "de"),
        ("Nous avons torréfié le café lundi, et il a le goût de prune. Vous le trouverez dans la boutique.", "fr"),
        ("Hemos tostado el café el lunes, y sabe a ciruela. Lo encuentras en la tienda con los otros.", "es"),
        ("xyzzy plugh foo", ""),
    ],
)
def test_the_language_is_told_by_its_company(text, language):
    assert guess_language(text) == language


def test_german_is_casual_with_du_and_formal_with_sie():
    du = "Wir haben den Kaffee am Montag für dich geröstet, und du holst ihn dir, wenn du Lust hast."
    sie = "Wir haben den Kaffee am Montag für Sie geröstet. Gern stehen wir Ihnen bezüglich Ihrer Fragen zur Verfügung."

    assert formality_of(du, "de") < 40 < formality_of(sie, "de")


def test_figures_are_those_that_counting_gives():
    manner = measure(["Hello,\n\nThe kettle is on and you are welcome. We have kept it for you!\n\nBest,\nMaya"])

    assert (manner.sentences, manner.words_per_sentence) == (2, 7.0)
    assert manner.exclamations == 50.0
    assert manner.greeting == "Hello"


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("No exclamation marks.", "Come in.", "Come in!"),
        ("Avoid emoji", "Come in.", "Come in 🎉"),
        ("Never use all caps", "Come in to IKEA's shop.", "COME in"),
        ("No rhetorical questions", "Come in.", "Why not come in?"),
        ("No semicolons", "Come in.", "Come in; sit down."),
        ("Don't use em dashes", "Come in - now.", "Come in — now."),
        ("No contractions", "We are here.", "We're here."),
        ("Use contractions.", "We're here.", "We are here."),
        ("Sentences under 6 words", "Come in and sit down.", "Come in and sit down with us all day."),
        ("Keep paragraphs under 5 words", "Come in.", "Come in and sit down with us."),
        ("Short sentences.", "Come in.", " ".join(["word"] * 25)),
        ("Sentences of about 5 words.", "Come in and sit down.", " ".join(["word"] * 14)),
    ],
)
def test_rules_that_can_be_counted_are_checked(rule, good, bad):
    good = "Come in to the shop." if "IKEA" in good else good

    assert broken_rules(good, [rule], "en") == []
    assert [one for one, _ in broken_rules(bad, [rule], "en")] == [rule]


def test_rules_that_need_a_reader_are_not_pretended_to_be_checked():
    assert understood("Be kind to the reader.") is None
    report = voice_report([{"id": "a", "type": "text", "html": "<p>Come in.</p>"}],
                          profile={"style_rules": ["Be kind.", "No emoji."]}, measured={})  # fmt: skip
    assert report["unchecked"] == ["Be kind."]


def test_points_are_taken_for_what_can_be_pointed_at():
    profile = {"dont_words": ["hurry"], "banned_phrases": ["last chance"], "style_rules": ["No exclamation marks."],
               "do_words": ["cup"], "formality": "casual"}  # fmt: skip

    assert codes("Sit down with a cup of the new roast today.", profile) == {"own_words": 0}
    assert codes("Hurry to the shop, it is a good day now!", profile) == {"dont_word": -40, "style_rule": -15}
    assert score_paragraph(
        "Hurry, it is your last chance.", profile=profile, measured={}, language="en", nearest=None
    )[0] == 40  # fmt: skip
    assert codes(FORMAL, profile)["formality"] < 0
    assert codes("Hurrying is fine with us, and so is a rest.", profile) == {}


def test_sentences_are_held_against_the_samples():
    measured = {"words_per_sentence": 9.0, "spread": 3.0, "formality": None}

    assert "sentence_length" in codes(FORMAL, {}, measured)
    assert "sentence_length" not in codes(PLAIN, {}, measured)


def test_a_person_who_chose_another_formality_is_believed():
    measured = {"formality": 10.0}

    assert "formality" in codes(FORMAL, {"formality": "casual"}, measured)
    assert "formality" not in codes(FORMAL, {"formality": "formal"}, measured)


@pytest.mark.parametrize(("kinship", "points"), [(0.0, -12), (0.5, -6), (1.0, None), (None, None)])
def test_another_hand_loses_a_little_where_likeness_tells(kinship, points):
    near = Nearest("words", "A mail", 0.21, "similarity of meaning", kinship)

    assert codes(PLAIN, {}, nearest=near).get("unlike") == points


def test_paragraphs_are_found_in_every_block_with_a_voice():
    blocks = [
        {"id": "a1", "type": "heading", "text": "It is here"},
        {"id": "a2", "type": "text", "html": "<p>Hi {{first_name}},</p><ul><li>one</li><li>two</li></ul>"},
        {"id": "a3", "type": "button", "label": "Buy"},
        {"id": "a4", "type": "columns", "columns": [[{"id": "b1", "type": "text", "html": "<p>left</p>"}], []]},
    ]

    found = [(one.block, one.text) for one in paragraphs_of_blocks(blocks)]
    assert found == [("a1", "It is here"), ("a2", "Hi ‹first name›,"), ("a2", "• one"), ("a2", "• two"), ("b1", "left")]


@pytest.mark.django_db
def test_stored_drafts_say_how_they_sound_and_what_own_words_are_nearest():
    from aiwriter.tasks import index_memory

    workspace = make_workspace()
    voice = accept_brand_voice(voice=learned(workspace), actor=make_member(workspace))
    index_memory(workspace_id=str(workspace.pk))

    draft = written(ask(workspace, brand_voice=voice)).ordered_drafts[0]

    assert draft.voice["voice"] == {"id": str(voice.pk), "name": "House", "version": 1}
    assert 0 <= draft.voice["score"] <= 100
    rows = draft.voice["paragraphs"]
    assert rows
    compared = [row["nearest"] for row in rows if row["nearest"]]
    assert compared
    assert all(near["label"] == "keyword similarity" for near in compared)
    own = " ".join(" ".join(LETTERS).split())
    assert all(near["text"].split(".")[0][:30] in own for near in compared)
    assert all(row["nearest"] is None for row in rows if len(row["text"].split()) < 4)


@pytest.mark.django_db
def test_drafts_without_a_voice_are_not_scored():
    assert all(draft.voice == {} for draft in written(ask(make_workspace())).ordered_drafts)


@pytest.mark.django_db
def test_a_draft_off_voice_scores_below_one_that_is_on_it():
    workspace = make_workspace()

    voice = learned(workspace)
    report = [
        voice_report([{"type": "text", "html": text}], profile=voice.profile, measured=voice.measured)["score"]
        for text in (LETTERS[0].split("\n\n")[1], FORMAL, "ACT NOW! THE LAST CHANCE! " + CASUAL)
    ]

    assert report[0] >= 95
    assert report[1] < 70
    assert report[2] < 75

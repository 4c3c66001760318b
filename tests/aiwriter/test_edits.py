"""How far what was sent is from the draft: a distance in words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiwriter.models import Draft, Generation
from aiwriter.services.edits import MOST_WORDS, Wording, note_sent, word_distance
from tests.aiwriter.making import make_workspace

BLOCKS = [
    {"type": "heading", "text": "The harvest roast is back"},
    {"type": "text", "html": "<p>Hi {{first_name}}, 1,450 bags arrived. Reserve one, it’s yours.</p>"},
]
TEXTS = st.lists(st.sampled_from("abcd"), max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0.0), ("a b c d", "a b c d", 0.0), ("a b c d", "", 1.0), ("a b c d", "a x c d", 0.25),
     ("a b c d", "a c d", 0.25), ("a b c d", "d c b a", 1.0), ("k i t t e n", "s i t t i n g", 3 / 7)],
)  # fmt: skip
def test_the_distance_is_the_share_of_words_that_changed(one, other, distance):
    assert word_distance(one.split(), other.split()) == pytest.approx(distance)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_it_is_a_distance(one, other, third):
    def edits(a, b):
        return round(word_distance(a, b) * max(len(a), len(b)))

    assert (edits(one, other) == 0) == (one == other)
    assert edits(one, other) == edits(other, one)
    assert edits(one, third) <= edits(one, other) + edits(other, third)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It’s 1,450 bags — Reserve one!", ["It’s", "1,450", "bags", "Reserve", "one"]),
        ("新茶が届きました", list("新茶が届きました")),
        ("ชาใหม่", ["ช", "า", "ใ", "ห", "ม", "่"]),
        ("Grüße 🎉 aus Köln", ["Grüße", "aus", "Köln"]),
    ],
)
def test_words_are_what_a_reader_reads(text, words):
    assert Wording("", "", text).words == words


def test_two_long_texts_without_a_common_word_take_a_bounded_time():
    one, other = ([f"{letter}{number}" for number in range(MOST_WORDS)] for letter in "ab")
    began = time.process_time()

    assert word_distance(one, other) == 1.0

    assert time.process_time() - began < 20


def make_draft(status: str = "accepted") -> Draft:
    workspace = make_workspace()
    generation = Generation.objects.create(workspace=workspace, status="succeeded")
    return Draft.objects.create(
        workspace=workspace, generation=generation, position=0, angle="News", subject="Back again",
        preview_text="Until Sunday", blocks=BLOCKS, status=status,
    )  # fmt: skip


def sent(subject="Back again", old="", new="") -> Wording:
    blocks = [{key: text.replace(old, new) if old else text for key, text in block.items()} for block in BLOCKS]
    return Wording.of_blocks(subject, "Until Sunday", blocks)


@pytest.mark.django_db
def test_what_was_sent_as_proposed_stays_accepted():
    draft = note_sent(draft=make_draft(), sent=[sent()])

    assert (draft.edit_distance, draft.status) == (0.0, Draft.Status.ACCEPTED)


@pytest.mark.django_db
def test_what_was_changed_becomes_edited_and_accepted_again_when_it_is_sent_as_it_was():
    draft = note_sent(draft=make_draft(), sent=[sent(old="Reserve one", new="Take two home")])
    assert draft.status == Draft.Status.EDITED
    assert draft.edit_distance == pytest.approx(3 / 20, abs=1e-3)

    assert note_sent(draft=draft, sent=[sent()]).status == Draft.Status.ACCEPTED


@pytest.mark.django_db
def test_of_several_variants_the_nearest_counts():
    draft = note_sent(draft=make_draft(), sent=[sent(subject="Nothing like it at all"), sent()])

    assert draft.edit_distance == 0.0


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["proposed", "rejected"])
def test_a_draft_that_nobody_accepted_is_measured_and_keeps_its_status(status):
    draft = note_sent(draft=make_draft(status), sent=[sent(subject="Another subject altogether")])

    assert draft.edit_distance > 0
    assert draft.status == status

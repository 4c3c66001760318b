"""Segments from plain words, without a model: what sentences become, what is refused, and that nothing gets lost."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audiences.segmentation import describe, validate_rules
from audiences.segmentation.plain_words import read_sentence
from tests.audiences.described import FIELDS, SENTENCES, UNSEEN, VOCABULARY, Sentence
from tests.effort import cpu_seconds


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.text[:60] or "nothing")
def test_a_sentence_becomes_its_rules_and_names_what_it_left_out(sentence: Sentence):
    read = read_sentence(sentence.text, VOCABULARY)
    assert (read.rules, read.not_understood) == (sentence.rules, sentence.not_understood)


def test_sentences_that_the_parser_was_not_made_for_are_mostly_right_and_never_quietly_wrong():
    wrong = []
    for sentence in UNSEEN:
        read = read_sentence(sentence.text, VOCABULARY)
        if (read.rules, bool(read.not_understood)) != (sentence.rules, bool(sentence.not_understood)):
            wrong.append((sentence.text, read.not_understood))
    right = len(UNSEEN) - len(wrong)
    print(
        f"Plain words: {len(SENTENCES)} of {len(SENTENCES)} known sentences right, {right} of {len(UNSEEN)} unseen ones"
    )

    assert right / len(UNSEEN) >= 0.8, wrong
    assert all(missed for _text, missed in wrong), wrong


WORDS = sorted({word for sentence in SENTENCES for word in sentence.text.split()})
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        ["'; DROP TABLE audiences_contact; --", "{{first_name}}", "(", ")", ",", "not", "or", "\x00", "٣", "%"]
    ),
    st.text(max_size=12),
)


@given(st.lists(PIECES, max_size=40))
@example(["opened", "in", "the", "last", "9999", "years"])
@example(["joined", "before", "99", "February"])
@example(["not"] * 40)
@example(["("] * 40)
@example(["orders", "over", "999999999999k"])
@settings(max_examples=300, deadline=None)
def test_whatever_comes_out_is_valid_and_can_be_said(pieces):
    read = read_sentence(" ".join(pieces), VOCABULARY)

    if read.rules is not None:
        validate_rules(read.rules, fields=FIELDS, lists=frozenset(map(UUID, VOCABULARY.lists)),
                       campaigns=frozenset(map(UUID, VOCABULARY.campaigns)))  # fmt: skip
        assert describe(read.rules, fields=FIELDS, lists=VOCABULARY.lists, campaigns=VOCABULARY.campaigns)
    assert read == read_sentence(" ".join(pieces), VOCABULARY)


@given(st.sampled_from(SENTENCES), st.sampled_from(["xylophone", "¿?", "qwertz 12", "DROP TABLE"]))
@settings(max_examples=60, deadline=None)
def test_a_word_that_nobody_knows_is_never_lost(sentence, stranger):
    read = read_sentence(f"{sentence.text}, {stranger}", VOCABULARY)

    said = f"{read.not_understood} {read.rules}".lower()
    assert all(word.strip("?¿ ").lower() in said for word in stranger.split())


@pytest.mark.parametrize("shout", ["not " * 120, "(" * 480, "a, " * 160, "in " * 160, "city is " * 60, "9 " * 240])
def test_a_long_sentence_takes_no_long_time(shout):
    ordinary = "people in Berlin who opened the last campaign and did not click, " * 8
    assert cpu_seconds(lambda: read_sentence(shout, VOCABULARY)) < 100 * cpu_seconds(
        lambda: read_sentence(ordinary[:480], VOCABULARY)
    )

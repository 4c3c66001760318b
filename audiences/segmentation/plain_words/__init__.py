"""Rules from a sentence, without a model.

The sentence is scanned from left to right: connecting words, conditions, and words that say nothing. Whatever is none
of these is kept and named, because rules that quietly leave out half of a wish would reach the wrong people.
"""

from audiences.segmentation.plain_words.sentence import Understood, read_sentence
from audiences.segmentation.plain_words.vocabulary import Vocabulary

__all__ = ["Understood", "Vocabulary", "read_sentence"]

"""How far what was sent is from what the writer proposed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from aiwriter.models import Draft
from aiwriter.models.draft import readable_text

#: From here on a draft counts as edited: two words of a hundred.
MATERIAL = 0.02
#: Of longer mails the first words are compared; the work grows with the square.
MOST_WORDS = 3000
#: Scripts that put no spaces between words are compared by character.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’.,][^\W{_UNSPACED}]+)*")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a reader reads of a mail."""

    subject: str
    preview_text: str
    text: str

    @classmethod
    def of_blocks(cls, subject: str, preview_text: str, blocks: Iterable[dict[str, Any]]) -> Wording:
        """Return the wording of a block list."""
        return cls(subject, preview_text, readable_text(blocks))

    @property
    def words(self) -> list[str]:
        """Its words in reading order; punctuation and emoji are none."""
        return _WORD.findall("\n".join((self.subject, self.preview_text, self.text)))[:MOST_WORDS]


def word_distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Return Levenshtein's distance in words, as a share of the longer text: 0 is the same, 1 nothing in common.

    V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions and reversals" (1966), by the row-wise
    method of Wagner and Fischer (1974); equal beginnings and ends are left out of the table.
    """
    longest = max(len(one), len(other))
    if not longest:
        return 0.0
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        diagonal, row[0] = row[0], number
        for column, counterpart in enumerate(other, 1):
            kept = diagonal if word == counterpart else 1 + min(diagonal, row[column], row[column - 1])
            diagonal, row[column] = row[column], kept
    return row[-1] / longest


@transaction.atomic
def note_sent(*, draft: Draft, sent: Iterable[Wording]) -> Draft:
    """Store how far a draft is from what was sent of it: `edited` when people changed it, `accepted` when they did not.

    Args:
        sent: the variants of one campaign that began as this draft; the nearest counts.
    """
    row = Draft.objects.for_workspace(draft.workspace_id).select_for_update().get(pk=draft.pk)
    proposed = Wording.of_blocks(row.subject, row.preview_text, row.blocks).words
    row.edit_distance = round(min(word_distance(proposed, wording.words) for wording in sent), 4)
    if row.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        row.status = Draft.Status.EDITED if row.edit_distance >= MATERIAL else Draft.Status.ACCEPTED
    row.save(update_fields=["edit_distance", "status", "updated_at"])
    return row

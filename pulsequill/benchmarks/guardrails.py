"""Guardrails on hand-written drafts: which share of the labelled faults blocks, and which share of the good drafts.

Not a race: the reference is a perfect checker. The floor holds for all drafts together; those that nobody looked at
while the checks were improved are printed by themselves, and are what other people's mails will see.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from aiwriter.evals.labelled_drafts import COLLECTIONS, Score, labelled_drafts, measure
from pulsequill.benchmarks.harness import Benchmark

LEAST_RECALL = 0.97
MOST_GOOD_BLOCKED = 0.02


def _told(name: str, score: Score) -> None:
    sys.stdout.write(
        f"  {name}: {score.drafts} drafts, {score.faults} faults, recall {score.recall:.3f}; "
        f"{len(score.good_blocked)} of {score.good} good drafts blocked ({score.good_blocked_share:.1%})\n"
    )


def _measure(_is_full: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    drafts = labelled_drafts()
    for collection in COLLECTIONS:
        own = [draft for draft in drafts if draft.collection == collection]
        for name, part in (
            ("seen while improving", [each for each in own if not each.is_held_out]),
            ("held out", [each for each in own if each.is_held_out]),
        ):
            if part:
                _told(f"{collection} collection, {name}", measure(part))
    _told("all that was held out", measure(each for each in drafts if each.is_held_out))
    score = measure(drafts)
    _told("all", score)
    assert score.good_blocked_share <= MOST_GOOD_BLOCKED, score.good_blocked
    return lambda: score.recall, lambda: 1.0


BENCHMARK = Benchmark(
    name="Guardrails: recall of faults that must block",
    unit="share",
    reference_name="a perfect checker",
    prepare=_measure,
    floor=LEAST_RECALL,
    aim=1.0,
    is_timed=False,
)

"""What one reader found in a sentence, and how conditions are turned round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiences.segmentation.plain_words.times import When

Node = dict[str, Any]

#: Operator -> the one that holds for everybody else.
OPPOSITES = {
    one: other
    for pair in (
        ("is", "is_not"), ("contains", "not_contains"), ("is_set", "is_not_set"), ("equals", "not_equals"),
        ("in_last_days", "not_in_last_days"), ("ever", "never"), ("is_on", "is_not_on"),
    )
    for one, other in (pair, pair[::-1])
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A condition and where its words end.

    Attributes:
        verb: what people did, when that is what it is about; a second verb may share its time.
        is_open_ended: a verb without a time of its own.
    """

    node: Node
    end: int
    verb: str = ""
    is_negative: bool = False
    is_open_ended: bool = False
    when: When | None = None


def negated(node: Node) -> Node:
    """Return the condition that holds for everybody else."""
    if "not" in node and len(node) == 1:
        return dict(node["not"])
    if "op" in node and node["op"] in OPPOSITES:
        return {**node, "op": OPPOSITES[node["op"]]}
    return {"not": node}


def any_of(rules: list[Node]) -> Node:
    """Return one condition as it is, several as alternatives."""
    return rules[0] if len(rules) == 1 else {"any": rules}


def all_of(rules: list[Node]) -> Node:
    """Return one condition as it is, several as a group."""
    return rules[0] if len(rules) == 1 else {"all": rules}

"""Conditions joined to rules: and, or, but, not, commas and brackets; and the words that nothing understood."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, NamedTuple

from audiences.segmentation.grammar import validate_rules
from audiences.segmentation.plain_words.found import Found, Node, all_of, any_of, negated
from audiences.segmentation.plain_words.people import (
    engagement,
    read_engagement,
    read_joined,
    read_list,
    read_mailbox,
    read_place,
    read_source,
)
from audiences.segmentation.plain_words.properties import read_named, read_property
from audiences.segmentation.plain_words.values import Scanner
from audiences.segmentation.plain_words.vocabulary import Vocabulary
from pulsequill.core.errors import Invalid

READERS = (
    read_engagement, read_source, read_list, read_joined, read_mailbox, read_named, read_property, read_place,
)  # fmt: skip
_CONNECTORS = re.compile(
    r"(?P<butnot>,?\s*(?:but\s+not|except(?:\s+for)?|excluding|apart\s+from|other\s+than|minus)\b)|(?P<but>,\s*and\b|,?\s*but\b|;|\.)"
    r"|(?P<or>,?\s*(?:or\s+else|or|nor)\b)|(?P<and>and\s+also\b|and\b|as\s+well\s+as\b|plus\b|&)|(?P<comma>,)|(?P<open>\()|(?P<close>\))"
    r"|(?P<not>(?:not|without|nobody|none\s+of)\b)",
    re.IGNORECASE,
)
#: Words that say nothing about who is meant.
_FILLERS = re.compile(
    r"(?:people|persons?|contacts?|subscribers?|customers?|clients?|readers?|recipients?|users?|members?|guests?|fans|buyers?"
    r"|everyone|everybody|anyone|anybody|those|all|the|of|my|our|a|an|who|whom|whose|that|which|they|them|their|me|us|i|we|you"
    r"|is|are|was|were|be|have|has|had|having|with|show|find|give|get|select|list|want|need|would\s+like|to|please|only|just|also|both"
    r"|either|any|every|each|then|there|where|when|currently|already|address(?:es)?|ones|at|on|for|from|in|someone|somebody|target|send|email|mail"
    r"|segment|whoever|as|did|do|does|still|ever|yet|so|far)(?![\w-])",
    re.IGNORECASE,
)
_CONTRACTION = re.compile(
    r"\b(?P<word>do|does|did|have|has|had|is|are|was|were|would|could|should)n['’]?t\b", re.IGNORECASE
)
_CANNOT = re.compile(r"\b(?:can['’]t|cannot|won['’]t)\b", re.IGNORECASE)
_TAKEN_AWAY = re.compile(r"\b(who|they|that)['’](?:ve|re|s|d)\b", re.IGNORECASE)
_NOT_ASKABLE = re.compile(r"unsubscribed(?:\s+from\s+[^,.;]{1,80}?(?=\s+(?:and|or|but|who)\b|[,.;]|$))?", re.IGNORECASE)
#: Brackets within brackets.
MOST_BRACKETS = 3
_CHUNK = re.compile(r"[^\s,;()]+|[,;()]")


@dataclass(frozen=True)
class Understood:
    """What came of a sentence: rules (None when nothing was understood), and the words that were not."""

    rules: dict[str, Any] | None
    not_understood: tuple[str, ...]


class _Item(NamedTuple):
    kind: str
    found: Found | None = None


def read_sentence(text: str, vocabulary: Vocabulary) -> Understood:
    """Return the rules that a sentence describes. The same sentence always gives the same rules."""
    scan = Scanner(tidy(text), vocabulary)
    items, unknown = _scan(scan)
    node = _Joined(_coordinated(items)).tree()
    if node is not None:
        node = _flat(node)
        if not ({"all", "any"} & set(node)):
            node = {"all": [node]}
        try:
            validate_rules(node, fields=vocabulary.fields)
        except Invalid:  # nested too deeply, or too many conditions, for what a segment may be
            return Understood(None, (scan.text,))
    return Understood(node, tuple(unknown))


def tidy(text: str) -> str:
    """Return a sentence on one line, without control characters and contractions."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cs", "Co", "Cn"))
    plain = _CANNOT.sub("not", _CONTRACTION.sub(r"\g<word> not", plain.replace("’", "'")))
    return " ".join(_TAKEN_AWAY.sub(r"\1", plain).split())


def _scan(scan: Scanner) -> tuple[list[_Item], list[str]]:
    items: list[_Item] = []
    unknown: list[str] = []
    position, last_unknown_end = scan.skip(0), -1
    while position < len(scan.text):
        if found := _condition(scan, position):
            items.append(_Item("condition", found))
            position = scan.skip(found.end)
            continue
        connector = _CONNECTORS.match(scan.text, position)
        if connector and connector.lastgroup:
            items.append(_Item(connector.lastgroup))
            position = scan.skip(connector.end())
            continue
        if filler := _FILLERS.match(scan.text, position):
            position = scan.skip(filler.end())
            continue
        chunk = _NOT_ASKABLE.match(scan.text, position) or _CHUNK.match(scan.text, position)
        assert chunk is not None
        if unknown and last_unknown_end == position:
            unknown[-1] += f" {chunk[0]}"
        else:
            unknown.append(chunk[0])
            items.append(_Item("unknown"))
        position = last_unknown_end = scan.skip(chunk.end())
    return items, [words.strip(" .!?:") for words in unknown if words.strip(" .!?:'\"“”-–")]


def _condition(scan: Scanner, position: int) -> Found | None:
    for read in READERS:
        found = read(scan, position)
        if found is not None and found.end > position:
            return found
    return None


def _field_of(node: Node) -> str:
    """Return the field that a condition, or each of its alternatives, is about; '' when there is none."""
    fields = {_field_of(one) for one in node["any"]} if "any" in node else {node.get("field", "")}
    return fields.pop() if len(fields) == 1 else ""


def _coordinated(items: list[_Item]) -> list[_Item]:
    """Let verbs share what is said once: "opened or clicked in the last 30 days", "opened X but did not click".

    Alternatives of one field belong together before anything else does: "gmail or outlook users in France".
    """
    done = list(items)
    for index in range(len(done) - 3, -1, -1):
        first, link, second = done[index : index + 3]
        if not (first.found and second.found):
            continue
        if link.kind == "or" and (key := _field_of(first.found.node)) and key == _field_of(second.found.node):
            either = _flat({"any": [first.found.node, second.found.node]})
            done[index : index + 3] = [_Item("condition", Found(either, second.found.end))]
            continue
        if not (first.found.verb and second.found.verb):
            continue
        if link.kind not in ("and", "or", "but"):
            continue
        one, other = first.found, second.found
        if "campaign" in one.node and other.is_open_ended:
            op = {"opened": "open", "clicked": "click"}.get(other.verb)
            if op:
                said = f"did_not_{op}" if other.is_negative else other.verb
                other = Found({"campaign": one.node["campaign"], "op": said}, other.end, verb=other.verb)
        elif one.is_open_ended and other.when:
            one = Found(
                engagement(one.verb, one.is_negative, other.when), one.end, verb=one.verb,
                is_negative=one.is_negative, when=other.when,
            )  # fmt: skip
        if link.kind == "or" and one.is_negative and not other.is_negative and "campaign" not in other.node:
            other = Found(engagement(other.verb, True, other.when), other.end, verb=other.verb, is_negative=True)
            group: Node = {"all": [one.node, other.node]}
        elif link.kind == "or":
            group = {"any": [one.node, other.node]}
        else:
            group = {"all": [one.node, other.node]}
        done[index : index + 3] = [_Item("condition", Found(group, other.end))]
    return done


class _Joined:
    """Precedence: words that stand together, then "and", then "or", then "but" and ", and"."""

    def __init__(self, items: list[_Item]) -> None:
        self.items = _without_lone_commas([item for item in items if item.kind != "unknown"])
        self.at = 0
        self.depth = 0

    def tree(self) -> Node | None:
        """Return the whole tree, or None when there is no condition."""
        parts = []
        while self.at < len(self.items):
            if (node := self._weakest()) is not None:
                parts.append(node)
            if self.at < len(self.items):
                self.at += 1  # a bracket that nothing opened
        return all_of(parts) if parts else None

    def _kind(self) -> str:
        return self.items[self.at].kind if self.at < len(self.items) else ""

    def _weakest(self) -> Node | None:
        parts = [self._either()]
        while (kind := self._kind()) in ("but", "butnot"):
            self.at += 1
            node = self._either()
            parts.append(negated(node) if node is not None and kind == "butnot" else node)
        kept = [part for part in parts if part is not None]
        return all_of(kept) if kept else None

    def _either(self) -> Node | None:
        parts = [self._both()]
        while self._kind() == "or":
            self.at += 1
            parts.append(self._both())
        kept = [part for part in parts if part is not None]
        return any_of(kept) if kept else None

    def _both(self) -> Node | None:
        parts = []
        while self._kind() in ("and", "condition", "not", "open"):
            if self._kind() == "and":
                self.at += 1
            elif (node := self._one()) is not None:
                parts.append(node)
        return all_of(parts) if parts else None

    def _one(self) -> Node | None:
        item = self.items[self.at]
        self.at += 1
        if item.kind == "not":
            while self._kind() in ("and", "or"):
                self.at += 1
            node = self._one() if self._kind() in ("not", "condition", "open") else None
            return negated(node) if node is not None else None
        if item.kind == "open":
            if self.depth == MOST_BRACKETS:
                return None
            self.depth += 1
            node = self._weakest()
            self.depth -= 1
            if self._kind() == "close":
                self.at += 1
            return node
        return item.found.node if item.found else None


def _without_lone_commas(items: list[_Item]) -> list[_Item]:
    """A comma means what the next connecting word of its row means: "A, B or C"."""
    done: list[_Item] = []
    for index, item in enumerate(items):
        if item.kind != "comma":
            done.append(item)
            continue
        following = next(
            (other.kind for other in items[index + 1 :] if other.kind in ("and", "or", "but", "butnot")), ""
        )
        done.append(_Item("or" if following == "or" else "and"))
    return done


def _flat(node: Node) -> Node:
    """Return the same rules without groups of one and groups inside groups of the same kind; nothing twice."""
    if "not" in node:
        inner = _flat(node["not"])
        return dict(inner["not"]) if set(inner) == {"not"} else {"not": inner}
    for kind in ("all", "any"):
        if kind in node:
            children: list[Node] = []
            for child in node[kind]:
                plain = _flat(child)
                for one in plain.get(kind, [plain]):
                    if one not in children:
                        children.append(one)
            return children[0] if len(children) == 1 else {kind: children}
    return node

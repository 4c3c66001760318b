"""Conditions on fields by name: "city is Berlin", "spent more than 100", "without a birthday", "VIPs"."""

from __future__ import annotations

import re

from audiences.segmentation.fields import Field
from audiences.segmentation.plain_words.amounts import read_comparison
from audiences.segmentation.plain_words.found import Found, Node, all_of, negated
from audiences.segmentation.plain_words.times import read_when
from audiences.segmentation.plain_words.values import Scanner

_HAVE = r"(?:(?:with|have|has|having|had|whose|who|where|of|made|placed|their|the|a|an|any|some|got|are|is|on|by)\s+)*"
_NONE = r"(?:(?:have|has|with|do|does|did)\s+)*(?:without|no|not\s+have|missing|lacking)\s+(?:(?:a|an|any|the)\s+)*"
_LEAD = re.compile(rf"(?P<none>{_NONE})?{_HAVE}", re.IGNORECASE)
_NOT = r"(?:is|are|was|were|does|do|did)?\s*not\s+"
_ONE_OF = r"(?:(?:one\s+of|either|any\s+of|in|equal\s+to|neither)\s+)*"

#: How an operator is said -> its name, for each type; the first that fits counts.
_TEXT_OPS = tuple(
    (re.compile(rf"(?:\s+(?:field|address))?\s*(?:that\s+|which\s+)?(?:{pattern})", re.IGNORECASE), op)
    for pattern, op in (
        (
            r"(?:is|are)\s+(?:not\s+(?:known|set|given|filled(?:\s+in)?)|unknown|missing|empty|blank|unset)\b",
            "is_not_set",
        ),
        (r"(?:is|are)\s+(?:known|set|given|filled(?:\s+in)?|not\s+(?:empty|missing|blank|unknown))\b", "is_set"),
        (rf"{_NOT}(?:contain(?:s|ing)?|includ(?:e|es|ing))\s+", "not_contains"),
        (r"contain(?:s|ing)?\s+|includ(?:es?|ing)\s+|like\s+", "contains"),
        (r"(?:that\s+)?(?:starts?|starting|begins?|beginning)\s+(?:with|in)\s+", "starts_with"),
        (r"(?:that\s+)?(?:ends?|ending)\s+(?:with|in|on)\s+", "ends_with"),
        (rf"(?:{_NOT}|!=\s*|<>\s*|other\s+than\s+){_ONE_OF}:?\s*", "is_not"),
        (rf"(?:(?:(?:is|are|was|equals?|of|as)\b|==?|:)\s*)+{_ONE_OF}:?\s*", "is"),
    )
)
_SETS = _TEXT_OPS[:2]
_NUMBER_FIRST = re.compile(r"\s*(?:(?:of|on|in|points?\s+of)\s+)?(?:(?:the|their|a)\s+)?", re.IGNORECASE)
_YES = re.compile(r"\s+(?:is|are|=|:)\s*(?P<no>no\b|not\b|false\b|off\b)?(?:yes\b|true\b|on\b|set\b)?", re.IGNORECASE)
_DATE_LINK = re.compile(
    r"(?:'s)?\s+(?:(?:is|was|are|falls?|comes?|due|dates?|that\s+is)\s+)*(?P<neg>not\s+)?", re.IGNORECASE
)
_VALUE_FIRST = re.compile(r"(?:(?:on|with|having|have|has)\s+)?(?:(?:the|a|an|our)\s+)?", re.IGNORECASE)
_AGE = re.compile(r"(?:are\s+|is\s+)?(?P<cmp>older|younger)\s+than\s+|aged\s+", re.IGNORECASE)
_NAMED = re.compile(r"(?:(?:is|are)\s+)?(?P<neg>not\s+)?(?:named|called)\s+", re.IGNORECASE)


def read_named(scan: Scanner, start: int) -> Found | None:
    """Read "called Anna"."""
    match = _NAMED.match(scan.text, start)
    read = scan.values(match.end()) if match else None
    if match is None or read is None:
        return None
    node = _texts("first_name", "is", read[0])
    return Found(negated(node) if match["neg"] else node, read[1])


def read_property(scan: Scanner, start: int) -> Found | None:
    """Read a condition on a field of the workspace."""
    lead = _LEAD.match(scan.text, start)
    assert lead is not None
    named = scan.name_at("fields", lead.end())
    if named is None:
        return _number_first(scan, lead.end()) or _value_first(scan, start) or _age(scan, start)
    one, end = scan.vocabulary.fields[named[0]], named[1]
    if lead["none"]:
        missing: Node = {"field": one.key, "op": "is_not_set"}
        return Found({"not": {"field": one.key, "op": "is_true"}} if one.type == "boolean" else missing, end)
    found = _READERS[one.type](scan, one, end)
    if found is None and lead.end() > start:
        return Found({"field": one.key, "op": "is_set"}, end)
    return found


def _texts(key: str, op: str, values: list[str]) -> Node:
    if op == "is" and len(values) > 1:
        return {"field": key, "op": "in", "value": values}
    if op == "is_not" and len(values) > 1:
        return {"not": {"field": key, "op": "in", "value": values}}
    rules: list[Node] = [{"field": key, "op": op, "value": value} for value in values]
    if len(rules) == 1:
        return rules[0]
    return {"all": rules} if op == "not_contains" else {"any": rules}


def _matched(scan: Scanner, table: tuple[tuple[re.Pattern[str], str], ...], end: int) -> tuple[str, int] | None:
    for pattern, op in table:
        if match := pattern.match(scan.text, end):
            return op, match.end()
    return None


def _text(scan: Scanner, one: Field, end: int) -> Found | None:
    said = _matched(scan, _TEXT_OPS, end)
    if said is None:
        return None
    op, position = said
    if op in ("is_set", "is_not_set"):
        return Found({"field": one.key, "op": op}, position)
    if one.key == "email" and op in ("is", "is_not") and scan.text[position - 1 : position] != '"':
        box = scan.mailboxes.match(scan.text, position)
        if box:
            node: Node = {"field": "email", "op": "ends_with", "value": scan.mailbox_names[box["box"].lower()]}
            return Found(negated(node) if op == "is_not" else node, box.end())
    read = scan.values(position)
    if read is None:
        return None
    values = (
        [scan.vocabulary.spelling(one.key, value) or value for value in read[0]] if op in ("is", "is_not") else read[0]
    )
    return Found(_texts(one.key, op, values), read[1])


def _compared(scan: Scanner, one: Field, position: int) -> Found | None:
    found = read_comparison(scan.text, position)
    return Found({"field": one.key, "op": found[0], "value": found[1]}, found[2]) if found else None


def _numeric(scan: Scanner, one: Field, end: int) -> Found | None:
    if said := _matched(scan, _SETS, end):
        return Found({"field": one.key, "op": said[0]}, said[1])
    return _compared(scan, one, end)


def _date(scan: Scanner, one: Field, end: int) -> Found | None:
    if said := _matched(scan, _SETS, end):
        return Found({"field": one.key, "op": said[0]}, said[1])
    link = _DATE_LINK.match(scan.text, end)
    if link is None:
        return None
    found = read_when(scan.text, link.end(), scan.vocabulary.today)
    if found is None:
        return None
    node: Node = {"field": one.key, "op": found[0].op, "value": found[0].value}
    if link["neg"]:
        node = negated(node)
    elif found[0].op == "not_in_last_days" and one.key != "created_at":  # who has no date at all is not meant
        node = all_of([{"field": one.key, "op": "is_set"}, node])
    return Found(node, found[1])


def _boolean(scan: Scanner, one: Field, end: int) -> Found | None:
    if said := _matched(scan, _SETS, end):
        return Found({"field": one.key, "op": said[0]}, said[1])
    match = _YES.match(scan.text, end)
    if match and match.end() > end and (match["no"] or not match[0].rstrip().endswith(("is", "are"))):
        return Found({"field": one.key, "op": "is_false" if match["no"] else "is_true"}, match.end())
    return Found({"field": one.key, "op": "is_true"}, end)


_READERS = {"text": _text, "number": _numeric, "date": _date, "boolean": _boolean}


def _number_first(scan: Scanner, position: int) -> Found | None:
    """Read "more than 3 orders": the name comes after its number."""
    for one in scan.vocabulary.fields.values():
        if one.type == "number":
            break
    else:
        return None
    found = _compared(scan, one, position)
    if found is None:
        return None
    gap = _NUMBER_FIRST.match(scan.text, found.end)
    assert gap is not None
    named = scan.name_at("fields", gap.end()) if gap.end() > found.end else None
    if named is None or scan.vocabulary.fields[named[0]].type != "number":
        return None
    return Found({**found.node, "field": named[0]}, named[1])


def _value_first(scan: Scanner, start: int) -> Found | None:
    """Read "on the Office plan": the value stands before the name of a text field."""
    lead = _VALUE_FIRST.match(scan.text, start)
    if lead is None:
        return None
    position, words = lead.end(), 0
    while words < 6:
        word = re.compile(r"[^\s,;.()!?\"“”]+\s+").match(scan.text, position)
        if word is None:
            return None
        position, words = word.end(), words + 1
        named = scan.name_at("fields", position)
        if (
            named
            and (one := scan.vocabulary.fields[named[0]]).type == "text"
            and one.key not in ("email", "time_zone", "source")
        ):
            value = scan.text[lead.end() : position].strip()
            stored = scan.vocabulary.spelling(one.key, value)
            is_marked = value[0].isupper() or lead.end() > start
            if stored or (is_marked and not _CONNECTED.search(value)):
                return Found({"field": one.key, "op": "is", "value": stored or value}, named[1])
            return None
    return None


_CONNECTED = re.compile(
    r"(?:^|\s)(?:and|or|but|not|who|whose|with|without|in|the|is|are|have|has|opened|clicked|joined|no|any|their|same|given|which|that)(?:\s|$)",
    re.IGNORECASE,
)


def _age(scan: Scanner, start: int) -> Found | None:
    """Read "older than 30"."""
    match = _AGE.match(scan.text, start)
    one = scan.vocabulary.fields.get("age")
    if match is None or one is None or one.type != "number":
        return None
    return _compared(scan, one, start if not match["cmp"] else match.start("cmp")) or _compared(scan, one, match.end())

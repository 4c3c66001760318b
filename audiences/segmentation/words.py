"""Rules in plain English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiences.segmentation.fields import Field
from audiences.segmentation.operators import NONE, OPERATORS, TWO

_ENGAGEMENT_WORDS = {"opened": "opened a mail", "clicked": "clicked a link", "sent": "was sent a mail"}


def describe(
    rules: dict[str, Any],
    *,
    fields: Mapping[str, Field],
    lists: Mapping[str, str],
    campaigns: Mapping[str, str] | None = None,
) -> str:
    """Return one sentence (without a full stop) for a tree of rules.

    Args:
        rules: the tree.
        fields: from `fields_of`.
        lists: list id (text) to name.
        campaigns: campaign id (text) to name.
    """
    for kind, word in (("all", " and "), ("any", " or ")):
        if kind in rules:
            parts = [
                f"({text})" if len(child.get("all", child.get("any", ""))) > 1 else text
                for child in rules[kind]
                if (text := describe(child, fields=fields, lists=lists, campaigns=campaigns))
            ]
            return word.join(parts)
    if "not" in rules:
        return f"not ({describe(rules['not'], fields=fields, lists=lists, campaigns=campaigns)})"
    if "list" in rules:
        operator = OPERATORS["list"][rules["op"]]
        return f"{operator.words} {lists.get(rules['list'], 'that was deleted')}"
    if "campaign" in rules:
        name = (campaigns or {}).get(rules["campaign"])
        return f"{OPERATORS['campaign'][rules['op']].words} {f'“{name}”' if name else 'a campaign that was deleted'}"
    if "engagement" in rules:
        operator = OPERATORS["engagement"][rules["op"]]
        return f"{_ENGAGEMENT_WORDS[rules['engagement']]} {_filled(operator.words, rules.get('value'))}"
    if "field" not in rules:
        return ""
    field = fields.get(rules["field"])
    if field is None:
        return "a field that was deleted"
    operator = OPERATORS[field.type][rules["op"]]
    words = _filled(operator.words, rules.get("value"))
    if operator.arity == NONE or "…" in operator.words:
        return f"{field.label} {words}"
    return f"{field.label} {words} {_spoken(rules.get('value'), 'and' if operator.arity == TWO else 'or')}"


def _filled(words: str, value: Any) -> str:
    return words.replace("…", str(value))


def _spoken(value: Any, link: str) -> str:
    if not isinstance(value, list):
        return f"“{value}”" if isinstance(value, str) else str(value)
    *first, last = map(str, value)
    return f"{', '.join(first)} {link} {last}" if first else last

"""What a model may know of the grammar, and the rules that come of its answer.

A model names lists and campaigns by their names and writes every value as a text; ids, numbers and days are put in
here. What comes out still has to pass `validate_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from audiences.segmentation.fields import Field
from audiences.segmentation.operators import ENGAGEMENTS, MANY, NONE, OPERATORS, TWO

#: So many names go into a question.
MOST_LISTS = 100
MOST_CAMPAIGNS = 40


def grammar_for_model(
    *, fields: Mapping[str, Field], lists: Mapping[str, str], campaigns: Mapping[str, str], today: date
) -> dict[str, Any]:
    """Return the names and operators that an answer may use: no contact's data, only what things are called."""
    types = {field.type for field in fields.values()}
    return {
        "today": today.isoformat(),
        "fields": [{"key": field.key, "label": field.label, "type": field.type} for field in fields.values()],
        "operators": {kind: _operators(kind) for kind in OPERATORS if kind in types},
        "engagement": _operators("engagement"),
        "lists": list(lists.values())[:MOST_LISTS],
        "campaigns": list(dict.fromkeys(campaigns.values()))[:MOST_CAMPAIGNS],
        "campaign": _operators("campaign"),
    }


def _operators(kind: str) -> dict[str, str]:
    return {
        name: "no value" if operator.arity == NONE else f"{operator.arity} ({operator.value_type or kind})"
        for name, operator in OPERATORS[kind].items()
    }


def rules_of_answer(
    answer: Mapping[str, Any],
    *,
    fields: Mapping[str, Field],
    lists: Mapping[str, str],
    campaigns: Mapping[str, str],
    addresses: Mapping[str, str],
) -> dict[str, Any]:
    """Return the tree of rules that an answer describes, not yet validated.

    Args:
        answer: `{match, groups: [{match, is_excluded, conditions: [{kind, name, op, values}]}]}`.
        lists, campaigns: id (text) to name.
        addresses: what stood in for mail addresses, to the addresses.

    Raises:
        ValueError: a list or campaign that does not exist, or a value that is no number.
    """
    names = {"list": _ids(lists), "campaign": _ids(campaigns)}

    def condition(one: Mapping[str, Any]) -> dict[str, Any]:
        kind, name = one["kind"], one["name"]
        if kind in names:
            if name.lower() not in names[kind]:
                raise ValueError(f"There is no {kind} called {name!r}.")
            return {kind: names[kind][name.lower()], "op": one["op"]}
        known = fields.get(name)
        value_type = "engagement" if kind == "engagement" else known.type if known else "text"
        if kind == "engagement" and name not in ENGAGEMENTS:
            raise ValueError(f"{name!r} is none of {', '.join(ENGAGEMENTS)}.")
        operator = OPERATORS[value_type].get(one["op"])
        rule = {kind: name, "op": one["op"]}
        if operator is None or operator.arity == NONE:
            return rule
        values = [_typed(addresses.get(text, text), operator.value_type or value_type) for text in one["values"]]
        if operator.arity in (TWO, MANY):
            return {**rule, "value": values}
        if len(values) != 1:
            raise ValueError(f"{one['op']} takes one value.")
        return {**rule, "value": values[0]}

    def group(one: Mapping[str, Any]) -> dict[str, Any]:
        conditions = [condition(each) for each in one["conditions"]]
        node = conditions[0] if len(conditions) == 1 else {one["match"]: conditions}
        return {"not": node} if one["is_excluded"] else node

    groups = [group(one) for one in answer["groups"]]
    if len(groups) == 1 and {"all", "any"} & set(groups[0]):
        return groups[0]
    return {answer["match"] if len(groups) > 1 else "all": groups}


def _ids(rows: Mapping[str, str]) -> dict[str, str]:
    """Return ids by name in lower case; of two with the same name the first counts, which is the newest campaign."""
    return {name.lower(): key for key, name in reversed(list(rows.items()))}


def _typed(text: str, value_type: str) -> Any:
    if value_type not in ("number", "days"):
        return text.strip()
    try:
        number = float(text.replace(",", ""))
    except ValueError as error:
        raise ValueError(f"{text!r} is no number.") from error
    if not abs(number) < 1e15:
        raise ValueError(f"{text!r} is too large.")
    return int(number) if number.is_integer() else number

"""Checking a tree of rules before anything is compiled from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from audiences.segmentation.fields import Field
from audiences.segmentation.operators import ENGAGEMENTS, MANY, NONE, OPERATORS, TWO
from pulsequill.core.errors import FieldError, Invalid

MAX_DEPTH = 6
MAX_CONDITIONS = 50
MAX_VALUES = 100
MAX_TEXT = 200
MAX_DAYS = 3660
GROUPS = ("all", "any")


def validate_rules(
    rules: Any,
    *,
    fields: Mapping[str, Field],
    lists: frozenset[UUID] | None = None,
    campaigns: frozenset[UUID] | None = None,
) -> None:
    """Check a whole tree.

    Args:
        rules: what the client sent.
        fields: what may be named, from `fields_of`.
        lists: the workspace's lists; None skips that check (a list may be deleted after the segment was saved).
        campaigns: the workspace's campaigns, as `lists`.

    Raises:
        Invalid: every fault at once, each with its path such as `rules.all.0.value`.
    """
    faults: list[FieldError] = []
    count = _check(rules, "rules", 1, fields, {"list": lists, "campaign": campaigns}, faults)
    if not faults and count > MAX_CONDITIONS:
        faults.append(FieldError("rules", "too_many", f"At most {MAX_CONDITIONS} conditions."))
    if faults:
        raise Invalid("The rules are not valid: " + faults[0].detail, code="invalid_rules", errors=faults)


def _check(
    node: Any,
    path: str,
    depth: int,
    fields: Mapping[str, Field],
    known: Mapping[str, frozenset[UUID] | None],
    faults: list[FieldError],
) -> int:
    """Check one node, add to `faults`, and return how many conditions it holds."""

    def fault(code: str, detail: str, where: str = "") -> int:
        faults.append(FieldError(f"{path}.{where}" if where else path, code, detail))
        return 0

    if not isinstance(node, dict):
        return fault("invalid", "A rule is an object.")
    if depth > MAX_DEPTH:
        return fault("too_deep", f"Groups can be nested {MAX_DEPTH} deep.")
    kinds = [kind for kind in (*GROUPS, "not", "field", "list", "engagement", "campaign") if kind in node]
    if len(kinds) != 1:
        return fault("invalid", "A rule is exactly one of: all, any, not, field, list, engagement, campaign.")
    kind = kinds[0]
    allowed = {kind} if kind in (*GROUPS, "not") else {kind, "op", "value"}
    if unknown := set(node) - allowed:
        return fault("unknown", f"{min(map(str, unknown))} does not belong here.")
    if kind in GROUPS:
        children = node[kind]
        if not isinstance(children, list) or not children:
            return fault("empty", "Add at least one condition.", kind)
        if len(children) > MAX_CONDITIONS:
            return fault("too_many", f"At most {MAX_CONDITIONS} conditions.", kind)
        return sum(
            _check(child, f"{path}.{kind}.{index}", depth + 1, fields, known, faults)
            for index, child in enumerate(children)
        )
    if kind == "not":
        return _check(node["not"], f"{path}.not", depth + 1, fields, known, faults)

    subject = node[kind]
    if not isinstance(subject, str):
        return fault("invalid", "Expected a text.", kind)
    if kind == "field":
        if subject not in fields:
            return fault("unknown_field", "There is no such field.", kind)
        value_type = fields[subject].type
    elif kind == "engagement":
        if subject not in ENGAGEMENTS:
            return fault("invalid", f"Expected one of: {', '.join(ENGAGEMENTS)}.", kind)
        value_type = kind
    else:
        try:
            row_id = UUID(subject)
        except ValueError:
            return fault("invalid", f"Expected a {kind}'s id.", kind)
        rows = known[kind]
        if rows is not None and row_id not in rows:
            return fault(f"unknown_{kind}", f"There is no such {kind}.", kind)
        value_type = kind
    name = node.get("op")
    operator = OPERATORS[value_type].get(name) if isinstance(name, str) else None
    if operator is None:
        return fault("unknown_operator", f"Expected one of: {', '.join(OPERATORS[value_type])}.", "op")
    if detail := _value_fault(node.get("value"), operator.arity, operator.value_type or value_type):
        return fault("invalid_value", detail, "value")
    return 1


def _value_fault(value: Any, arity: str, value_type: str) -> str:
    if arity == NONE:
        return "" if value in (None, "") else "This comparison takes no value."
    if arity == TWO:
        if not isinstance(value, list) or len(value) != 2:
            return "Expected two values."
        return next((fault for item in value if (fault := _scalar_fault(item, value_type))), "")
    if arity == MANY:
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
            return f"Expected a list of 1 to {MAX_VALUES} values."
        return next((fault for item in value if (fault := _scalar_fault(item, value_type))), "")
    return _scalar_fault(value, value_type)


def _scalar_fault(value: Any, value_type: str) -> str:
    if value_type == "text":
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT or "\0" in value:
            return f"Expected a text of 1 to {MAX_TEXT} characters."
        try:
            value.encode()
        except UnicodeEncodeError:
            return "The text is not valid Unicode."
        return ""
    if value_type == "days":
        ok = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DAYS
        return "" if ok else f"Expected a number of days, 0 to {MAX_DAYS}."
    if value_type == "number":
        return "" if _is_number(value) else "Expected a number."
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "Expected a date such as 2026-11-23."
    return ""


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number.adjusted()) < 100

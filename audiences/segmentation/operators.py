"""The operators of each type: what value they take, what SQL they become, and how they read aloud.

A type knows how to read itself from the contact row (`reading`), so that one table serves properties and custom
fields alike. `{x}` stands for that reading; `%s` for parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: How many values an operator takes: none, one, two ("between"), or a list of 1 to 100.
NONE, ONE, TWO, MANY = "none", "one", "two", "many"


@dataclass(frozen=True)
class Operator:
    """One comparison. `value_type` differs from the field's type for "in the last N days"."""

    words: str
    sql: str
    arity: str = ONE
    value_type: str = ""
    prepare: Callable[[Any], Any] = lambda value: value


def _like(value: str) -> str:
    return value.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _lower(value: Any) -> Any:
    return [item.lower() for item in value] if isinstance(value, list) else value.lower()


_SET = Operator("is known", "{x} IS NOT NULL", NONE)
_UNSET = Operator("is not known", "{x} IS NULL", NONE)

TEXT: dict[str, Operator] = {
    "is": Operator("is", "lower({x}) = %s", prepare=_lower),
    "is_not": Operator("is not", "lower({x}) IS DISTINCT FROM %s", prepare=_lower),
    "in": Operator("is one of", "lower({x}) = ANY(%s)", MANY, prepare=_lower),
    "contains": Operator("contains", "lower({x}) LIKE %s", prepare=lambda v: f"%{_like(v)}%"),
    "not_contains": Operator(
        "does not contain", "COALESCE(lower({x}), '') NOT LIKE %s", prepare=lambda v: f"%{_like(v)}%"
    ),
    "starts_with": Operator("starts with", "lower({x}) LIKE %s", prepare=lambda v: f"{_like(v)}%"),
    "ends_with": Operator("ends with", "lower({x}) LIKE %s", prepare=lambda v: f"%{_like(v)}"),
    "is_set": _SET,
    "is_not_set": _UNSET,
}

NUMBER: dict[str, Operator] = {
    "equals": Operator("is", "{x} = %s"),
    "not_equals": Operator("is not", "{x} IS DISTINCT FROM %s"),
    "greater_than": Operator("is more than", "{x} > %s"),
    "at_least": Operator("is at least", "{x} >= %s"),
    "less_than": Operator("is less than", "{x} < %s"),
    "at_most": Operator("is at most", "{x} <= %s"),
    "between": Operator("is between", "{x} BETWEEN %s AND %s", TWO),
    "is_set": _SET,
    "is_not_set": _UNSET,
}

DATE: dict[str, Operator] = {
    "on": Operator("is on", "{x} = %s::date"),
    "before": Operator("is before", "{x} < %s::date"),
    "after": Operator("is after", "{x} > %s::date"),
    "between": Operator("is between", "{x} BETWEEN %s::date AND %s::date", TWO),
    "in_last_days": Operator(
        "is in the last … days", "{x} BETWEEN current_date - %s::int AND current_date", value_type="days"
    ),
    "not_in_last_days": Operator(
        "is not in the last … days",
        "NOT COALESCE({x} BETWEEN current_date - %s::int AND current_date, false)",
        value_type="days",
    ),
    "in_next_days": Operator(
        "is in the next … days", "{x} BETWEEN current_date AND current_date + %s::int", value_type="days"
    ),
    "is_set": _SET,
    "is_not_set": _UNSET,
}

BOOLEAN: dict[str, Operator] = {
    "is_true": Operator("is yes", "{x}", NONE),
    "is_false": Operator("is no", "NOT {x}", NONE),
    "is_set": _SET,
    "is_not_set": _UNSET,
}

LIST: dict[str, Operator] = {
    "is_on": Operator("is on the list", "{x}", NONE),
    "is_not_on": Operator("is not on the list", "NOT {x}", NONE),
}

ENGAGEMENT: dict[str, Operator] = {
    "in_last_days": Operator("in the last … days", "{x} >= now() - make_interval(days => %s::int)", value_type="days"),
    "not_in_last_days": Operator(
        "not in the last … days",
        "COALESCE({x} < now() - make_interval(days => %s::int), true)",
        value_type="days",
    ),
    "ever": Operator("ever", "{x} IS NOT NULL", NONE),
    "never": Operator("never", "{x} IS NULL", NONE),
}

#: `{x}` is the campaign's mail to the contact, once it has left: when it was opened and clicked by a person, and came
#: back, was reported, or led to an unsubscribe.
CAMPAIGN: dict[str, Operator] = {
    "was_sent": Operator("was sent", "EXISTS ({x})", NONE),
    "was_not_sent": Operator("was not sent", "NOT EXISTS ({x})", NONE),
    "opened": Operator("opened", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.opened_at IS NOT NULL)", NONE),
    "did_not_open": Operator(
        "was sent and did not open", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.opened_at IS NULL)", NONE
    ),
    "clicked": Operator(
        "clicked a link in", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.clicked_at IS NOT NULL)", NONE
    ),
    "did_not_click": Operator(
        "was sent and did not click in", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.clicked_at IS NULL)", NONE
    ),
    "bounced": Operator("bounced in", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.bounced_at IS NOT NULL)", NONE),
    "complained": Operator(
        "reported as spam", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.complained_at IS NOT NULL)", NONE
    ),
    "unsubscribed": Operator(
        "unsubscribed by", "EXISTS (SELECT 1 FROM ({x}) mail WHERE mail.unsubscribed_at IS NOT NULL)", NONE
    ),
}

#: Type -> operator name -> operator. The order is the order of the menus.
OPERATORS: dict[str, dict[str, Operator]] = {
    "text": TEXT,
    "number": NUMBER,
    "date": DATE,
    "boolean": BOOLEAN,
    "list": LIST,
    "engagement": ENGAGEMENT,
    "campaign": CAMPAIGN,
}

ENGAGEMENTS: dict[str, str] = {
    "opened": "c.last_opened_at",
    "clicked": "c.last_clicked_at",
    "sent": "c.last_sent_at",
}

"""From a checked tree of rules to SQL over the contact row `c`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from audiences.models import ContactList
from audiences.segmentation.fields import Field
from audiences.segmentation.mailings import campaign_names, mail_sql
from audiences.segmentation.operators import ENGAGEMENTS, NONE, OPERATORS, TWO


class Compiled(NamedTuple):
    """A SQL condition and its parameters, in order."""

    sql: str
    params: list[Any]


def compile_rules(
    rules: dict[str, Any], *, fields: Mapping[str, Field], workspace_id: UUID, is_negated: bool = False
) -> Compiled:
    """Return the condition that a contact `c` of the segment meets.

    A field, list or campaign that was deleted after the segment was saved makes it smaller and never larger: its
    condition is met by nobody, and behind a `not` by everybody.

    Args:
        rules: a tree that `validate_rules` accepted when it was saved.
        fields: from `fields_of`.
        workspace_id: whose lists may be asked.
        is_negated: whether an odd number of `not` stands around these rules.
    """
    if "not" in rules:
        inner = compile_rules(rules["not"], fields=fields, workspace_id=workspace_id, is_negated=not is_negated)
        return Compiled(f"NOT COALESCE({inner.sql}, false)", inner.params)
    for kind, word in (("all", " AND "), ("any", " OR ")):
        if kind in rules:
            parts = [
                compile_rules(child, fields=fields, workspace_id=workspace_id, is_negated=is_negated)
                for child in rules[kind]
            ]
            if not parts:
                return Compiled("false", [])
            return Compiled(
                "(" + word.join(part.sql for part in parts) + ")", [value for part in parts for value in part.params]
            )
    if missing_part(rules, fields=fields, workspace_id=workspace_id):
        return Compiled("true" if is_negated else "false", [])
    return _condition(rules, fields, workspace_id)


def missing_part(rule: dict[str, Any], *, fields: Mapping[str, Field], workspace_id: UUID) -> str:
    """Return what a condition asks for that is not there any more: "field", "list" or "campaign"; else nothing."""
    if "list" in rule:
        return "" if ContactList.objects.for_workspace(workspace_id).filter(pk=rule["list"]).exists() else "list"
    if "campaign" in rule:
        return "" if UUID(rule["campaign"]) in campaign_names(workspace_id) else "campaign"
    if "engagement" in rule:
        return ""
    field = fields.get(rule.get("field", ""))
    return "" if field is not None and rule.get("op") in OPERATORS[field.type] else "field"


def leaf_conditions(rules: dict[str, Any], *, is_negated: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the conditions of a tree in reading order, each with whether an odd number of `not` stands around it."""
    if "not" in rules:
        yield from leaf_conditions(rules["not"], is_negated=not is_negated)
    elif "all" in rules or "any" in rules:
        for child in rules["all"] if "all" in rules else rules["any"]:
            yield from leaf_conditions(child, is_negated=is_negated)
    elif rules:
        yield rules, is_negated


def _condition(rule: dict[str, Any], fields: Mapping[str, Field], workspace_id: UUID) -> Compiled:
    if "list" in rule:
        subject = (
            "EXISTS (SELECT 1 FROM audiences_subscription m WHERE m.contact_id = c.id AND m.list_id = %s"
            " AND m.workspace_id = %s AND m.status = 'active')"
        )
        sql = OPERATORS["list"][rule["op"]].sql.format(x=subject)
        return Compiled(sql, [UUID(rule["list"]), workspace_id])
    if "campaign" in rule:
        sql = OPERATORS["campaign"][rule["op"]].sql.format(x=mail_sql())
        return Compiled(sql, [UUID(rule["campaign"]), workspace_id])
    if "engagement" in rule:
        operator = OPERATORS["engagement"][rule["op"]]
        params = [] if operator.arity == NONE else [rule["value"]]
        return Compiled(operator.sql.format(x=ENGAGEMENTS[rule["engagement"]]), params)
    field = fields[rule["field"]]
    return _property(field, rule) if field.column else _custom(field, rule)


def _values(rule: dict[str, Any], field: Field) -> list[Any]:
    operator = OPERATORS[field.type][rule["op"]]
    if operator.arity == NONE:
        return []
    if operator.arity == TWO:
        return list(rule["value"])
    return [operator.prepare(rule["value"])]


def _property(field: Field, rule: dict[str, Any]) -> Compiled:
    """A column of the contact. An empty text means "not known"; the emptiness test keeps the bare column indexable."""
    reading = field.column
    if field.type == "date":
        reading = f"({field.column} AT TIME ZONE 'UTC')::date"
    elif field.type == "text" and rule["op"] in ("is_set", "is_not_set"):
        reading = f"NULLIF({field.column}, '')"
    sql = OPERATORS[field.type][rule["op"]].sql.format(x=reading)
    if field.key == "email":
        sql = sql.replace("lower(c.email_normalized)", "c.email_normalized")
    return Compiled(sql, _values(rule, field))


#: How each type is read from the JSON of a contact; wrongly typed values read as NULL instead of failing the query.
_READINGS: dict[str, tuple[str, int]] = {
    "text": ("(c.attributes ->> %s)", 1),
    "number": (
        "(CASE WHEN jsonb_typeof(c.attributes -> %s) = 'number' THEN (c.attributes ->> %s)::numeric END)",
        2,
    ),
    "boolean": (
        "(CASE WHEN jsonb_typeof(c.attributes -> %s) = 'boolean' THEN (c.attributes ->> %s)::boolean END)",
        2,
    ),
    "date": (
        r"(CASE WHEN pg_input_is_valid(c.attributes ->> %s, 'date') THEN (c.attributes ->> %s)::date END)",
        2,
    ),
}


def _custom(field: Field, rule: dict[str, Any]) -> Compiled:
    name = rule["op"]
    # Equality goes through containment, which the GIN index answers; a range reads the value.
    if name == "equals":
        return Compiled("c.attributes @> %s", [Jsonb({field.key: rule["value"]})])
    if field.type == "boolean" and name in ("is_true", "is_false"):
        return Compiled("c.attributes @> %s", [Jsonb({field.key: name == "is_true"})])
    if field.type == "text" and name in ("is", "is_not", "in"):
        wanted = rule["value"] if name == "in" else [rule["value"]]
        sql = "(" + " OR ".join(["c.attributes @> %s"] * len(wanted)) + ")"
        return Compiled(f"NOT {sql}" if name == "is_not" else sql, [Jsonb({field.key: value}) for value in wanted])
    reading, keys = _READINGS[field.type]
    sql = OPERATORS[field.type][name].sql
    return Compiled(sql.format(x=reading), [field.key] * keys * sql.count("{x}") + _values(rule, field))

"""Segments: how many, who for example, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from audiences.models import Contact, Segment
from audiences.segmentation import (
    campaign_names,
    compile_rules,
    describe,
    fields_of,
    leaf_conditions,
    missing_part,
)
from audiences.selectors.counting import Count, count_sql
from audiences.selectors.lists import list_names

SAMPLE_SIZE = 10


@dataclass
class Explanation:
    """One node of a rule tree, judged for one contact."""

    text: str
    passed: bool
    kind: str = "condition"
    children: list[Explanation] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the node as JSON."""
        return {
            "kind": self.kind,
            "text": self.text,
            "passed": self.passed,
            "children": [child.as_dict() for child in self.children],
        }


def _select(rules: dict[str, Any], workspace_id: UUID) -> tuple[str, list[Any]]:
    condition, params = compile_rules(rules, fields=fields_of(workspace_id), workspace_id=workspace_id)
    return f"SELECT c.id FROM audiences_contact c WHERE c.workspace_id = %s AND ({condition})", [workspace_id, *params]  # noqa: S608


def describe_rules(rules: dict[str, Any], *, workspace_id: UUID) -> str:
    """Return validated rules in words, one sentence without a full stop."""
    return describe_many([rules], workspace_id=workspace_id)[0]


def describe_many(many: Sequence[dict[str, Any]], *, workspace_id: UUID) -> list[str]:
    """Return each of many trees of rules in words."""
    fields = fields_of(workspace_id)
    lists = {str(pk): name for pk, name in list_names(workspace_id).items()}
    campaigns = {str(pk): name for pk, name in campaign_names(workspace_id).items()}
    return [describe(rules, fields=fields, lists=lists, campaigns=campaigns) for rules in many]


def count_segment(segment: Segment) -> Count:
    """Return how many contacts a segment holds now: exact to 50,000, an estimate beyond."""
    return count_rules(segment.rules, workspace_id=segment.workspace_id)


def count_rules(rules: dict[str, Any], *, workspace_id: UUID) -> Count:
    """Return how many contacts validated rules hold, as `count_segment`."""
    return count_sql(*_select(rules, workspace_id))


def find_missing_parts(workspace_id: UUID, segment_ids: Sequence[UUID]) -> list[tuple[Segment, str]]:
    """Return those of some segments that ask for what was deleted, by name, and what: "field", "list" or "campaign"."""
    if not segment_ids:
        return []
    fields = fields_of(workspace_id)
    segments = Segment.objects.for_workspace(workspace_id).filter(pk__in=segment_ids).order_by("name")
    found = (
        (segment, missing_part(leaf, fields=fields, workspace_id=workspace_id))
        for segment in segments
        for leaf, _ in leaf_conditions(segment.rules)
    )
    return [(segment, what) for segment, what in dict(pair for pair in found if pair[1]).items()]


def preview_segment(rules: dict[str, Any], *, workspace_id: UUID) -> tuple[Count, list[Contact]]:
    """Return how many contacts validated rules hold, and ten of the newest."""
    sql, params = _select(rules, workspace_id)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY c.created_at DESC, c.id DESC LIMIT {SAMPLE_SIZE}", params)
        ids = [row[0] for row in cursor.fetchall()]
    sample = Contact.objects.for_workspace(workspace_id).filter(pk__in=ids).order_by("-created_at", "-pk")
    return count_sql(sql, params), list(sample)


def explain_segment(rules: dict[str, Any], *, contact: Contact) -> Explanation:
    """Return which conditions of validated rules a contact meets."""
    fields = fields_of(contact.workspace_id)
    lists = {str(pk): name for pk, name in list_names(contact.workspace_id).items()}
    campaigns = {str(pk): name for pk, name in campaign_names(contact.workspace_id).items()}
    columns, params = [], []
    for leaf, is_negated in leaf_conditions(rules):
        sql, values = compile_rules(leaf, fields=fields, workspace_id=contact.workspace_id, is_negated=is_negated)
        columns.append(f"COALESCE({sql}, false)")
        params += values
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM audiences_contact c WHERE c.id = %s",  # noqa: S608
            [*params, contact.pk],
        )
        answers = iter(cursor.fetchone())

    def judge(node: dict[str, Any]) -> Explanation:
        for kind, combine in (("all", all), ("any", any)):
            if kind in node:
                children = [judge(child) for child in node[kind]]
                words = "All of these" if kind == "all" else "Any of these"
                return Explanation(words, combine(child.passed for child in children), kind, children)
        if "not" in node:
            child = judge(node["not"])
            return Explanation("Not this", not child.passed, "not", [child])
        return Explanation(describe(node, fields=fields, lists=lists, campaigns=campaigns), next(answers))

    return judge(rules)

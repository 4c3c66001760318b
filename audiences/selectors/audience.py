"""Who may be mailed, and why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from audiences.models import ContactField, Segment
from audiences.segmentation import compile_rules, fields_of

CONTACTS_PER_READ = 2000


@dataclass(frozen=True)
class AudienceCount:
    """How many contacts a choice of lists and segments reaches, and how many it skips for which reason."""

    included: int
    skipped: dict[str, int]


class MergeTag(NamedTuple):
    """A personal value that a mail can show; `fallback` stands in for an empty one."""

    key: str
    label: str
    fallback: str


def _ids(rows: Iterable[Any]) -> list[UUID]:
    return [row if isinstance(row, UUID) else UUID(str(getattr(row, "pk", row))) for row in rows]


def _segments(workspace_id: UUID, chosen: Iterable[Any]) -> list[Segment]:
    ids = _ids(chosen)
    return list(Segment.objects.for_workspace(workspace_id).filter(pk__in=ids)) if ids else []


#: Rows (contact_id, on_list, is_active, is_pending): the places that contacts have on the chosen lists.
_LIST_MEMBERS = """
    SELECT m.contact_id, true AS on_list, m.status = 'active' AS is_active, m.status = 'pending' AS is_pending
      FROM audiences_subscription m
     WHERE m.workspace_id = %s AND m.list_id = ANY(%s)"""

_SEGMENT_MEMBERS = """
    SELECT c.id, false, false, false
      FROM audiences_contact c
     WHERE c.workspace_id = %s AND ({condition})"""

#: What the contacts of segments said to any list: who left every list has said no.
_SAID = """
  LEFT JOIN (SELECT m.contact_id, bool_or(m.status = 'active') AS is_active, bool_or(m.status = 'pending') AS is_pending
               FROM audiences_subscription m WHERE m.workspace_id = %s GROUP BY m.contact_id) said
         ON said.contact_id = member.contact_id"""

_REFUSAL_OF_LISTS = """
       WHEN member.is_active THEN ''
       WHEN member.on_list AND member.is_pending THEN 'pending_confirmation'
       WHEN member.on_list THEN 'unsubscribed'"""

_REFUSAL_OF_SEGMENTS = """
       WHEN said.contact_id IS NULL OR said.is_active THEN ''
       WHEN said.is_pending THEN 'pending_confirmation'
       ELSE 'unsubscribed'"""


def audience_sql(
    *,
    workspace_id: UUID,
    lists: Iterable[Any] = (),
    segments: Iterable[Any] = (),
    exclude_lists: Iterable[Any] = (),
    exclude_segments: Iterable[Any] = (),
) -> tuple[str, list[Any]]:
    """Return the SELECT of everybody that a choice of lists and segments reaches: one row per contact.

    Columns: `contact_id, email, email_normalized, skip_reason`. An empty reason means: may be mailed. Otherwise it is
    the first that applies of `suppressed_<reason>`, `excluded`, and, when no subscription allows it, `unsubscribed` or
    `pending_confirmation`:

    - someone on chosen lists needs an active place on one of them, even when a segment reaches them too;
    - someone reached by segments alone needs an active place on any list, or never to have had a place on one.

    Args:
        workspace_id: the tenant; ids of other workspaces match nothing.
        lists: ids or `ContactList` rows to mail.
        segments: ids or `Segment` rows to mail.
        exclude_lists: active subscribers of these are skipped.
        exclude_segments: members of these are skipped.
    """
    fields = fields_of(workspace_id)
    list_ids, out_list_ids = _ids(lists), _ids(exclude_lists)
    in_segments, out_segments = _segments(workspace_id, segments), _segments(workspace_id, exclude_segments)

    members: list[str] = []
    params: list[Any] = []
    if list_ids or not in_segments:
        members.append(_LIST_MEMBERS)
        params += [workspace_id, list_ids]
    for segment in in_segments:
        condition, values = compile_rules(segment.rules, fields=fields, workspace_id=workspace_id)
        members.append(_SEGMENT_MEMBERS.format(condition=condition))
        params += [workspace_id, *values]
    source = " UNION ALL ".join(members)
    if len(members) > 1 or len(list_ids) > 1:  # otherwise one row per contact already, by the unique key
        source = (
            "SELECT contact_id, bool_or(on_list) AS on_list, bool_or(is_active) AS is_active,"  # noqa: S608
            f" bool_or(is_pending) AS is_pending FROM ({source}) reached GROUP BY contact_id"
        )
    elif in_segments:
        source = f"SELECT * FROM ({source}) reached (contact_id, on_list, is_active, is_pending)"  # noqa: S608

    exclusions: list[str] = []
    out_params: list[Any] = []
    if out_list_ids:
        exclusions.append(
            "EXISTS (SELECT 1 FROM audiences_subscription o WHERE o.contact_id = c.id AND o.list_id = ANY(%s)"
            " AND o.status = 'active')"
        )
        out_params.append(out_list_ids)
    for segment in out_segments:
        condition, values = compile_rules(segment.rules, fields=fields, workspace_id=workspace_id)
        exclusions.append(f"COALESCE({condition}, false)")
        out_params += values
    excluded = f"\n       WHEN {' OR '.join(exclusions)} THEN 'excluded'" if exclusions else ""
    said = _SAID if in_segments else ""
    sql = f"""SELECT c.id AS contact_id, c.email, c.email_normalized,
  CASE WHEN stop.reason IS NOT NULL THEN 'suppressed_' || stop.reason{excluded}{_REFUSAL_OF_LISTS}{
        _REFUSAL_OF_SEGMENTS if in_segments else ""
    }
  END AS skip_reason
  FROM ({source}) member
  JOIN audiences_contact c ON c.id = member.contact_id AND c.workspace_id = %s{said}
  LEFT JOIN audiences_suppression stop
         ON stop.workspace_id = c.workspace_id AND stop.email_normalized = c.email_normalized"""  # noqa: S608
    return sql, [*out_params, *params, workspace_id, *([workspace_id] if in_segments else [])]


def count_audience(
    *,
    workspace_id: UUID,
    lists: Iterable[Any] = (),
    segments: Iterable[Any] = (),
    exclude_lists: Iterable[Any] = (),
    exclude_segments: Iterable[Any] = (),
) -> AudienceCount:
    """Return how many `audience_sql` would mail, and how many it skips by reason."""
    sql, params = audience_sql(
        workspace_id=workspace_id,
        lists=lists,
        segments=segments,
        exclude_lists=exclude_lists,
        exclude_segments=exclude_segments,
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT skip_reason, count(*) FROM ({sql}) audience GROUP BY skip_reason", params)  # noqa: S608
        counts: dict[str, int] = dict(cursor.fetchall())
    return AudienceCount(included=counts.pop("", 0), skipped=dict(sorted(counts.items())))


def contact_values(contact_ids: Sequence[UUID]) -> Iterator[tuple[UUID, str, str, str, dict[str, Any]]]:
    """Yield `(id, email, first_name, last_name, attributes)` of contacts, in no particular order.

    The caller names contacts that it already holds (the ledger's rows), so no workspace is asked for.
    """
    for start in range(0, len(contact_ids), CONTACTS_PER_READ):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, email, first_name, last_name, attributes::text FROM audiences_contact WHERE id = ANY(%s)",
                [list(contact_ids[start : start + CONTACTS_PER_READ])],
            )
            for row in cursor.fetchall():
                yield (*row[:4], json.loads(row[4]))


def known_merge_tags(workspace: Any) -> dict[str, MergeTag]:
    """Return every personal merge tag of a workspace by key: name and address, then custom fields by label."""
    tags = {
        "first_name": MergeTag("first_name", "First name", ""),
        "last_name": MergeTag("last_name", "Last name", ""),
        "email": MergeTag("email", "Email", ""),
    }
    for field in ContactField.objects.for_workspace(workspace).order_by("label"):
        tags[field.key] = MergeTag(field.key, field.label, field.fallback)
    return tags

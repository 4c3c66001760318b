"""Reads of the audience. `audience_sql` is the single definition of who may be mailed, and why not."""

from audiences.selectors.audience import (
    AudienceCount,
    MergeTag,
    audience_sql,
    contact_values,
    count_audience,
    known_merge_tags,
)
from audiences.selectors.contacts import (
    ContactFilter,
    count_contacts,
    find_contacts,
    get_contact_timeline,
    list_contacts,
    register_timeline_source,
    with_status,
)
from audiences.selectors.imports import list_rejects, progress_of
from audiences.selectors.lists import count_by_list, count_suppressions, list_names
from audiences.selectors.segments import (
    Explanation,
    count_rules,
    count_segment,
    describe_many,
    describe_rules,
    explain_segment,
    find_missing_parts,
    preview_segment,
)
from audiences.selectors.values import TAG_IN_VALUE, value_sql

__all__ = [
    "TAG_IN_VALUE",
    "AudienceCount",
    "ContactFilter",
    "Explanation",
    "MergeTag",
    "audience_sql",
    "contact_values",
    "count_audience",
    "count_by_list",
    "count_contacts",
    "count_rules",
    "count_segment",
    "count_suppressions",
    "describe_many",
    "describe_rules",
    "explain_segment",
    "find_contacts",
    "find_missing_parts",
    "get_contact_timeline",
    "known_merge_tags",
    "list_contacts",
    "list_names",
    "list_rejects",
    "preview_segment",
    "progress_of",
    "register_timeline_source",
    "value_sql",
    "with_status",
]

"""Merge tags: does everybody have a value, and is it one that may be shown?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

from audiences import selectors as audiences
from campaigns.content import mustache
from campaigns.content.merge_tags import is_known
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

#: A value that holds another program's tag, or one of ours, came in with a broken import.
TAG_IN_VALUE = audiences.TAG_IN_VALUE


class Values(NamedTuple):
    """For how many recipients a tag's value is empty, and for how many it holds a tag itself."""

    empty: int
    tags: int


def find(examined: Examined) -> Iterator[Finding]:
    """Find unknown tags, and known ones whose value is empty or a tag itself for some of the recipients."""
    used: set[str] = set()
    for compiled in examined.compiled.values():
        used |= compiled.tags
    for name in sorted(used):
        if not is_known(name, examined.tags):
            yield Finding(
                "merge_tag_unknown",
                Severity.BLOCK,
                f"{{{{{name}}}}} is not a merge tag of this workspace",
                examined.composer,
                examined.count.included or None,
                "It would be empty for everybody. Pick one from the list, or add a field.",
            )
    printed = {
        name
        for compiled in examined.compiled.values()
        for source in (compiled.subject, compiled.preview_text, compiled.html)
        for name in mustache.compile(source).unguarded_names()
    }
    for name, values in count_values(examined, sorted(used & set(examined.tags))).items():
        tag = examined.tags[name]
        if values.tags:
            yield Finding(
                "merge_value_is_tag",
                Severity.BLOCK,
                f"{tag.label} holds a merge tag for {_people(values.tags)}",
                examined.contacts(value=f"tag:{name}"),
                values.tags,
                "They would read the tag itself, such as {{name}} or *|NAME|*. Correct these contacts.",
            )
        if values.empty and name in printed:
            yield Finding(
                "merge_tag_empty",
                Severity.INFO if tag.fallback else Severity.WARN,
                f"{tag.label} is empty for {_people(values.empty)}",
                examined.contacts(value=f"empty:{name}"),
                values.empty,
                f"They will read “{tag.fallback}”."
                if tag.fallback
                else "There is no fallback: they will read nothing there.",
            )


def _people(number: int) -> str:
    return f"{number:,} contact" + ("s" if number != 1 else "")


def count_values(examined: Examined, names: list[str]) -> dict[str, Values]:
    """Return what the values of each tag are like: one query over the whole audience."""
    if not names or not examined.has_audience:
        return {}
    counters: list[str] = []
    params: list[str] = []
    for name in names:
        value, value_params = audiences.value_sql(name, "c")
        counters.append(f"count(*) FILTER (WHERE {value} = ''), count(*) FILTER (WHERE {value} ~ %s)")
        params += [*value_params, *value_params, TAG_IN_VALUE]
    audience, audience_params = audiences.audience_sql(**examined.chosen)
    sql = (
        f"SELECT {', '.join(counters)} FROM ({audience}) a"  # noqa: S608 - fixed texts; names are parameters
        " JOIN audiences_contact c ON c.id = a.contact_id WHERE a.skip_reason = ''"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *audience_params])
        row = cursor.fetchone()
    return {name: Values(*row[2 * place : 2 * place + 2]) for place, name in enumerate(names)}

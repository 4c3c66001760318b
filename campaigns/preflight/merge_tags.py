"""Merge tags: does everybody have a value?"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from audiences import selectors as audiences
from campaigns.content import mustache
from campaigns.content.merge_tags import is_known
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity

_COLUMNS = {"first_name": "c.first_name", "last_name": "c.last_name", "email": "c.email"}


def find(examined: Examined) -> Iterator[Finding]:
    """Find unknown tags, and known ones that are empty for some of the recipients."""
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
                detail="It would be empty for everybody. Pick one from the list, or add a field.",
            )
    printed = {
        name
        for compiled in examined.compiled.values()
        for source in (compiled.subject, compiled.preview_text, compiled.html)
        for name in mustache.compile(source).unguarded_names()
    }
    for name, number in count_empty(examined, sorted(printed & set(examined.tags))).items():
        if not number:
            continue
        tag = examined.tags[name]
        people = f"{number:,} contact" + ("s" if number != 1 else "")
        yield Finding(
            "merge_tag_empty",
            Severity.INFO if tag.fallback else Severity.WARN,
            f"{tag.label} is empty for {people}",
            examined.composer,
            number,
            f"They will read “{tag.fallback}”."
            if tag.fallback
            else "There is no fallback: they will read nothing there.",
        )


def count_empty(examined: Examined, names: list[str]) -> dict[str, int]:
    """Return for how many of the recipients each tag has no value: one query over the whole audience."""
    if not names or not examined.has_audience:
        return {}
    counters, params = [], []
    for name in names:
        if name in _COLUMNS:
            counters.append(f"count(*) FILTER (WHERE btrim({_COLUMNS[name]}) = '')")
        else:
            counters.append("count(*) FILTER (WHERE coalesce(btrim(c.attributes ->> %s), '') IN ('', 'false'))")
            params.append(name)
    audience, audience_params = audiences.audience_sql(**examined.chosen)
    sql = (
        f"SELECT {', '.join(counters)} FROM ({audience}) a"  # noqa: S608 - fixed texts; names are parameters
        " JOIN audiences_contact c ON c.id = a.contact_id WHERE a.skip_reason = ''"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, *audience_params])
        return dict(zip(names, cursor.fetchone(), strict=True))

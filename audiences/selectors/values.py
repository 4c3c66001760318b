"""What the values of a merge tag are like: empty, or a tag themselves."""

from __future__ import annotations

_COLUMNS = ("first_name", "last_name", "email")
#: PostgreSQL regular expression of tags in values: `{{name}}`, `{name}`, `*|NAME|*`, `[First Name]`, `%name%`.
TAG_IN_VALUE = r"\{\{|\}\}|^\{[^{}]*\}$|\*\||\|\*|^\[[^\]]*\]$|^%[^%]+%$"


def value_sql(key: str, contact: str) -> tuple[str, list[str]]:
    """Return the SQL expression of a tag's value as mails show it, and its parameters.

    Args:
        key: the tag.
        contact: the alias of `audiences_contact` in the query.
    """
    if key in _COLUMNS:
        return f"btrim({contact}.{key})", []
    return f"coalesce(nullif(btrim({contact}.attributes ->> %s), 'false'), '')", [key]

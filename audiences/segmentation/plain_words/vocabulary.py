"""The names that a sentence may use: fields, lists, campaigns, places, mailboxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from audiences.segmentation.fields import Field

#: Besides label and key.
_ALSO = {
    "email": ("email address", "e-mail", "e-mail address", "mail address"),
    "first_name": ("given name", "first names"),
    "last_name": ("surname", "family name"),
    "time_zone": ("timezone",),
    "created_at": ("created", "join date", "joining date", "sign-up date", "signup date"),
}
#: Words of a label that do not stand for it alone.
_TOO_COMMON = frozenset({
    "name", "names", "last", "first", "date", "time", "value", "total", "number", "count", "list", "mail", "email",
    "address", "since", "contact", "contacts", "days", "month", "year", "type", "status", "with", "from", "open",
    "opened", "click", "clicked", "sent", "joined", "people", "customer", "customers", "active", "user", "users",
    "member", "members", "your", "their", "next",
})  # fmt: skip
#: A place is looked for in these fields, and a known country only in the first ones.
COUNTRY_FIELDS = frozenset({"country", "nation", "country name"})
PLACE_FIELDS = COUNTRY_FIELDS | {"city", "town", "state", "region", "province", "county", "location"}
COUNTRIES = {
    name.lower(): name
    for name in (
        "Argentina", "Australia", "Austria", "Belgium", "Brazil", "Bulgaria", "Canada", "Chile", "China", "Colombia",
        "Croatia", "Cyprus", "Czechia", "Czech Republic", "Denmark", "Egypt", "Estonia", "Finland", "France", "Germany",
        "Greece", "Hungary", "Iceland", "India", "Indonesia", "Ireland", "Israel", "Italy", "Japan", "Kenya", "Latvia",
        "Lithuania", "Luxembourg", "Malaysia", "Malta", "Mexico", "Morocco", "Netherlands", "New Zealand", "Nigeria",
        "Norway", "Peru", "Philippines", "Poland", "Portugal", "Romania", "Saudi Arabia", "Serbia", "Singapore",
        "Slovakia", "Slovenia", "South Africa", "South Korea", "Spain", "Sweden", "Switzerland", "Taiwan", "Thailand",
        "Turkey", "Ukraine", "United Arab Emirates", "United Kingdom", "United States", "Uruguay", "Vietnam",
    )
}  # fmt: skip
COUNTRIES |= {
    "uk": "United Kingdom", "great britain": "United Kingdom", "usa": "United States", "us": "United States",
    "united states of america": "United States", "uae": "United Arab Emirates", "holland": "Netherlands",
}  # fmt: skip
#: Regions that are no value of a field: whoever means them has to name the countries.
REGIONS = frozenset({
    "eu", "europe", "scandinavia", "nordics", "dach", "asia", "africa", "america", "latin", "apac", "emea", "balkans",
})  # fmt: skip
#: How people call a mailbox -> what its addresses end with.
MAILBOXES = {
    "gmail": "@gmail.com", "googlemail": "@googlemail.com", "outlook": "@outlook.com", "hotmail": "@hotmail.com",
    "yahoo": "@yahoo.com", "icloud": "@icloud.com", "aol": "@aol.com", "gmx": "@gmx.net",
    "protonmail": "@protonmail.com", "proton": "@proton.me",
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """What a workspace has.

    Attributes:
        lists, campaigns: id (text) to name; the newest campaign first.
        spelling: the stored spelling of a text value of a custom field, or None when no contact has it.
    """

    fields: Mapping[str, Field]
    lists: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, str] = field(default_factory=dict)
    today: date = field(default_factory=date.today)
    spelling: Callable[[str, str], str | None] = lambda _key, _value: None

    @cached_property
    def field_names(self) -> dict[str, str]:
        """Every way to name a field, in lower case, to its key."""
        names: dict[str, str] = {}
        for one in self.fields.values():
            for name in (one.label.lower(), one.key.replace("_", " "), one.key, *_ALSO.get(one.key, ())):
                names.setdefault(name, one.key)
        words: dict[str, set[str]] = {}
        for one in self.fields.values():
            for word in re.findall(r"[^\W\d_]{4,}", f"{one.label} {one.key.replace('_', ' ')}".lower()):
                words.setdefault(word, set()).add(one.key)
        for word, keys in words.items():
            if len(keys) == 1 and word not in _TOO_COMMON:
                names.setdefault(word, next(iter(keys)))
        for name in list(names):
            names.setdefault(f"{name}s", names[name])
        return names

    @cached_property
    def list_names(self) -> dict[str, str]:
        """Every way to name a list, in lower case, to its id."""
        return _names_of(self.lists, r"\s+(?:list|newsletter)$")

    @cached_property
    def campaign_names(self) -> dict[str, str]:
        """Every way to name a campaign, in lower case, to its id."""
        return _names_of(self.campaigns, r"\s+(?:campaign|mailing)$")

    @cached_property
    def place_fields(self) -> list[Field]:
        """The text fields that say where somebody is, countries first."""
        found = [
            one
            for one in self.fields.values()
            if one.type == "text" and {one.key.replace("_", " "), one.label.lower()} & PLACE_FIELDS
        ]
        return sorted(found, key=lambda one: not self.is_country_field(one))

    @staticmethod
    def is_country_field(one: Field) -> bool:
        """Whether a field holds countries."""
        return bool({one.key, one.label.lower()} & COUNTRY_FIELDS)


_GOES_ON = re.compile(r"[\w-]")


def _names_of(rows: Mapping[str, str], suffix: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, name in rows.items():
        plain = " ".join(name.lower().split())
        for said in (
            plain,
            plain.removeprefix("the "),
            re.sub(suffix, "", plain),
            re.sub(suffix, "", plain.removeprefix("the ")),
        ):
            if said:
                names.setdefault(said, key)
    for said in list(names):
        names.setdefault(said.removesuffix("s") if said.endswith("s") else f"{said}s", names[said])
    return names


class Names:
    """Names to find in a text; by their first two letters, for a workspace may have hundreds of them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Take names in lower case with what each stands for."""
        self._meanings = names
        self._by_beginning: dict[str, list[str]] = {}
        for name in sorted(names, key=len, reverse=True):
            self._by_beginning.setdefault(name[:2], []).append(name)

    def at(self, text: str, position: int) -> tuple[str, int] | None:
        """Return what the longest name at a position stands for, and where it ends; names are whole words."""
        for name in self._by_beginning.get(text[position : position + 2].lower(), ()):
            end = position + len(name)
            if text[position:end].lower() == name and not _GOES_ON.match(text, end):
                return self._meanings[name], end
        return None

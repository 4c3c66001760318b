"""The demo's audience: lists, custom fields, segments, and 2,400 contacts who joined over the last year."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pulsequill.demo_data.names import NAMES, PLACES

CONTACTS = 2_400
#: Domains that RFC 2606 reserves: no mail of the demo can ever reach a person.
DOMAINS = ("example.com", "example.org", "example.net")

NEWSLETTER, CLUB, WHOLESALE = "The Morning Cup", "Roastery Club", "Wholesale partners"
LISTS = (
    (NEWSLETTER, "Our fortnightly letter: new coffees, brewing notes, and now and then an offer."),
    (CLUB, "Subscribers who get a bag every month: tasting notes, first pick of the small lots."),
    (WHOLESALE, "Cafés and offices that brew our beans: harvest news and price lists."),
)

#: Key, label, type, fallback.
FIELDS = (
    ("plan", "Plan", "text", "Pay as you go"),
    ("city", "City", "text", ""),
    ("country", "Country", "text", ""),
    ("lifetime_value", "Lifetime value", "number", ""),
    ("favourite_roast", "Favourite roast", "text", "the house roast"),
)
PLANS = ("Pay as you go", "One bag a month", "Two bags a month", "Office")
ROASTS = ("Light", "Medium", "Dark", "Decaf")


def segments(list_ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return name and rules of each saved segment."""
    return {
        "Regulars: opened in the last 30 days": {"all": [{"engagement": "opened", "op": "in_last_days", "value": 30}]},
        "Best customers": {"all": [{"field": "lifetime_value", "op": "at_least", "value": 250}]},
        "Quiet for 60 days": {
            "all": [
                {"engagement": "opened", "op": "not_in_last_days", "value": 60},
                {"field": "created_at", "op": "not_in_last_days", "value": 60},
            ]
        },
        "Light roast lovers in the Nordics": {
            "all": [
                {"field": "favourite_roast", "op": "is", "value": "Light"},
                {"field": "country", "op": "in", "value": ["Sweden", "Norway", "Denmark", "Finland", "Iceland"]},
            ]
        },
        "Clicked, but not in the club yet": {
            "all": [
                {"engagement": "clicked", "op": "ever"},
                {"list": list_ids[CLUB], "op": "is_not_on"},
            ]
        },
        "Joined this month": {"all": [{"field": "created_at", "op": "in_last_days", "value": 30}]},
    }


@dataclass(frozen=True)
class Customer:
    """One contact of the demo, as it will be stored, and how keen a reader it is (1 is average)."""

    email: str
    first_name: str
    last_name: str
    time_zone: str
    attributes: dict[str, Any]
    joined_at: datetime
    source: str
    lists: tuple[str, ...]
    keenness: float = field(compare=False, default=1.0)


#: Letters that Unicode does not take apart.
_PLAIN = str.maketrans("øıđĐł", "oidDl", "'")


def _ascii(text: str) -> str:
    plain = text.translate(_PLAIN)
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower().replace(" ", "")


def customers(now: datetime, dice: random.Random) -> Iterator[Customer]:
    """Yield the contacts in the order in which they joined: slowly at first, faster towards today."""
    weights = [place[4] for place in PLACES]
    joined = sorted(365 * (1 - dice.random() ** 0.62) for _ in range(CONTACTS))
    taken: set[str] = set()
    for days_ago in reversed(joined):
        country, city, time_zone, culture, _weight = dice.choices(PLACES, weights)[0]
        first_names, last_names = NAMES[culture]
        first, last = dice.choice(first_names), dice.choice(last_names)
        mailbox = f"{_ascii(first)}.{_ascii(last)}"
        domain = dice.choices(DOMAINS, (6, 2, 2))[0]
        number = 1
        while (email := f"{mailbox}{number if number > 1 else ''}@{domain}") in taken:
            number += 1
        taken.add(email)
        is_partner, is_in_club = dice.random() < 0.07, dice.random() < 0.34
        plan = "Office" if is_partner else dice.choices(PLANS[:3], (2, 5, 3) if is_in_club else (1, 0, 0))[0]
        lists = [NEWSLETTER] if dice.random() < 0.93 or not (is_in_club or is_partner) else []
        lists += [CLUB] * is_in_club + [WHOLESALE] * is_partner
        months = days_ago / 30
        monthly = {"Pay as you go": 7, "One bag a month": 16, "Two bags a month": 30, "Office": 140}[plan]
        attributes: dict[str, Any] = {"plan": plan, "city": city, "country": country}
        attributes["lifetime_value"] = round(monthly * months * dice.uniform(0.5, 1.2) + dice.uniform(0, 20), 2)
        if dice.random() < 0.82:  # not everybody told us: the fallback of the merge tag is for them
            attributes["favourite_roast"] = dice.choices(ROASTS, (38, 36, 18, 8))[0]
        yield Customer(
            email=email,
            first_name=first if dice.random() < 0.95 else "",
            last_name=last,
            time_zone=time_zone,
            attributes=attributes,
            joined_at=now - timedelta(days=days_ago, seconds=dice.randrange(3600)),
            source=dice.choices(("form", "import", "api", "manual"), (60, 22, 15, 3))[0],
            lists=tuple(lists),
            keenness=dice.choices((0.15, 0.7, 1.2, 2.0), (30, 30, 28, 12))[0] * (1.25 if is_in_club else 1.0),
        )

"""Sentences as people type them, each with the rules that it should give and the words that nobody can answer.

Every third one was held out when the parser was first measured: 89 of the 93 were right, and 30 of the 31 held out.
What was wrong then was mended since. `today` is 23 November 2026.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from audiences.segmentation import BUILT_IN_FIELDS, Field
from audiences.segmentation.plain_words import Vocabulary

TODAY = date(2026, 11, 23)
CUP, CLUB, TRADE = (f"0190aaaa-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
HARVEST, SPRING = "0190bbbb-0000-7000-8000-000000000001", "0190bbbb-0000-7000-8000-000000000002"
FIELDS = BUILT_IN_FIELDS | {
    key: Field(key, label, kind)
    for key, label, kind in (
        ("plan", "Plan", "text"), ("city", "City", "text"), ("country", "Country", "text"),
        ("lifetime_value", "Lifetime value", "number"), ("favourite_roast", "Favourite roast", "text"),
        ("orders", "Orders", "number"), ("birthday", "Birthday", "date"), ("last_order", "Last order", "date"),
        ("vip", "VIP", "boolean"), ("age", "Age", "number"), ("company", "Company", "text"),
    )
}  # fmt: skip
VOCABULARY = Vocabulary(
    FIELDS,
    {CUP: "The Morning Cup", CLUB: "Roastery Club", TRADE: "Wholesale partners"},
    {SPRING: "Spring sale", HARVEST: "Harvest roast launch"},
    TODAY,
)


class Sentence(NamedTuple):
    """A wish, its rules, and what nobody can answer."""

    text: str
    rules: dict[str, Any] | None
    not_understood: tuple[str, ...] = ()


def field(key: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": key, "op": op} if value is None else {"field": key, "op": op, "value": value}


def did(what: str, op: str, days: int | None = None) -> dict[str, Any]:
    return {"engagement": what, "op": op} if days is None else {"engagement": what, "op": op, "value": days}


def listed(one: str, op: str = "is_on") -> dict[str, Any]:
    return {"list": one, "op": op}


def mail(one: str, op: str) -> dict[str, Any]:
    return {"campaign": one, "op": op}


def all_of(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"all": list(rules)}


def any_of(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"any": list(rules)}


def no(rule: dict[str, Any]) -> dict[str, Any]:
    return {"not": rule}


def ends(text: str) -> dict[str, Any]:
    return field("email", "ends_with", text)


JOINED = "created_at"
SENTENCES = (
    # opens and clicks
    Sentence("people who opened in the last 30 days", all_of(did("opened", "in_last_days", 30))),
    Sentence("Everyone who clicked a link in the past two weeks", all_of(did("clicked", "in_last_days", 14))),
    Sentence("subscribers who haven't opened anything for 90 days", all_of(did("opened", "not_in_last_days", 90))),
    Sentence("did not open in the last 60 days", all_of(did("opened", "not_in_last_days", 60))),
    Sentence("never clicked", all_of(did("clicked", "never"))),
    Sentence("contacts that have never opened an email", all_of(did("opened", "never"))),
    Sentence(
        "opened or clicked in the last month",
        any_of(did("opened", "in_last_days", 30), did("clicked", "in_last_days", 30)),
    ),
    Sentence(
        "opened but did not click in the last 30 days",
        all_of(did("opened", "in_last_days", 30), did("clicked", "not_in_last_days", 30)),
    ),
    Sentence(
        "people who didn't open or click in the last 6 months",
        all_of(did("opened", "not_in_last_days", 180), did("clicked", "not_in_last_days", 180)),
    ),
    Sentence(
        "inactive for 90 days", all_of(did("opened", "not_in_last_days", 90), did("clicked", "not_in_last_days", 90))
    ),
    Sentence("active in the last 7 days", any_of(did("opened", "in_last_days", 7), did("clicked", "in_last_days", 7))),
    Sentence("have ever clicked", all_of(did("clicked", "ever"))),
    Sentence("who were not sent an email in the last 14 days", all_of(did("sent", "not_in_last_days", 14))),
    Sentence("no opens in 45 days", all_of(did("opened", "not_in_last_days", 45))),
    Sentence(
        "clicked within the last year and opened in the last week",
        all_of(did("clicked", "in_last_days", 365), did("opened", "in_last_days", 7)),
    ),
    # one campaign
    Sentence("opened Harvest roast launch", all_of(mail(HARVEST, "opened"))),
    Sentence("people who did not open the Spring sale campaign", all_of(mail(SPRING, "did_not_open"))),
    Sentence(
        "opened Harvest roast launch but did not click", all_of(mail(HARVEST, "opened"), mail(HARVEST, "did_not_click"))
    ),
    Sentence(
        "clicked a link in “Spring sale” and live in Norway",
        all_of(mail(SPRING, "clicked"), field("country", "is", "Norway")),
    ),
    Sentence("everyone who didn't open the last newsletter", all_of(mail(SPRING, "did_not_open"))),
    # when they came
    Sentence("joined before 1 March 2026", all_of(field(JOINED, "before", "2026-03-01"))),
    Sentence("subscribed after 2026-05-31", all_of(field(JOINED, "after", "2026-05-31"))),
    Sentence("signed up in the last 3 weeks", all_of(field(JOINED, "in_last_days", 21))),
    Sentence("new subscribers in the last 30 days", all_of(field(JOINED, "in_last_days", 30))),
    Sentence("joined in 2025", all_of(field(JOINED, "between", ["2025-01-01", "2025-12-31"]))),
    Sentence("people who joined in March", all_of(field(JOINED, "between", ["2026-03-01", "2026-03-31"]))),
    Sentence(
        "joined between 1 January 2026 and 30 June 2026", all_of(field(JOINED, "between", ["2026-01-01", "2026-06-30"]))
    ),
    Sentence("joined more than a year ago", all_of(field(JOINED, "not_in_last_days", 365))),
    Sentence("contacts since January 5, 2026", all_of(field(JOINED, "after", "2026-01-04"))),
    Sentence(
        "joined this month but never opened", all_of(field(JOINED, "after", "2026-10-31"), did("opened", "never"))
    ),
    Sentence("signed up yesterday", all_of(field(JOINED, "on", "2026-11-22"))),
    Sentence("did not join in the last 30 days", all_of(field(JOINED, "not_in_last_days", 30))),
    # places and mailboxes
    Sentence("people in Germany", all_of(field("country", "is", "Germany"))),
    Sentence("in Sweden, Norway or Denmark", all_of(field("country", "in", ["Sweden", "Norway", "Denmark"]))),
    Sentence("city is Berlin", all_of(field("city", "is", "Berlin"))),
    Sentence("customers who live in Berlin or Munich", all_of(field("city", "in", ["Berlin", "Munich"]))),
    Sentence("VIPs outside Germany", all_of(field("vip", "is_true"), field("country", "is_not", "Germany"))),
    Sentence("gmail addresses", all_of(ends("@gmail.com"))),
    Sentence(
        "people with a gmail address who opened in the last 30 days",
        all_of(ends("@gmail.com"), did("opened", "in_last_days", 30)),
    ),
    Sentence("everyone except gmail users", all_of(no(ends("@gmail.com")))),
    Sentence("email ends with @acme.com", all_of(ends("@acme.com"))),
    Sentence("addresses at example.org", all_of(ends("@example.org"))),
    Sentence(
        "hotmail or outlook or gmail users in France",
        all_of(
            any_of(ends("@hotmail.com"), ends("@outlook.com"), ends("@gmail.com")), field("country", "is", "France")
        ),
    ),
    Sentence("not in Germany", all_of(field("country", "is_not", "Germany"))),
    Sentence(
        "based in the United States, and clicked in the last 90 days",
        all_of(field("country", "is", "United States"), did("clicked", "in_last_days", 90)),
    ),
    # lists
    Sentence("on the Wholesale partners list", all_of(listed(TRADE))),
    Sentence("Roastery Club members in Norway", all_of(listed(CLUB), field("country", "is", "Norway"))),
    Sentence("subscribed to The Morning Cup but not on Roastery Club", all_of(listed(CUP), listed(CLUB, "is_not_on"))),
    Sentence("on Roastery Club or Wholesale partners", any_of(listed(CLUB), listed(TRADE))),
    Sentence("not on the morning cup list", all_of(listed(CUP, "is_not_on"))),
    Sentence(
        "wholesale partners who did not open in the last 30 days",
        all_of(listed(TRADE), did("opened", "not_in_last_days", 30)),
    ),
    Sentence(
        "members of the club list who joined before 2026", all_of(field(JOINED, "before", "2026-01-01")), ("club",)
    ),
    # fields
    Sentence("plan is Office", all_of(field("plan", "is", "Office"))),
    Sentence("on the Office plan", all_of(field("plan", "is", "Office"))),
    Sentence("plan is not Office", all_of(field("plan", "is_not", "Office"))),
    Sentence("favourite roast is Light or Dark", all_of(field("favourite_roast", "in", ["Light", "Dark"]))),
    Sentence("lifetime value over 250 euros", all_of(field("lifetime_value", "greater_than", 250))),
    Sentence("lifetime value of at least $1,500", all_of(field("lifetime_value", "at_least", 1500))),
    Sentence("lifetime value between 100 and 500", all_of(field("lifetime_value", "between", [100, 500]))),
    Sentence("with more than 3 orders", all_of(field("orders", "greater_than", 3))),
    Sentence("customers with 10 or more orders", all_of(field("orders", "at_least", 10))),
    Sentence("orders = 0", all_of(field("orders", "equals", 0))),
    Sentence(
        "fewer than five orders and a birthday in the next 7 days",
        all_of(field("orders", "less_than", 5), field("birthday", "in_next_days", 7)),
    ),
    Sentence("VIPs", all_of(field("vip", "is_true"))),
    Sentence("not VIP", all_of(no(field("vip", "is_true")))),
    Sentence("VIP is no", all_of(field("vip", "is_false"))),
    Sentence("older than 30", all_of(field("age", "greater_than", 30))),
    Sentence("age between 18 and 25", all_of(field("age", "between", [18, 25]))),
    Sentence("without a birthday", all_of(field("birthday", "is_not_set"))),
    Sentence("first name is unknown", all_of(field("first_name", "is_not_set"))),
    Sentence("people with a company", all_of(field("company", "is_set"))),
    Sentence("company contains coffee", all_of(field("company", "contains", "coffee"))),
    Sentence("company starts with “North and South”", all_of(field("company", "starts_with", "North and South"))),
    Sentence(
        "last order more than 90 days ago",
        all_of(field("last_order", "is_set"), field("last_order", "not_in_last_days", 90)),
    ),
    Sentence("last order before 1.6.2026", all_of(field("last_order", "before", "2026-06-01"))),
    Sentence("named Anna or Ben", all_of(field("first_name", "in", ["Anna", "Ben"]))),
    Sentence("last name starts with Mc", all_of(field("last_name", "starts_with", "Mc"))),
    Sentence("imported contacts", all_of(field("source", "is", "import"))),
    Sentence("signed up through the form", all_of(field("source", "is", "form"))),
    # joined by and, or, not, but, brackets
    Sentence(
        "VIPs in Germany or Austria who opened in the last 30 days",
        all_of(
            field("vip", "is_true"), field("country", "in", ["Germany", "Austria"]), did("opened", "in_last_days", 30)
        ),
    ),
    Sentence(
        "plan is Office or lifetime value is at least 500",
        any_of(field("plan", "is", "Office"), field("lifetime_value", "at_least", 500)),
    ),
    Sentence(
        "(VIP or orders over 10) and in Italy",
        all_of(any_of(field("vip", "is_true"), field("orders", "greater_than", 10)), field("country", "is", "Italy")),
    ),
    Sentence(
        "VIP or more than 10 orders, but not in Italy",
        all_of(
            any_of(field("vip", "is_true"), field("orders", "greater_than", 10)), field("country", "is_not", "Italy")
        ),
    ),
    Sentence(
        "opened in the last 30 days, clicked in the last 60 days or joined this year",
        any_of(
            did("opened", "in_last_days", 30), did("clicked", "in_last_days", 60), field(JOINED, "after", "2025-12-31")
        ),
    ),
    Sentence(
        "Show me all customers from France with lifetime value above 100",
        all_of(field("country", "is", "France"), field("lifetime_value", "greater_than", 100)),
    ),
    Sentence(
        "people who clicked in the last 30 days, except VIPs",
        all_of(did("clicked", "in_last_days", 30), no(field("vip", "is_true"))),
    ),
    # what cannot be asked has to be named, and the rest still holds
    Sentence("people who bought shoes", None, ("bought shoes",)),
    Sentence("VIPs who love jazz", all_of(field("vip", "is_true")), ("love jazz",)),
    Sentence("opened three times in the last month", all_of(did("opened", "ever")), ("three times", "last month")),
    Sentence("unsubscribed from Roastery Club", None, ("unsubscribed from Roastery Club",)),
    Sentence(
        "in Scandinavia who opened in the last 10 days", all_of(did("opened", "in_last_days", 10)), ("Scandinavia",)
    ),
    Sentence("our best customers", None, ("best",)),
    Sentence("", None),
)

#: Written after the parser was finished: what it makes of sentences that it was not made for. At first 24 of the 30
#: were right, and one of the wrong ones did not say so ("neither … nor"), which was mended.
UNSEEN = (
    Sentence("Contacts from Spain or Portugal", all_of(field("country", "in", ["Spain", "Portugal"]))),
    Sentence("anyone who clicked in the last fortnight", all_of(did("clicked", "in_last_days", 14))),
    Sentence("haven't been sent anything in 2 months", all_of(did("sent", "not_in_last_days", 60))),
    Sentence("new people this month", all_of(field(JOINED, "after", "2026-10-31"))),
    Sentence("customers whose favourite roast is not Decaf", all_of(field("favourite_roast", "is_not", "Decaf"))),
    Sentence("spent between 50 and 100 euros", None, ("spent between 50 and 100 euros",)),
    Sentence("LTV above 1k", None, ("LTV above 1k",)),
    Sentence("lifetime value > 1k", all_of(field("lifetime_value", "greater_than", 1000))),
    Sentence("people without orders", all_of(field("orders", "is_not_set"))),
    Sentence("no company and no city", all_of(field("company", "is_not_set"), field("city", "is_not_set"))),
    Sentence("registered during 2024 or 2025", None),
    Sentence(
        "vip customers in Oslo, Bergen and Trondheim",
        all_of(field("vip", "is_true"), field("city", "in", ["Oslo", "Bergen", "Trondheim"])),
    ),
    Sentence("yahoo people who never opened anything", all_of(ends("@yahoo.com"), did("opened", "never"))),
    Sentence("last order in the last 6 months", all_of(field("last_order", "in_last_days", 180))),
    Sentence("has not ordered since January", None, ("ordered since January",)),
    Sentence("birthday is in December", all_of(field("birthday", "between", ["2025-12-01", "2025-12-31"]))),
    Sentence("city starts with San", all_of(field("city", "starts_with", "San"))),
    Sentence("both on The Morning Cup and on Roastery Club", all_of(listed(CUP), listed(CLUB))),
    Sentence(
        "everybody on Roastery Club except people in Sweden",
        all_of(listed(CLUB), field("country", "is_not", "Sweden")),
    ),
    Sentence(
        "neither opened nor clicked for 3 months",
        all_of(did("opened", "not_in_last_days", 90), did("clicked", "not_in_last_days", 90)),
    ),
    Sentence(
        "plan is Office and not in the US",
        all_of(field("plan", "is", "Office"), field("country", "is_not", "United States")),
    ),
    Sentence(
        "people older than 40 or younger than 25",
        any_of(field("age", "greater_than", 40), field("age", "less_than", 25)),
    ),
    Sentence(
        "who opened Spring sale and clicked Harvest roast launch",
        all_of(mail(SPRING, "opened"), mail(HARVEST, "clicked")),
    ),
    Sentence(
        "company is “Café Central” or company is empty",
        any_of(field("company", "is", "Café Central"), field("company", "is_not_set")),
    ),
    Sentence("Menschen in Deutschland, die geklickt haben", None, ("Menschen",)),
    Sentence("joined on 2026-02-30", None, ("joined on 2026-02-30",)),
    Sentence(
        "more than 2 orders but lifetime value below 40",
        all_of(field("orders", "greater_than", 2), field("lifetime_value", "less_than", 40)),
    ),
    Sentence("the 100 most active people", None, ("100 most active",)),
    Sentence("opened at least 3 campaigns", None, ("at least 3 campaigns",)),
    Sentence(
        "contacts added by hand in the last week",
        all_of(field("source", "is", "manual"), field(JOINED, "in_last_days", 7)),
    ),
)

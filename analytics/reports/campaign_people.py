"""Who got one campaign and what they did: filters over the ledger, what can be kept as a segment, and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any, Self

from django.db.models import CharField, Exists, Func, OuterRef, Q, QuerySet, Value

from analytics.models import Conversion, Event, EventArchive
from analytics.selectors.mailboxes import OTHER, PROVIDERS
from campaigns.models import Campaign, Link, Message
from campaigns.selectors.ledger import find_messages
from campaigns.selectors.reasons import in_words
from pulsequill.core.csv_file import csv_lines
from pulsequill.core.errors import FieldError, Invalid

ROWS_PER_READ = 1000
#: Beyond this a filtered list says "more than": counting on would read the whole ledger.
COUNTED = 10_000
SENT = Q(status=Message.Status.SENT)


@dataclass(frozen=True, slots=True)
class Did:
    """One thing that people did or that happened to their mail.

    Attributes:
        words: how the filter calls it.
        rows: which ledger rows it means.
        ops: the operators of a segment's campaign rule that mean the same; empty: no segment can ask it.
        counter: of the campaign's figures; a pair is subtracted. Empty: counted by itself.
    """

    words: str
    rows: Q | Exists
    ops: tuple[str, ...] = ()
    counter: tuple[str, ...] = ()


DID: dict[str, Did] = {
    "opened": Did("Opened", Q(first_opened_at__isnull=False), ("opened",), ("unique_opens",)),
    "not_opened": Did(
        "Did not open", SENT & Q(first_opened_at__isnull=True), ("did_not_open",), ("sent", "unique_opens")
    ),
    "clicked": Did("Clicked", Q(first_clicked_at__isnull=False), ("clicked",), ("unique_clicks",)),
    "opened_not_clicked": Did(
        "Opened, did not click", Q(first_opened_at__isnull=False, first_clicked_at__isnull=True),
        ("opened", "did_not_click"),
    ),
    "machine_only": Did(
        "Opened by a machine only", Q(first_machine_opened_at__isnull=False, first_opened_at__isnull=True)
    ),
    "converted": Did("Reached a goal", Exists(Conversion.objects.filter(message=OuterRef("pk")))),
    "bounced": Did("Bounced", Q(bounced_at__isnull=False), ("bounced",), ("bounced",)),
    "unsubscribed": Did("Unsubscribed", Q(unsubscribed_at__isnull=False), ("unsubscribed",), ("unsubscribed",)),
    "complained": Did("Reported as spam", Q(complained_at__isnull=False), ("complained",), ("complained",)),
    "not_mailed": Did("Got no mail", Q(status__in=(Message.Status.SKIPPED, Message.Status.FAILED))),
}  # fmt: skip
MAILBOXES: tuple[str, ...] = (*dict.fromkeys(PROVIDERS.values()), OTHER)


@dataclass(frozen=True, slots=True)
class RecipientFilter:
    """Which recipients somebody wants to see; every part that is empty asks nothing."""

    did: str = ""
    link: str = ""
    variant: str = ""
    mailbox: str = ""
    status: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], *, is_strict: bool = False) -> Self:
        """Return the filter of an address.

        Args:
            query: the parameters; others than ours are passed over.
            is_strict: refuse what makes no sense; otherwise it counts as not given.

        Raises:
            Invalid: a value that is no choice.
        """
        choices = {"did": tuple(DID), "mailbox": MAILBOXES, "status": tuple(Message.Status.values)}
        given: dict[str, str] = {}
        for name in (one.name for one in fields(cls)):
            value = query.get(name, "").replace("\0", "").strip()[:200]
            wrong = (name in choices and value not in choices[name]) or (name == "link" and not _is_key(value))
            if value and wrong:
                if is_strict:
                    detail = f"One of {', '.join(choices[name])}." if name in choices else "A link's number."
                    raise Invalid(detail, errors=[FieldError(name, "not_a_choice", detail)])
                value = ""
            given[name] = value
        return cls(**given)

    def rows(self, campaign: Campaign) -> QuerySet[Message]:
        """Return the ledger rows that it means, in no order."""
        rows = find_messages(campaign, status=self.status, text=self.q, variant=self.variant).only(*_READ)
        if self.did:
            rows = rows.filter(DID[self.did].rows)
        if self.link:
            links = Link.objects.filter(workspace_id=campaign.workspace_id, variant__campaign=campaign)
            same = links.filter(url__in=links.filter(pk=int(self.link)).values("url"))
            clicked, archived = (
                Exists(
                    model.objects.for_workspace(campaign.workspace_id).filter(
                        message=OuterRef("pk"),
                        kind=Event.Kind.CLICKED,
                        actor=Event.Actor.HUMAN,
                        link__in=same.values("pk"),
                    )
                )
                for model in (Event, EventArchive)
            )
            rows = rows.filter(clicked | archived, first_clicked_at__isnull=False)
        return _in_mailbox(rows, self.mailbox) if self.mailbox else rows

    @property
    def parts(self) -> dict[str, str]:
        """What is asked, by the names in the address."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}

    @property
    def unkept(self) -> list[str]:
        """Return the parts that no segment can ask, in words."""
        words = {"link": "which link was clicked", "variant": "the variant"}
        left = [word for name, word in words.items() if getattr(self, name)]
        if self.did and not DID[self.did].ops:
            left.append(f"“{DID[self.did].words.lower()}”")
        if self.status and self.status != Message.Status.SENT:
            left.append("the status")
        return left

    def rules(self, campaign: Campaign) -> dict[str, Any]:
        """Return a segment's rules that mean the same people, now and whenever it is asked again.

        Raises:
            Invalid: a part of the filter is nothing that a segment can ask.
        """
        if self.unkept:
            raise Invalid(f"A segment cannot ask for {' and '.join(self.unkept)}. Take it out of the filter.")
        ops = DID[self.did].ops if self.did else ("was_sent",)
        rules: list[dict[str, Any]] = [{"campaign": str(campaign.pk), "op": op} for op in ops]
        if self.q:
            rules.append({"field": "email", "op": "starts_with", "value": self.q.lower()})
        if self.mailbox:
            ends = [
                {"field": "email", "op": "ends_with", "value": f"@{domain}"} for domain in _domains_of(self.mailbox)
            ]
            rules.append({"not": {"any": ends}} if self.mailbox == OTHER else {"any": ends})
        return {"all": rules}


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _domains_of(mailbox: str) -> list[str]:
    """Return the domains of a provider; for the others all that are not theirs."""
    return [domain for domain, name in PROVIDERS.items() if mailbox in (name, OTHER)]


def _in_mailbox(rows: QuerySet[Message], mailbox: str) -> QuerySet[Message]:
    domain = Func("email_normalized", Value("@"), Value(2), function="split_part", output_field=CharField())
    known = Q(mailbox_domain__in=_domains_of(mailbox))
    return rows.alias(mailbox_domain=domain).filter(~known if mailbox == OTHER else known)


def count_some(rows: QuerySet[Message]) -> tuple[int, bool]:
    """Return how many rows there are, and whether there are more than were counted."""
    number = rows.order_by()[: COUNTED + 1].count()
    return min(number, COUNTED), number > COUNTED


def count_did(totals: Mapping[str, int]) -> list[tuple[str, str, int | None]]:
    """Return each thing people can have done: name, words, and how many by the figures (None: not counted there)."""
    return [
        (name, did.words, totals[did.counter[0]] - sum(totals[less] for less in did.counter[1:]))
        if did.counter
        else (name, did.words, None)
        for name, did in DID.items()
    ]


#: Column of a file -> attribute of the ledger row.
_TIMES: dict[str, str] = {
    "sent_at": "sent_at", "delivered_at": "delivered_at", "opened_at": "first_opened_at",
    "machine_opened_at": "first_machine_opened_at", "clicked_at": "first_clicked_at",
    "machine_clicked_at": "first_machine_clicked_at", "bounced_at": "bounced_at", "complained_at": "complained_at",
    "unsubscribed_at": "unsubscribed_at",
}  # fmt: skip
#: Columns of the ledger that are read: a variant holds the whole mail, which a file would fetch for each row.
_READ: tuple[str, ...] = (
    "workspace", "campaign", "email", "email_normalized", "status", "reason", "bounce_type", "created_at",
    "variant__label", *_TIMES.values(),
)  # fmt: skip
COLUMNS: tuple[str, ...] = ("id", "email", "status", "reason", "variant", *_TIMES, "bounce_type", "goals")


def stream_rows(rows: QuerySet[Message]) -> Iterator[dict[str, Any]]:
    """Yield recipients in the order of planning; memory does not grow with their number."""
    ordered = rows.order_by("pk")
    batch = list(ordered[:ROWS_PER_READ])
    while batch:
        yield from describe_rows(batch)
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:ROWS_PER_READ])


def describe_rows(rows: list[Message]) -> Iterator[dict[str, Any]]:
    """Yield one mapping of `COLUMNS` for each row; the goals of all are one query."""
    if not rows:
        return
    goals: dict[int, list[str]] = {}
    own = Conversion.objects.for_workspace(rows[0].workspace_id)
    reached = own.filter(message__in=[row.pk for row in rows]).order_by("goal__key")
    for key, goal in reached.values_list("message_id", "goal__key").distinct():
        goals.setdefault(key, []).append(goal)
    for row in rows:
        yield {
            "id": str(row.public_id),
            "email": row.email,
            "status": row.status,
            "reason": in_words(row.reason),
            "variant": row.variant.label if row.variant else "",
            **{name: _stamp(getattr(row, attribute)) for name, attribute in _TIMES.items()},
            "bounce_type": row.bounce_type,
            "goals": goals.get(row.pk, []),
        }


def _stamp(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def recipients_csv(rows: QuerySet[Message]) -> Iterator[str]:
    """Yield recipients as lines of CSV that no spreadsheet runs."""
    lines = ({**row, "goals": " ".join(row["goals"])} for row in stream_rows(rows))
    return csv_lines(COLUMNS, ([line[name] for name in COLUMNS] for line in lines))


def recipients_json(rows: QuerySet[Message]) -> Iterator[str]:
    """Yield recipients as the pieces of one JSON document, `{"results": [...]}`."""
    yield '{"results": ['
    lines, comma = stream_rows(rows), "\n"
    while piece := [json.dumps(row, ensure_ascii=False) for row in islice(lines, ROWS_PER_READ)]:
        yield comma + ",\n".join(piece)
        comma = ",\n"
    yield "\n]}\n"

"""Contacts: the list page (keyset pages, search, filters), and the timeline of one contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from audiences.models import Contact, Segment, Subscription, Suppression
from audiences.segmentation import compile_rules, fields_of
from audiences.selectors.counting import Count, count_queryset
from audiences.selectors.values import TAG_IN_VALUE, value_sql
from pulsequill.core.db import TenantQuerySet
from pulsequill.core.keyset import Page, paginate

PAGE_SIZE = 50

#: Suppression reason -> the contact's status, as screens and `/v1` name it.
STATUS_OF_REASON = {
    Suppression.Reason.HARD_BOUNCE.value: "bounced",
    Suppression.Reason.COMPLAINT.value: "complained",
    Suppression.Reason.UNSUBSCRIBE.value: "unsubscribed",
    Suppression.Reason.MANUAL.value: "suppressed",
}
STATUSES = ("active", "pending", "unsubscribed", "bounced", "complained", "suppressed")


@dataclass(frozen=True)
class ContactFilter:
    """What the contact list is narrowed to; empty means everybody."""

    q: str = ""
    status: str = ""
    list_id: UUID | None = None
    segment_id: UUID | None = None
    #: `empty:<key>` or `tag:<key>`: whose value for a merge tag is empty, or holds a tag itself.
    value: str = ""


class TimelineEntry(NamedTuple):
    """One thing that happened to a contact."""

    at: datetime
    icon: str
    title: str
    detail: str = ""
    url: str = ""


def find_contacts(workspace: Any, wanted: ContactFilter) -> TenantQuerySet[Contact]:
    """Return the contacts that a filter means, unordered."""
    contacts: TenantQuerySet[Contact] = Contact.objects.for_workspace(workspace)
    if wanted.list_id:
        contacts = contacts.filter(subscriptions__list_id=wanted.list_id)
    if wanted.segment_id:
        contacts = _in_segment(contacts, workspace, wanted.segment_id)
    if wanted.value:
        contacts = _with_value(contacts, wanted.value)
    if wanted.status:
        contacts = _of_status(contacts, wanted.status)
    return _searched(contacts, wanted.q)


def _in_segment(contacts: TenantQuerySet[Contact], workspace: Any, segment_id: UUID) -> TenantQuerySet[Contact]:
    segment = Segment.objects.for_workspace(workspace).filter(pk=segment_id).first()
    if segment is None:
        return contacts.none()
    sql, params = compile_rules(segment.rules, fields=fields_of(workspace), workspace_id=segment.workspace_id)
    # The condition comes from the compiler's tables; values are parameters.
    members = f"SELECT c.id FROM audiences_contact c WHERE c.workspace_id = %s AND ({sql})"  # noqa: S608
    narrowed: TenantQuerySet[Contact] = contacts.extra(  # type: ignore[assignment]  # noqa: S610
        where=[f"audiences_contact.id IN ({members})"], params=[segment.workspace_id, *params]
    )
    return narrowed


def _with_value(contacts: TenantQuerySet[Contact], wanted: str) -> TenantQuerySet[Contact]:
    kind, _, key = wanted.partition(":")
    value, params = value_sql(key, "audiences_contact")
    tests = {"empty": (f"{value} = ''", params), "tag": (f"{value} ~ %s", [*params, TAG_IN_VALUE])}
    if kind not in tests:
        return contacts
    condition, values = tests[kind]
    # The condition is one of two fixed texts; the key is a parameter.
    narrowed: TenantQuerySet[Contact] = contacts.extra(where=[condition], params=values)  # type: ignore[assignment]  # noqa: S610
    return narrowed


def _of_status(contacts: TenantQuerySet[Contact], status: str) -> TenantQuerySet[Contact]:
    stops = Suppression.objects.across_workspaces().filter(
        workspace_id=OuterRef("workspace_id"), email_normalized=OuterRef("email_normalized")
    )
    places = Subscription.objects.across_workspaces().filter(contact_id=OuterRef("pk"))
    active, pending, left = (
        Exists(places.filter(status=value))
        for value in (Subscription.Status.ACTIVE, Subscription.Status.PENDING, Subscription.Status.UNSUBSCRIBED)
    )
    if status == "stopped":
        return contacts.filter(Exists(stops))
    if status == "active":
        return contacts.filter(~Exists(stops)).filter(active | ~Exists(places))
    if status == "pending":
        return contacts.filter(~Exists(stops), pending, ~active)
    if status == "unsubscribed":
        return contacts.filter(
            Exists(stops.filter(reason=Suppression.Reason.UNSUBSCRIBE)) | (~Exists(stops) & left & ~active & ~pending)
        )
    reason = next((reason for reason, name in STATUS_OF_REASON.items() if name == status), None)
    return contacts.filter(Exists(stops.filter(reason=reason))) if reason else contacts.none()


def _searched(contacts: TenantQuerySet[Contact], q: str) -> TenantQuerySet[Contact]:
    """Prefix search, each arm answered by an index: address, first name, last name, or both names."""
    words = q.replace("\0", "").lower().split()[:3]
    if not words:
        return contacts
    if len(words) == 1:
        word = words[0]
        match = Q(email_normalized__startswith=word)
        if "@" not in word:
            match |= Q(first_lower__startswith=word) | Q(last_lower__startswith=word)
    else:
        head, tail = words[0], " ".join(words[1:])
        match = Q(first_lower__startswith=head, last_lower__startswith=tail)
        match |= Q(last_lower__startswith=head, first_lower__startswith=tail)
    named: TenantQuerySet[Any] = contacts.alias(first_lower=Lower("first_name"), last_lower=Lower("last_name"))
    return named.filter(match)


def list_contacts(
    workspace: Any, wanted: ContactFilter, *, query: Mapping[str, str], address: str, limit: int = PAGE_SIZE
) -> Page[Contact]:
    """Return one keyset page of contacts with their status, newest first, as fast at row 900,000 as at row 1.

    A list's members go by id alone, which is as old as the row (UUIDv7), because that is the order of the
    subscription index.

    Args:
        workspace: whose contacts.
        wanted: what the list is narrowed to.
        query: the request's query parameters.
        address: path of the page.
        limit: rows a page.

    Raises:
        BadCursor: the cursor is not of this list.
    """
    sort = "-pk" if wanted.list_id else "-created_at"
    page = paginate(find_contacts(workspace, wanted), query=query, address=address, sort=sort, limit=limit)
    with_status(page.items)
    return page


def count_contacts(workspace: Any, wanted: ContactFilter) -> Count:
    """Return how many contacts a filter means: exact to 50,000, an estimate beyond."""
    return count_queryset(find_contacts(workspace, wanted))


def with_status(contacts: Iterable[Contact]) -> list[Contact]:
    """Give each contact of a page its `status`, `stop` (suppression reason or '') and `places` in two queries.

    `places` are its subscriptions with their lists. All contacts must be of one workspace.
    """
    rows = list(contacts)
    if not rows:
        return rows
    workspace_id = rows[0].workspace_id
    stops = dict(
        Suppression.objects.for_workspace(workspace_id)
        .filter(email_normalized__in=[row.email_normalized for row in rows])
        .values_list("email_normalized", "reason")
    )
    places: dict[UUID, list[Subscription]] = {}
    subscriptions = Subscription.objects.for_workspace(workspace_id).filter(contact__in=[row.pk for row in rows])
    for place in subscriptions.select_related("list").order_by("list__name"):
        places.setdefault(place.contact_id, []).append(place)
    for row in rows:
        row.stop = stops.get(row.email_normalized, "")
        row.places = places.get(row.pk, [])
        row.status = _status(row.stop, row.places)
    return rows


def _status(stop: str, places: Sequence[Subscription]) -> str:
    if stop:
        return STATUS_OF_REASON[stop]
    said = {place.status for place in places}
    return next((status for status in ("active", "pending", "unsubscribed") if status in said), "active")


TimelineSource = Callable[[Contact, int], Iterable[TimelineEntry]]
_timeline_sources: list[TimelineSource] = []


def register_timeline_source(source: TimelineSource) -> None:
    """Let a later app add what it knows to contact timelines (called in its `AppConfig.ready`).

    Args:
        source: given a contact and how many entries are wanted, yields the newest ones.
    """
    if source not in _timeline_sources:
        _timeline_sources.append(source)


def get_contact_timeline(contact: Contact, *, limit: int = 40) -> list[TimelineEntry]:
    """Return what happened to a contact, newest first: consent, lists, suppression, engagement and mail."""
    entries = [
        TimelineEntry(
            consent.given_at,
            "lock",
            "Consent recorded",
            f"{consent.source}: “{consent.wording}”" if consent.wording else consent.source,
        )
        for consent in contact.consents.order_by("-given_at")[:limit]
    ]
    for place in contact.subscriptions.select_related("list")[:limit]:
        entries.append(TimelineEntry(place.created_at, "plus", f"Added to {place.list.name}"))
        if place.unsubscribed_at:
            entries.append(TimelineEntry(place.unsubscribed_at, "unsubscribe", f"Left {place.list.name}"))
    stop = (
        Suppression.objects.for_workspace(contact.workspace_id)
        .filter(email_normalized=contact.email_normalized)
        .first()
    )
    if stop:
        entries.append(
            TimelineEntry(stop.created_at, "stop", f"Suppressed: {stop.get_reason_display().lower()}", stop.source)
        )
    by_source = [entry for source in _timeline_sources for entry in source(contact, limit)]
    if not by_source:
        engagement = (
            ("send", "Last mail sent", contact.last_sent_at),
            ("eye", "Last opened", contact.last_opened_at),
            ("click", "Last clicked", contact.last_clicked_at),
        )
        by_source = [TimelineEntry(at, icon, title) for icon, title, at in engagement if at]
    entries += by_source
    entries.append(TimelineEntry(contact.created_at, "user", "Contact created", _origin(contact)))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def _origin(contact: Contact) -> str:
    words = {"import": "By an import", "api": "Through the API", "form": "By a sign-up form", "manual": "By hand"}
    return words.get(contact.source, "")

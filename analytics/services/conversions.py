"""What customers report: that somebody reached a goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Workspace
from analytics.models import Goal
from audiences.models import Contact
from campaigns.models import Message
from pulsequill.core import event_log
from pulsequill.core.errors import FieldError, Invalid
from pulsequill.core.ids import bigint_from_uuid7

#: Of one request.
MOST_EVENTS = 1000
#: Clocks of other systems run ahead a little; what is further off is a mistake.
AHEAD, BACK = timedelta(hours=1), timedelta(days=400)
_BIGGEST_KEY = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One event as a customer tells it.

    Attributes:
        goal: the goal's key.
        message: public id of the mail that it is owed to, if known.
        contact: who it was, if known: the mail is then looked for.
        email: the same by address.
        occurred_at: when; now when omitted.
        value: money in minor units.
        currency: ISO 4217.
        event_id: the customer's own id; the same id again is the same event.
    """

    goal: str
    message: UUID | None = None
    contact: UUID | None = None
    email: str = ""
    occurred_at: datetime | None = None
    value: int | None = None
    currency: str = ""
    event_id: str = ""


def report_conversions(*, workspace: Workspace, events: Sequence[Reported], is_batch: bool = True) -> None:
    """Keep that goals were reached; the consumer counts them. All or none, with four queries however many.

    Args:
        workspace: whose goals.
        events: what happened, at most `MOST_EVENTS`.
        is_batch: whether errors name the place in the batch.

    Raises:
        Invalid: a goal, message or contact does not exist, or a time is far off; every one is named.
    """
    goals = set(Goal.objects.for_workspace(workspace).values_list("key", flat=True))
    messages = _messages(workspace, {event.message for event in events if event.message})
    contacts = set(
        Contact.objects.for_workspace(workspace)
        .filter(pk__in={event.contact for event in events if event.contact})
        .values_list("pk", flat=True)
    )
    by_email = dict(
        Contact.objects.for_workspace(workspace)
        .filter(email_normalized__in={event.email.strip().lower() for event in events if event.email})
        .values_list("email_normalized", "pk")
    )
    now, errors = timezone.now(), list[FieldError]()
    lines = []
    for number, event in enumerate(events):
        contact_id = event.contact or by_email.get(event.email.strip().lower())
        at = event.occurred_at
        for field, is_wrong, code, detail in (
            ("goal", event.goal not in goals, "does_not_exist",
             "There is no goal with this key; add it with POST /v1/goals."),
            ("message", event.message and event.message not in messages, "does_not_exist", "There is no such message."),
            ("contact", event.contact and event.contact not in contacts, "does_not_exist", "There is no such contact."),
            ("email", event.email and not contact_id, "does_not_exist", "There is no contact with this address."),
            ("occurred_at", at and not now - BACK <= at <= now + AHEAD, "out_of_range",
             "This is in the future, or more than 400 days ago."),
        ):  # fmt: skip
            if is_wrong:
                errors.append(FieldError(f"{number}.{field}" if is_batch else field, code, detail))
        lines.append(_line(workspace, event, messages.get(event.message), contact_id))
    if errors:
        raise Invalid(errors[0].detail, errors=errors)
    event_log.append_lines(lines)


def _messages(workspace: Workspace, public_ids: set[UUID]) -> dict[UUID | None, int]:
    keys = [key for public_id in public_ids if 0 < (key := bigint_from_uuid7(public_id)) <= _BIGGEST_KEY]
    found = Message.objects.for_workspace(workspace).filter(pk__in=keys).only("id", "created_at", "workspace_id")
    return {message.public_id: message.pk for message in found}


def _line(workspace: Workspace, event: Reported, message_id: int | None, contact_id: UUID | None) -> bytes:
    data: dict[str, Any] = {"goal": event.goal}
    if event.value is not None:
        data["value"] = event.value
    if event.currency:
        data["currency"] = event.currency
    if contact_id and message_id is None:  # who was looked for is forgotten once the mail is found
        data["contact"] = str(contact_id)
    return event_log.encode(
        kind="converted",
        message_id=message_id,
        source="api",
        occurred_at=event.occurred_at,
        dedupe_key=f"api:{workspace.pk.hex}:{event.event_id}" if event.event_id else "",
        workspace_id=workspace.pk,
        data=data,
    )

"""The writes of analytics that others may call: goals, reports, and conversion events from customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts.activity import record
from accounts.models import User, Workspace
from analytics.ingest.entries import PERSONAL_DATA
from analytics.models import Goal, Report
from audiences.models import Contact
from campaigns.models import Message
from campaigns.selectors.people import messages_of_person
from pulsequill.core import event_log
from pulsequill.core.errors import FieldError, Invalid


def _taken(key: str) -> Invalid:
    detail = f"There is a goal with the key “{key}” already."
    return Invalid(detail, errors=[FieldError("key", "taken", detail)])


def create_goal(*, workspace: Workspace, key: str, name: str, actor: User | None) -> Goal:
    """Name a conversion that events may report.

    Raises:
        Invalid: the key is taken.
    """
    try:
        with transaction.atomic():
            goal = Goal.objects.create(workspace=workspace, key=key, name=name)
            record(
                workspace=workspace, kind="goal.created", summary=f"Goal “{name}” was added", actor=actor, subject=goal
            )
    except IntegrityError as error:
        raise _taken(key) from error
    return goal


def update_goal(*, goal: Goal, name: str) -> Goal:
    """Rename a goal; its key stays, because customers' systems send it."""
    goal.name = name
    goal.save(update_fields=["name", "updated_at"])
    return goal


def delete_goal(*, goal: Goal, actor: User | None) -> None:
    """Remove a goal; the events that reported it stay."""
    with transaction.atomic():
        record(
            workspace=goal.workspace, kind="goal.deleted", summary=f"Goal “{goal.name}” was removed", actor=actor,
            subject=goal,
        )  # fmt: skip
        goal.delete()


def report_conversion(
    *,
    workspace: Workspace,
    goal: Goal,
    message: Message | None,
    contact_id: Any = None,
    occurred_at: datetime | None = None,
    value: int | None = None,
    currency: str = "",
    event_id: str = "",
) -> None:
    """Keep that somebody reached a goal; the consumer counts it.

    Args:
        workspace: whose goal.
        goal: what was reached.
        message: the mail that it is owed to, if known.
        contact_id: who it was, if known.
        occurred_at: when; now when omitted.
        value: money in minor units.
        currency: ISO 4217.
        event_id: the customer's own id; the same id again is the same event.
    """
    data: dict[str, Any] = {"goal": goal.key, "contact": str(contact_id) if contact_id else "", "currency": currency}
    if value is not None:
        data["value"] = value
    event_log.append(
        kind="converted",
        message_id=message.pk if message else None,
        source="api",
        occurred_at=occurred_at,
        dedupe_key=f"api:{workspace.pk.hex}:{event_id}" if event_id else "",
        workspace_id=workspace.pk,
        data={key: item for key, item in data.items() if item != ""},
    )


def save_report(
    *, workspace: Workspace, name: str, query: dict[str, Any], actor: User | None, report: Report | None = None
) -> Report:
    """Keep a comparison of campaigns under a name, or change one that is kept."""
    if report is None:
        return Report.objects.create(workspace=workspace, name=name, query=query, created_by=actor)
    report.name, report.query = name, query
    report.save(update_fields=["name", "query", "updated_at"])
    return report


def delete_report(*, report: Report) -> None:
    """Remove a kept comparison."""
    report.delete()


def forget_person(contact: Contact) -> None:
    """Take out of events what says who acted; that something happened, and when, stays counted.

    Args:
        contact: who asked to be erased; runs in that transaction.
    """
    ids = list(messages_of_person(contact).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analytics_event SET user_agent = '', ip_address = NULL, data = data - %s::text[]"
            " WHERE message_id = ANY(%s)",
            [list(PERSONAL_DATA), ids],
        )

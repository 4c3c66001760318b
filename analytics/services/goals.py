"""Goals: what campaigns are for, beyond the click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from accounts.activity import record
from accounts.models import User, Workspace
from analytics.models import Goal
from pulsequill.core.errors import FieldError, Invalid

LONGEST_PREFIX = 1000
MOST_DAYS = 90


def create_goal(
    *, workspace: Workspace, key: str, name: str, actor: User | None, link_prefix: str = "", window_days: int = 7
) -> Goal:
    """Name a conversion that events report, or that a click on some links reaches.

    Args:
        workspace: whose goal.
        key: what events name it by; it never changes.
        name: what people call it.
        actor: who adds it.
        link_prefix: a person's click on a link that begins like this reaches it; empty: only events do.
        window_days: how long after a click (or else an open) an event about a contact is owed to that mail.

    Raises:
        Invalid: the key is taken, the prefix is no web address, or the window is not 1 to 90 days.
    """
    fields = {"link_prefix": _prefix(link_prefix), "window_days": _window(window_days)}
    try:
        with transaction.atomic():
            goal = Goal.objects.create(workspace=workspace, key=key, name=name, **fields)
            _record(goal, "created", "was added", actor)
    except IntegrityError as error:
        raise _refuse("key", "taken", f"There is a goal with the key “{key}” already.") from error
    return goal


def update_goal(*, goal: Goal, actor: User | None = None, **changes: Any) -> Goal:
    """Change name, link prefix or window; the key stays, because customers' systems send it.

    What was counted stays counted: a new prefix is asked of later clicks only.

    Raises:
        Invalid: as in `create_goal`.
    """
    clean: dict[str, Callable[[Any], Any]] = {"name": str, "link_prefix": _prefix, "window_days": _window}
    for field, value in changes.items():
        setattr(goal, field, clean[field](value))
    with transaction.atomic():
        goal.save(update_fields=[*changes, "updated_at"])
        _record(goal, "changed", "was changed", actor)
    return goal


def delete_goal(*, goal: Goal, actor: User | None) -> None:
    """Remove a goal with its counts; the events that reported it stay."""
    with transaction.atomic():
        _record(goal, "deleted", "was removed", actor)
        goal.delete()


def _record(goal: Goal, verb: str, words: str, actor: User | None) -> None:
    summary = f"Goal “{goal.name}” {words}"
    record(workspace=goal.workspace, kind=f"goal.{verb}", summary=summary, actor=actor, subject=goal)


def _prefix(text: str) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if text and (not is_address or len(text) > LONGEST_PREFIX or any(char.isspace() for char in text)):
        raise _refuse("link_prefix", "invalid", "The beginning of a web address, such as https://shop.example/thanks.")
    return text


def _window(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise _refuse("window_days", "out_of_range", f"1 to {MOST_DAYS} days.")
    return days


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])

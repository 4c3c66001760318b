"""Saved questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.activity import record
from audiences.models import Segment
from audiences.segmentation import campaign_names, fields_of, validate_rules
from audiences.selectors import list_names
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace


def check_rules(*, workspace: Workspace, rules: Any) -> None:
    """Check a tree of rules against the workspace's fields and lists.

    Raises:
        Invalid: every fault with its path.
    """
    validate_rules(
        rules,
        fields=fields_of(workspace),
        lists=frozenset(list_names(workspace)),
        campaigns=frozenset(campaign_names(workspace)),
    )


def _check_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("A segment needs a name.", errors=[FieldError("name", "required", "A segment needs a name.")])
    return name


def _save(segment: Segment, kind: str, actor: User | None) -> Segment:
    try:
        with transaction.atomic():
            segment.save()
            record(
                workspace=segment.workspace,
                kind=f"segment.{kind}",
                summary=f"Saved segment {segment.name}",
                actor=actor,
                subject=segment,
            )
    except IntegrityError as error:
        detail = "There is already a segment with this name."
        raise WrongState(detail, code="name_taken", errors=[FieldError("name", "exists", detail)]) from error
    return segment


def create_segment(*, workspace: Workspace, name: str, rules: dict[str, Any], actor: User | None = None) -> Segment:
    """Save a question.

    Raises:
        Invalid: no name, or faulty rules.
        WrongState: the name is taken.
    """
    check_rules(workspace=workspace, rules=rules)
    return _save(Segment(workspace=workspace, name=_check_name(name), rules=rules), "created", actor)


def update_segment(*, segment: Segment, changes: dict[str, Any], actor: User | None = None) -> Segment:
    """Change a question's name or rules.

    Raises:
        Invalid: no name, or faulty rules.
        WrongState: the name is taken.
    """
    if "rules" in changes:
        check_rules(workspace=segment.workspace, rules=changes["rules"])
        segment.rules = changes["rules"]
    if "name" in changes:
        segment.name = _check_name(changes["name"])
    return _save(segment, "updated", actor)


def delete_segment(*, segment: Segment, actor: User | None = None) -> None:
    """Forget a question; the contacts stay."""
    with transaction.atomic():
        record(
            workspace=segment.workspace,
            kind="segment.deleted",
            summary=f"Deleted segment {segment.name}",
            actor=actor,
            subject=segment,
        )
        segment.delete()

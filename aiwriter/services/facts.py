"""The brand's knowledge: what every draft may claim, until it is no longer true."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from accounts import activity
from aiwriter.models import BrandFact
from aiwriter.services.briefs import one_line
from pulsequill.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import User, Workspace

LONGEST_FACT = 500
MOST_FACTS = 500


def save_fact(
    *,
    workspace: Workspace,
    actor: User | None,
    text: str,
    valid_until_date: date | None = None,
    is_active: bool = True,
    fact: BrandFact | None = None,
) -> BrandFact:
    """Store a fact: a new one, or the new words of `fact`.

    Args:
        valid_until_date: the last day on which it is true; None: for good.
        is_active: False retires it; drafts may no longer claim it.

    Raises:
        Invalid: no text, too long, known already, or too many facts.
    """
    text = one_line(text)
    if not 1 <= len(text) <= LONGEST_FACT:
        raise _wrong("text", "required", f"1 to {LONGEST_FACT} characters.")
    if fact is None and BrandFact.objects.for_workspace(workspace).count() >= MOST_FACTS:
        raise _wrong("text", "too_many", f"There are {MOST_FACTS} facts already. Remove one first.")
    row = fact or BrandFact(workspace=workspace)
    row.text, row.valid_until_date, row.is_active = text, valid_until_date, is_active
    try:
        with transaction.atomic():
            row.save()
            activity.record(
                workspace=workspace, kind="brand_fact.saved", summary=f"Saved the fact “{text[:120]}”.", actor=actor,
                subject=row, is_active=is_active,
            )  # fmt: skip
    except IntegrityError as error:
        raise _wrong("text", "taken", "This fact is known already.") from error
    return row


@transaction.atomic
def delete_fact(*, fact: BrandFact, actor: User | None) -> None:
    """Remove a fact. Mails that rest on it are held back until it is accepted or said otherwise."""
    activity.record(
        workspace=fact.workspace, kind="brand_fact.deleted", summary=f"Removed the fact “{fact.text[:120]}”.",
        actor=actor, subject=fact,
    )  # fmt: skip
    fact.delete()


def _wrong(field: str, code: str, text: str) -> Invalid:
    return Invalid(text, errors=[FieldError(field, code, text)])

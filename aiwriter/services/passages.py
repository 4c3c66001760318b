"""Asking for the small things: an edit of a passage, subject lines, words for a button, an alternative text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from aiwriter.models import Brief, Generation
from aiwriter.services.briefs import create_brief
from aiwriter.services.generations import enqueue
from pulsequill.core.errors import FieldError, Invalid, NotFound

if TYPE_CHECKING:
    from accounts.models import User, Workspace

LONGEST_PASSAGE = 10_000
#: How much of a mail goes along so that what is written fits into it.
LONGEST_SURROUNDINGS = 6_000
MOST_EARLIER = 60
#: `wish` is done in the words of the request; `another_try` says the same in other words.
INSTRUCTIONS = (
    "shorten", "expand", "punchier", "plainer", "friendlier", "more_formal", "fix_grammar", "translate", "wish",
    "another_try",
)  # fmt: skip


def rewrite(
    *,
    workspace: Workspace,
    actor: User | None,
    text: str,
    instruction: str,
    language: str = "",
    wish: str = "",
    earlier: Iterable[str] = (),
    brief: Brief | None = None,
    campaign_id: UUID | None = None,
) -> Generation:
    """Ask for an edit of one passage; it arrives in `result.text`, and what got lost on the way in `result.checks`.

    Args:
        text: plain text with merge tags. `⟦link-a⟧words⟦/link-a⟧` marks formatting that the edit must keep.
        language: what to translate into; a code such as `de`.
        wish: what to do, in the person's own words.
        earlier: answers that were not wanted; the next one is another.
        brief: what the mail is about, so that an edit may use its facts.

    Raises:
        Invalid: no text, or an instruction that does not exist.
        Blocked, Unavailable: as `request_drafts`.
    """
    errors = []
    if not text.strip() or len(text) > LONGEST_PASSAGE:
        errors.append(FieldError("text", "out_of_range", f"1 to {LONGEST_PASSAGE:,} characters."))
    if instruction not in INSTRUCTIONS:
        errors.append(FieldError("instruction", "not_a_choice", f"One of {', '.join(INSTRUCTIONS)}."))
    if instruction == "translate" and not language.strip():
        errors.append(FieldError("language", "required", "Into which language?"))
    if instruction == "wish" and not wish.strip():
        errors.append(FieldError("wish", "required", "What should change?"))
    if errors:
        raise Invalid("The request is not valid.", errors=errors)
    request: dict[str, Any] = {"text": text, "instruction": instruction, "language": language[:20], "wish": wish[:300]}
    request["earlier"] = [str(one)[:LONGEST_PASSAGE] for one in earlier][-MOST_EARLIER:]
    return enqueue(
        workspace=workspace, actor=actor, kind=Generation.Kind.REWRITE, brief=_own(brief, workspace),
        campaign_id=campaign_id, request=_kept(request),
    )  # fmt: skip


def subject_lines(
    *,
    workspace: Workspace,
    actor: User | None,
    brief: Brief | Mapping[str, Any],
    count: int = 10,
    mail: str = "",
    earlier: Iterable[str] = (),
    campaign_id: UUID | None = None,
) -> Generation:
    """Ask for subject lines of a brief; they arrive in `result.lines`, each with its score and the reasons.

    Args:
        brief: a stored brief, or the fields of a new one.
        mail: what the mail says, so that the lines are true of it.
        earlier: lines that are there already; the new ones are others.

    Raises:
        Invalid: the brief is not valid, or the count is out of range.
        Blocked, Unavailable: as `request_drafts`.
    """
    if not 1 <= count <= 20:
        raise Invalid("1 to 20 lines.", errors=[FieldError("count", "out_of_range", "1 to 20 lines.")])
    request: dict[str, Any] = {"count": count, "mail": mail[:LONGEST_SURROUNDINGS]}
    request["earlier"] = [str(one)[:200] for one in earlier][-MOST_EARLIER:]
    with transaction.atomic():
        if not isinstance(brief, Brief):
            brief = create_brief(workspace=workspace, fields=brief)
        return enqueue(
            workspace=workspace, actor=actor, kind=Generation.Kind.SUBJECT_LINES, brief=_own(brief, workspace),
            campaign_id=campaign_id, request=_kept(request),
        )  # fmt: skip


def call_to_action(
    *,
    workspace: Workspace,
    actor: User | None,
    label: str = "",
    url: str = "",
    around: str = "",
    language: str = "",
    earlier: Iterable[str] = (),
    brief: Brief | None = None,
    campaign_id: UUID | None = None,
) -> Generation:
    """Ask for words for a button; five arrive in `result.labels`, each with its reason.

    Args:
        label: what the button says now.
        url: where it leads.
        around: the text that it stands in.

    Raises:
        Invalid: there is nothing to go by.
        Blocked, Unavailable: as `request_drafts`.
    """
    if not (label.strip() or around.strip() or brief):
        detail = "Give the button’s label, the text around it or a brief."
        raise Invalid(detail, errors=[FieldError("label", "required", detail)])
    request: dict[str, Any] = {"label": label[:120], "url": url[:2000], "around": around[:LONGEST_SURROUNDINGS]}
    request |= {"language": language[:20], "earlier": [str(one)[:120] for one in earlier][-MOST_EARLIER:]}
    return enqueue(
        workspace=workspace, actor=actor, kind=Generation.Kind.CTA, brief=_own(brief, workspace),
        campaign_id=campaign_id, request=_kept(request),
    )  # fmt: skip


def alt_text(
    *,
    workspace: Workspace,
    actor: User | None,
    file_name: str = "",
    caption: str = "",
    around: str = "",
    language: str = "",
    earlier: Iterable[str] = (),
    brief: Brief | None = None,
    campaign_id: UUID | None = None,
) -> Generation:
    """Ask for an alternative text; it arrives in `result.text`. Nobody looks at the picture: only words go along.

    Args:
        file_name: how the picture's file is called.
        caption: what stands under it, or its alternative text so far.
        around: the text that it stands in.

    Raises:
        Invalid: there is nothing to go by.
        Blocked, Unavailable: as `request_drafts`.
    """
    if not (file_name.strip() or caption.strip() or around.strip()):
        detail = "Give the file’s name, a caption or the text around it."
        raise Invalid(detail, errors=[FieldError("file_name", "required", detail)])
    request: dict[str, Any] = {"file_name": file_name[:200], "caption": caption[:300]}
    request |= {"around": around[:LONGEST_SURROUNDINGS], "language": language[:20]}
    request["earlier"] = [str(one)[:300] for one in earlier][-MOST_EARLIER:]
    return enqueue(
        workspace=workspace, actor=actor, kind=Generation.Kind.ALT_TEXT, brief=_own(brief, workspace),
        campaign_id=campaign_id, request=_kept(request),
    )  # fmt: skip


def _own(brief: Brief | None, workspace: Workspace) -> Brief | None:
    if brief is not None and brief.workspace_id != workspace.pk:
        raise NotFound
    return brief


def _kept(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said; empty values are left out."""
    return {name: value for name, value in request.items() if value}

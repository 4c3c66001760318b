"""From one sentence to a proposed brief; nothing of it is used before a person accepts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from aiwriter.models import Generation
from aiwriter.services.briefs import create_brief
from aiwriter.services.generations import enqueue

if TYPE_CHECKING:
    from accounts.models import User, Workspace


@transaction.atomic
def propose_brief(*, workspace: Workspace, actor: User | None, goal: str, brand_voice: Any = None) -> Generation:
    """Ask for the other fields of a brief; they arrive in `result.proposed`, what was held back in `result.left_out`.

    Args:
        goal: the sentence.
        brand_voice: a voice by id, so that the tone may fit it.

    Raises:
        Invalid: there is no sentence, or it is too long.
        Blocked, Unavailable: as `request_drafts`.
    """
    brief = create_brief(workspace=workspace, fields={"goal": goal, "brand_voice": brand_voice})
    return enqueue(workspace=workspace, actor=actor, kind=Generation.Kind.BRIEF, brief=brief)

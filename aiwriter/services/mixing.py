"""Making a draft of parts: mixing several, writing one part anew, and bringing the part before back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts import activity
from aiwriter.agents.parts import WRITTEN_BLOCKS, check_again, part_of, put_part, writer_remarks
from aiwriter.models import Draft, Generation
from aiwriter.services.generations import enqueue
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User

#: A card has one letter, from A to H.
MOST_DRAFTS = 8
MOST_BLOCKS = 40
LONGEST_WISH = 300
_DECIDED = (Draft.Status.ACCEPTED, Draft.Status.EDITED)


@transaction.atomic
def mix_drafts(
    *, generation: Generation, subject: UUID, preview_text: UUID, blocks: Sequence[Mapping[str, Any]],
    actor: User | None,
) -> Draft:  # fmt: skip
    """Make a new draft of parts of others of the same generation, and check it as every draft is.

    Args:
        subject: the draft whose subject is taken.
        preview_text: the draft whose preview text is taken.
        blocks: `{draft, block}` for each block from top to bottom, `block` by its id.

    Raises:
        Invalid: a part does not exist, there is none, or there are too many.
        WrongState: the generation has not succeeded.
    """
    generation = Generation.objects.for_workspace(generation.workspace_id).select_for_update().get(pk=generation.pk)
    if generation.status != Generation.Status.SUCCEEDED:
        raise WrongState("Drafts can be mixed when all of them are written.")
    drafts = {draft.pk: draft for draft in generation.drafts.all()}
    if len(drafts) >= MOST_DRAFTS:
        raise _refused("blocks", "too_many", f"A set has at most {MOST_DRAFTS} drafts.")
    if not 1 <= len(blocks) <= MOST_BLOCKS:
        raise _refused("blocks", "out_of_range", f"Choose 1 to {MOST_BLOCKS} blocks.")
    chosen = [(_from(drafts, choice["draft"], f"blocks.{index}"), choice) for index, choice in enumerate(blocks)]
    heads = {"subject": _from(drafts, subject, "subject"), "preview_text": _from(drafts, preview_text, "preview_text")}
    position = max(draft.position for draft in drafts.values()) + 1
    parts: dict[UUID, list[str]] = {}
    for name, draft in heads.items():
        parts.setdefault(draft.pk, []).append(name)
    taken: list[dict[str, Any]] = []
    for index, (draft, choice) in enumerate(chosen):
        block = part_of(draft, str(choice["block"]))
        if not isinstance(block, dict):
            raise _refused(f"blocks.{index}", "does_not_exist", f"Draft {draft.letter} has no such block.")
        taken.append({**block, "id": f"{chr(ord('a') + position)}{index + 1}"})
        parts.setdefault(draft.pk, []).append(str(choice["block"]))
    sources = [drafts[pk] for pk in parts]
    mixed = Draft(
        workspace_id=generation.workspace_id,
        generation=generation,
        position=position,
        angle=f"Mix of {_listed([draft.letter for draft in sorted(sources, key=lambda each: each.position)])}",
        subject=heads["subject"].subject,
        preview_text=heads["preview_text"].preview_text,
        blocks=taken,
        is_ai_generated=any(draft.is_ai_generated for draft in sources),
        made_from=[{"draft": str(pk), "parts": names} for pk, names in parts.items()],
        guardrails={"findings": list(writer_remarks(*sources))},
    )
    check_again(mixed)
    mixed.save()
    activity.record(
        workspace=generation.workspace, kind="draft.mixed", summary=f"Mixed drafts into “{mixed.subject[:120]}”.",
        actor=actor, subject=mixed, made_from=[str(pk) for pk in parts],
    )  # fmt: skip
    return mixed


def regenerate_part(*, draft: Draft, part: str, wish: str = "", actor: User | None) -> Generation:
    """Ask for one part of a draft anew; the worker puts it in and keeps the part before.

    Args:
        part: `subject`, `preview_text`, or the id of a block.
        wish: what should be different, in a person's words.

    Raises:
        Invalid: there is no such part, or it has no words.
        WrongState: the draft was taken over; there it is edited by hand.
        Blocked, Unavailable: as `request_drafts`.
    """
    _refuse_decided(draft)
    current = part_of(draft, part)
    if current is None or (isinstance(current, dict) and current.get("type") not in WRITTEN_BLOCKS):
        raise _refused("part", "does_not_exist", "The draft has no such part to write.")
    request = {"draft": str(draft.pk), "part": part, "wish": " ".join(wish.split())[:LONGEST_WISH]}
    generation = draft.generation
    return enqueue(
        workspace=draft.workspace,
        actor=actor,
        kind=Generation.Kind.PART,
        brief=generation.brief,
        campaign_id=generation.campaign_id,
        request={name: value for name, value in request.items() if value},
    )


@transaction.atomic
def restore_part(*, draft: Draft, actor: User | None) -> Draft:
    """Bring back what stood in a draft before its last part was written anew.

    Raises:
        WrongState: nothing was, or the draft was taken over.
    """
    rows = Draft.objects.for_workspace(draft.workspace_id).select_related("generation__brief", "generation__workspace")
    draft = rows.select_for_update(of=("self",)).get(pk=draft.pk)
    _refuse_decided(draft)
    last = next((entry for entry in reversed(draft.made_from) if "generation" in entry), None)
    wrote = last and Generation.objects.for_workspace(draft.workspace_id).filter(pk=last["generation"]).first()
    if last is None or not wrote:
        raise WrongState("No part of this draft was written anew.")
    draft.made_from = [entry for entry in draft.made_from if entry is not last]
    put_part(draft, last["parts"][0], wrote.result["before"])
    draft.save(update_fields=["subject", "preview_text", "blocks", "guardrails", "voice", "made_from", "updated_at"])
    activity.record(
        workspace=draft.workspace, kind="draft.part_restored", summary="Brought back a part of a draft.", actor=actor,
        subject=draft, part=last["parts"][0],
    )  # fmt: skip
    return draft


def _refuse_decided(draft: Draft) -> None:
    if draft.status in _DECIDED:
        raise WrongState("This draft is in the editor already; change it there.")


def _from(drafts: Mapping[UUID, Draft], draft_id: Any, field: str) -> Draft:
    try:
        return drafts[UUID(str(draft_id))]
    except (KeyError, ValueError) as error:
        raise _refused(field, "does_not_exist", "There is no such draft in this set.") from error


def _refused(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])


def _listed(letters: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(letters[:-1]), letters[-1])))

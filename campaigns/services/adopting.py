"""Taking over what the AI writer proposed, and asking it for more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts import activity
from accounts.models import User, Workspace
from aiwriter.guardrails.tags import STANDARD_TAGS
from aiwriter.models import Draft, Generation
from aiwriter.services.briefs import MOST_TAGS, create_brief
from aiwriter.services.drafts import accept_draft
from aiwriter.services.generations import request_drafts
from audiences.selectors import known_merge_tags
from campaigns.models import Campaign, Variant
from campaigns.services.composing import FIRST_LABEL, update_campaign
from campaigns.services.editing import lock_for_edit
from pulsequill.core.errors import NotFound


@transaction.atomic
def adopt_draft(
    *,
    campaign: Campaign,
    draft: Draft,
    actor: User | None,
    label: str = FIRST_LABEL,
    expected_revision: int | None = None,
    override: bool = False,
) -> Campaign:
    """Put a draft's subject, preview text and blocks into a variant, and mark the draft accepted.

    Raises:
        NotFound: the draft is another workspace's.
        WrongState, Stale: the campaign cannot be edited, or was changed since.
        Invalid: the draft's blocks are not valid.
        Blocked: guardrails found what cannot be proved, and `override` is not set.
    """
    if draft.workspace_id != campaign.workspace_id:
        raise NotFound
    content = {
        "label": label,
        "subject": draft.subject,
        "preview_text": draft.preview_text,
        "format": Variant.Format.BLOCKS,
        "body": draft.blocks,
        "draft": draft,
    }
    changed = update_campaign(
        campaign=campaign, actor=actor, changes={"variants": [content]}, expected_revision=expected_revision,
        note="Adopted a draft",
    )  # fmt: skip
    accept_draft(draft=draft, actor=actor, override=override)
    activity.record(
        workspace=campaign.workspace, actor=actor, kind="campaign.draft_adopted",
        summary=f"Adopted “{draft.subject[:120]}” for {campaign.name[:100]}.", subject=campaign, draft=str(draft.pk),
    )  # fmt: skip
    return changed


@transaction.atomic
def write_angles(*, campaign: Campaign, actor: User | None, brief_fields: Mapping[str, Any]) -> Generation:
    """Ask the AI writer for drafts of a campaign; a brief that changed is kept as a new one, so old drafts keep theirs.

    Raises:
        Invalid: the brief is not valid.
        WrongState: the campaign cannot be edited any more.
    """
    row = lock_for_edit(campaign, None)
    brief = save_brief(campaign=row, actor=actor, fields=brief_fields).brief
    assert brief is not None
    return request_drafts(workspace=campaign.workspace, actor=actor, brief=brief, campaign_id=campaign.pk)


@transaction.atomic
def save_brief(*, campaign: Campaign, actor: User | None, fields: Mapping[str, Any]) -> Campaign:
    """Keep what a campaign should say. An unchanged brief stays the row it is.

    Whatever the workspace knows about its contacts may be used as a merge tag, so nobody has to list custom fields.

    Raises:
        Invalid: the brief is not valid.
        WrongState: the campaign cannot be edited any more.
    """
    row = lock_for_edit(campaign, None)
    current = row.brief
    kept = {} if current is None else {name: getattr(current, name) for name in BRIEF_FIELDS}
    kept["brand_voice"] = str(kept["brand_voice"].pk) if kept.get("brand_voice") else ""
    wanted = {**kept, **fields}
    wanted["brand_voice"] = str(getattr(wanted["brand_voice"], "pk", wanted["brand_voice"]) or "")
    wanted["allowed_tags"] = allowed_tags(campaign.workspace, wanted.get("allowed_tags", ()))
    if wanted == kept:
        return row
    brief = create_brief(workspace=campaign.workspace, fields=wanted)
    return update_campaign(campaign=row, actor=actor, changes={"brief": brief})


#: What a new version of a brief takes over from the one before.
BRIEF_FIELDS = (
    "goal", "audience", "offer", "facts", "cta_label", "cta_url", "allowed_links", "allowed_tags", "tone", "length",
    "language", "must_say", "must_not_say", "complexity", "brand_voice", "angles",
)  # fmt: skip


def allowed_tags(workspace: Workspace, named: Iterable[str]) -> list[str]:
    """Return the merge tags that a brief may use: the workspace's own fields first, then those that were named."""
    own = [key for key in known_merge_tags(workspace) if key not in STANDARD_TAGS]
    return [*own, *(tag for tag in named if tag not in own)][:MOST_TAGS]

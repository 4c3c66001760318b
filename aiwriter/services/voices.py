"""How the brand sounds: every save is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from accounts import activity
from aiwriter.models import BrandVoice
from aiwriter.services.briefs import one_line, text_list
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

VOICE_LISTS = ("traits", "do_words", "dont_words", "style_rules", "banned_phrases")
FORMALITIES = ("", "casual", "neutral", "formal")


def clean_profile(profile: Any) -> dict[str, Any]:
    """Return a voice profile with known parts only.

    Raises:
        Invalid: a part is not what it should be.
    """
    if not isinstance(profile, Mapping):
        raise Invalid("The profile is an object.", errors=[FieldError("profile", "not_an_object", "Use an object.")])
    errors = [
        FieldError(f"profile.{name}", "unknown_field", "A profile has no such part.")
        for name in sorted(set(profile) - {*VOICE_LISTS, "formality"})
    ]
    clean: dict[str, Any] = {}
    for name in VOICE_LISTS:
        clean[name] = text_list(f"profile.{name}", profile.get(name, []), errors)
    clean["formality"] = profile.get("formality") or ""
    if clean["formality"] not in FORMALITIES:
        errors.append(FieldError("profile.formality", "not_a_choice", "One of casual, neutral, formal."))
    if errors:
        raise Invalid("The brand voice is not valid.", errors=errors)
    return clean


@transaction.atomic
def save_brand_voice(
    *,
    workspace: Workspace,
    actor: User | None,
    name: str,
    profile: Any,
    status: str = "",
    voice: BrandVoice | None = None,
) -> BrandVoice:
    """Store a brand voice: a new one, or the next version of `voice`. Old versions stay, drafts refer to them.

    Raises:
        Invalid: no name, a taken name, or a wrong profile.
        WrongState: the voice is locked.
    """
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise Invalid("Give the voice a name.", errors=[FieldError("name", "required", "1 to 120 characters.")])
    chosen = status or (voice.status if voice else BrandVoice.Status.ACTIVE)
    if chosen not in BrandVoice.Status.values:
        raise Invalid("No such status.", errors=[FieldError("status", "not_a_choice", "proposed, active or locked.")])
    clean = clean_profile(profile)
    versions = BrandVoice.objects.for_workspace(workspace).select_for_update()
    if voice is None or voice.name != name:
        if versions.filter(name=name).exists():
            text = "There is a voice of this name already."
            raise Invalid(text, errors=[FieldError("name", "taken", text)])
    elif voice.status == BrandVoice.Status.LOCKED and status in ("", BrandVoice.Status.LOCKED):
        raise WrongState("This voice is locked. Unlock it first.")
    if voice is not None and voice.name != name:
        versions.filter(name=voice.name).update(name=name)
    newest = versions.filter(name=name).aggregate(newest=Max("version"))["newest"] or 0
    saved = BrandVoice.objects.create(workspace=workspace, name=name, profile=clean, status=chosen, version=newest + 1)
    activity.record(
        workspace=workspace, kind="brand_voice.saved", summary=f"Saved the brand voice “{name}”.", actor=actor,
        subject=saved,
    )  # fmt: skip
    return saved


@transaction.atomic
def delete_brand_voice(*, voice: BrandVoice, actor: User | None) -> None:
    """Delete a brand voice with all its versions.

    Raises:
        WrongState: the voice is locked.
    """
    if voice.status == BrandVoice.Status.LOCKED:
        raise WrongState("This voice is locked. Unlock it first.")
    activity.record(
        workspace=voice.workspace, kind="brand_voice.deleted", summary=f"Deleted the brand voice “{voice.name}”.",
        actor=actor, subject=voice,
    )  # fmt: skip
    BrandVoice.objects.for_workspace(voice.workspace_id).filter(name=voice.name).delete()

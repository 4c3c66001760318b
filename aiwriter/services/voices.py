"""How the brand sounds: every save is a new version, a proposal waits for a person, a locked voice stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from accounts import activity
from aiwriter.models import BrandVoice
from aiwriter.services.briefs import one_line, text_list
from aiwriter.voice.cleaning import without_invisible
from aiwriter.voice.profile import FORMALITIES, VOICE_LISTS, Trait, stored_trait
from aiwriter.voice.versions import in_force
from pulsequill.core.errors import FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

Status = BrandVoice.Status
MOST_TRAITS = 20
LONGEST_TRAIT = 120


def clean_profile(profile: Any) -> dict[str, Any]:
    """Return a voice profile with known parts only.

    A trait is a text, or {"is": …, "is_not": …}; each stays as it came.

    Raises:
        Invalid: a part is not what it should be.
    """
    if not isinstance(profile, Mapping):
        raise Invalid("The profile is an object.", errors=[FieldError("profile", "not_an_object", "Use an object.")])
    errors = [
        FieldError(f"profile.{name}", "unknown_field", "A profile has no such part.")
        for name in sorted(set(profile) - {*VOICE_LISTS, "formality"}, key=str)
    ]
    clean: dict[str, Any] = {"traits": _traits(profile.get("traits", []), errors)}
    for name in VOICE_LISTS[1:]:
        clean[name] = text_list(f"profile.{name}", profile.get(name, []), errors)
    clean["formality"] = profile.get("formality") or ""
    if clean["formality"] not in FORMALITIES:
        errors.append(FieldError("profile.formality", "not_a_choice", "One of casual, neutral, formal."))
    if errors:
        raise Invalid("The brand voice is not valid.", errors=errors)
    return clean


def _traits(given: Any, errors: list[FieldError]) -> list[Any]:
    if not isinstance(given, list | tuple) or len(given) > MOST_TRAITS:
        errors.append(FieldError("profile.traits", "not_a_list", f"A list of at most {MOST_TRAITS} traits."))
        return []
    traits = []
    for index, item in enumerate(given):
        pair = item if isinstance(item, Mapping) else {"is": item}
        if set(pair) - {"is", "is_not"} or not all(
            isinstance(text, str) and len(text) <= LONGEST_TRAIT for text in pair.values()
        ):
            text = f"A text of at most {LONGEST_TRAIT} characters, or an object of “is” and “is_not”."
            errors.append(FieldError(f"profile.traits.{index}", "not_a_trait", text))
        elif is_so := one_line(without_invisible(str(pair.get("is", "")))):
            traits.append(stored_trait(Trait(is_so, one_line(without_invisible(str(pair.get("is_not", "")))))))
    return traits


@transaction.atomic
def save_brand_voice(
    *,
    workspace: Workspace,
    actor: User | None,
    name: str,
    profile: Any,
    status: str = "",
    voice: BrandVoice | None = None,
    note: str = "",
) -> BrandVoice:
    """Store a brand voice: a new one, or the next version of `voice`. Old versions stay, drafts refer to them.

    Args:
        note: how this version came to be; what it was learned from passes on from `voice`.

    Raises:
        Invalid: no name, a taken name, or a wrong profile.
        WrongState: the voice is locked.
    """
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise Invalid("Give the voice a name.", errors=[FieldError("name", "required", "1 to 120 characters.")])
    chosen = status or (voice.status if voice else Status.ACTIVE)
    if chosen not in Status.values:
        raise Invalid("No such status.", errors=[FieldError("status", "not_a_choice", "proposed, active or locked.")])
    clean = clean_profile(profile)
    versions = BrandVoice.objects.for_workspace(workspace).select_for_update()
    if voice is None or voice.name != name:
        if versions.filter(name=name).exists():
            text = "There is a voice of this name already."
            raise Invalid(text, errors=[FieldError("name", "taken", text)])
    elif not (status == Status.ACTIVE and voice.status == Status.LOCKED):
        _refuse_locked(voice)
    if voice is not None and voice.name != name:
        _refuse_locked(voice)
        versions.filter(name=voice.name).update(name=name)
    newest = versions.filter(name=name).aggregate(newest=Max("version"))["newest"] or 0
    saved = BrandVoice.objects.create(
        workspace=workspace, name=name, profile=clean, status=chosen, version=newest + 1, note=note[:120],
        saved_by=actor, evidence=voice.evidence if voice else {}, measured=voice.measured if voice else {},
    )  # fmt: skip
    if voice is not None:
        saved.samples.set(voice.samples.all())
    _note("saved", f"Saved the brand voice “{name}”.", saved, actor)
    return saved


@transaction.atomic
def accept_brand_voice(*, voice: BrandVoice, actor: User) -> BrandVoice:
    """Stand behind a proposal as it is; drafts may be written with it from now on.

    Raises:
        WrongState: it is no proposal, or the voice that it would replace is locked.
    """
    voice = _proposal(voice)
    _refuse_locked(voice)
    voice.status, voice.saved_by = Status.ACTIVE, actor
    voice.save(update_fields=["status", "saved_by", "updated_at"])
    _note("accepted", f"Accepted the brand voice “{voice.name}”, version {voice.version}.", voice, actor)
    return voice


@transaction.atomic
def discard_brand_voice(*, voice: BrandVoice, actor: User | None) -> None:
    """Throw a proposal away; what is in force stays.

    Raises:
        WrongState: it is no proposal.
    """
    voice = _proposal(voice)
    _note("discarded", f"Discarded a proposal for the brand voice “{voice.name}”.", voice, actor)
    voice.delete()


@transaction.atomic
def lock_brand_voice(*, voice: BrandVoice, actor: User | None, is_locked: bool) -> BrandVoice:
    """Lock the version in force against changes, or open it again. Doing it twice changes nothing.

    Raises:
        WrongState: nobody has accepted a version yet.
    """
    current = in_force(voice)
    if current is None:
        raise WrongState("Accept the proposal first.")
    wanted = Status.LOCKED if is_locked else Status.ACTIVE
    if current.status != wanted:
        current.status = wanted
        current.save(update_fields=["status", "updated_at"])
        verb = "locked" if is_locked else "unlocked"
        _note(verb, f"{verb.capitalize()} the brand voice “{voice.name}”.", current, actor)
    return current


def restore_brand_voice(*, version: BrandVoice, actor: User | None) -> BrandVoice:
    """Make an old version the newest again, as a version of its own.

    Raises:
        WrongState: the voice is locked.
    """
    _refuse_locked(version)
    return save_brand_voice(
        workspace=version.workspace, actor=actor, name=version.name, profile=version.profile, status=Status.ACTIVE,
        voice=version, note=f"Restored version {version.version}",
    )  # fmt: skip


@transaction.atomic
def delete_brand_voice(*, voice: BrandVoice, actor: User | None) -> None:
    """Delete a brand voice with all its versions.

    Raises:
        WrongState: the voice is locked.
    """
    _refuse_locked(voice)
    _note("deleted", f"Deleted the brand voice “{voice.name}”.", voice, actor)
    BrandVoice.objects.for_workspace(voice.workspace_id).filter(name=voice.name).delete()


def _proposal(voice: BrandVoice) -> BrandVoice:
    row = BrandVoice.objects.for_workspace(voice.workspace_id).select_for_update().filter(pk=voice.pk).first()
    if row is None or row.status != Status.PROPOSED:
        raise WrongState("This is no proposal any more.")
    return row


def _refuse_locked(voice: BrandVoice) -> None:
    current = in_force(voice)
    if current is not None and current.status == Status.LOCKED:
        raise WrongState("This voice is locked. Unlock it first.")


def _note(verb: str, summary: str, voice: BrandVoice, actor: User | None) -> None:
    activity.record(workspace=voice.workspace, kind=f"brand_voice.{verb}", summary=summary, actor=actor, subject=voice)

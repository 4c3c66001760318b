"""What may be asked of the AI writer: the only writes that pages, `/v1` and later apps call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts import activity
from aiwriter.agents import running
from aiwriter.gateway import budget as money
from aiwriter.gateway.client import providers_from_settings
from aiwriter.models import BrandVoice, Brief, Budget, Draft, Generation
from aiwriter.selectors import get_budget
from aiwriter.tasks import remember_draft, run_generation
from pulsequill.core.errors import Blocked, FieldError, Invalid, NotFound, Unavailable, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: Fields of a brief that callers may set; the lists hold texts.
BRIEF_TEXTS = ("goal", "audience", "offer", "cta_label", "cta_url", "tone", "length", "language", "complexity")
BRIEF_LISTS = ("facts", "allowed_links", "allowed_tags", "must_say", "must_not_say")
MOST_ITEMS = 50
#: Every custom field of a workspace is one.
MOST_TAGS = 200
LONGEST_ITEM = 500
MOST_ANGLES = 3
MOST_UNFINISHED = 10
LONGEST_PASSAGE = 10_000
INSTRUCTIONS = (
    "shorten", "expand", "punchier", "plainer", "friendlier", "more_formal", "fix_grammar", "translate", "another_try",
)  # fmt: skip


# --- briefs ----------------------------------------------------------------------------------------------------------
def create_brief(*, workspace: Workspace, fields: Mapping[str, Any]) -> Brief:
    """Store a brief; one sentence in `goal` is enough.

    Raises:
        Invalid: a field is wrong; `errors` says which.
    """
    unknown = set(fields) - {*BRIEF_TEXTS, *BRIEF_LISTS, "brand_voice", "angles"}
    errors = [FieldError(name, "unknown_field", "A brief has no such field.") for name in sorted(unknown)]
    values: dict[str, Any] = {}
    for name in BRIEF_TEXTS:
        if name in fields:
            values[name] = _one_line(fields[name]) if name != "goal" else str(fields[name] or "").strip()
    for name in BRIEF_LISTS:
        if name in fields:
            values[name] = _texts(name, fields[name], errors)
    values["angles"] = fields.get("angles", MOST_ANGLES) or MOST_ANGLES
    if not isinstance(values["angles"], int) or not 1 <= values["angles"] <= MOST_ANGLES:
        errors.append(FieldError("angles", "out_of_range", f"1 to {MOST_ANGLES} angles."))
        values["angles"] = MOST_ANGLES
    values["brand_voice"] = _brand_voice(workspace, fields.get("brand_voice"), errors)
    brief = Brief(workspace=workspace, **{k: v for k, v in values.items() if v != "" or k == "goal"})
    try:
        brief.full_clean(exclude=["workspace", "brand_voice"], validate_unique=False)
    except ValidationError as error:
        errors += [
            FieldError(name, problem.code or "invalid", " ".join(problem.messages))
            for name, problems in error.error_dict.items()
            for problem in problems
        ]
    if errors:
        raise Invalid("The brief is not valid.", errors=errors)
    brief.save()
    return brief


def _one_line(value: Any) -> str:
    return " ".join(str(value or "").split())


def _texts(name: str, value: Any, errors: list[FieldError]) -> list[str]:
    most = MOST_TAGS if name == "allowed_tags" else MOST_ITEMS
    if not isinstance(value, list | tuple) or len(value) > most:
        errors.append(FieldError(name, "not_a_list", f"A list of at most {most} texts."))
        return []
    texts = []
    for index, item in enumerate(value):
        if not isinstance(item, str) or len(item) > LONGEST_ITEM:
            errors.append(FieldError(f"{name}.{index}", "not_text", f"A text of at most {LONGEST_ITEM} characters."))
        elif text := _one_line(item):
            texts.append(text)
    return texts


def _brand_voice(workspace: Workspace, chosen: Any, errors: list[FieldError]) -> BrandVoice | None:
    if not chosen:
        return None
    pk = chosen.pk if isinstance(chosen, BrandVoice) else chosen
    try:
        voice = BrandVoice.objects.for_workspace(workspace).filter(pk=pk).first()
    except (ValidationError, ValueError):
        voice = None
    if voice is None:
        errors.append(FieldError("brand_voice", "does_not_exist", "There is no such brand voice."))
    return voice


# --- generations -----------------------------------------------------------------------------------------------------
def request_drafts(
    *,
    workspace: Workspace,
    actor: User | None,
    brief: Brief | Mapping[str, Any],
    campaign_id: UUID | None = None,
    model: str = "",
) -> Generation:
    """Ask for the drafts of a brief; a worker writes them after the commit.

    Args:
        brief: a stored brief, or the fields of a new one.
        campaign_id: the campaign that they are for.
        model: a model of the catalogue by name; empty leaves the choice to the router.

    Raises:
        Invalid: the brief is not valid.
        Blocked: `budget_exceeded`, or too many drafts are being written already.
        Unavailable: `ai_not_configured`, no provider is set up and templates are forbidden.
    """  # fmt: skip
    with transaction.atomic():
        if not isinstance(brief, Brief):
            brief = create_brief(workspace=workspace, fields=brief)
        elif brief.workspace_id != workspace.pk:
            raise NotFound
        return _enqueue(
            workspace=workspace, actor=actor, kind=Generation.Kind.DRAFTS, brief=brief, campaign_id=campaign_id,
            request={"model": model} if model else {},
        )  # fmt: skip


def subject_lines(
    *, workspace: Workspace, actor: User | None, brief: Brief | Mapping[str, Any], count: int = 10
) -> Generation:
    """Ask for subject lines of a brief; they arrive in `result.lines`. Raises like `request_drafts`."""
    if not 1 <= count <= 20:
        raise Invalid("1 to 20 lines.", errors=[FieldError("count", "out_of_range", "1 to 20 lines.")])
    with transaction.atomic():
        if not isinstance(brief, Brief):
            brief = create_brief(workspace=workspace, fields=brief)
        elif brief.workspace_id != workspace.pk:
            raise NotFound
        return _enqueue(
            workspace=workspace, actor=actor, kind=Generation.Kind.SUBJECT_LINES, brief=brief, request={"count": count}
        )


def rewrite(
    *, workspace: Workspace, actor: User | None, text: str, instruction: str, language: str = "", wish: str = ""
) -> Generation:
    """Ask for an edit of one passage; it arrives in `result.text`.

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
    if errors:
        raise Invalid("The request is not valid.", errors=errors)
    request = {"text": text, "instruction": instruction, "language": language[:20], "wish": wish[:300]}
    kept = {name: value for name, value in request.items() if value}
    return _enqueue(workspace=workspace, actor=actor, kind=Generation.Kind.REWRITE, request=kept)


@transaction.atomic
def _enqueue(
    *, workspace: Workspace, actor: User | None, kind: Generation.Kind, brief: Brief | None = None,
    campaign_id: UUID | None = None, request: dict[str, Any] | None = None,
) -> Generation:  # fmt: skip
    has_provider = bool(providers_from_settings())
    if not has_provider and settings.AI_OFFLINE != "allow":
        raise Unavailable("No AI provider is set up.", code="ai_not_configured", retry_after_s=3600)
    Budget.objects.for_workspace(workspace).select_for_update().get(pk=get_budget(workspace).pk)
    if has_provider and money.get_state(workspace.pk).is_exceeded:
        raise Blocked("The AI budget of this month is used up.", code="budget_exceeded")
    unfinished = Generation.objects.for_workspace(workspace).filter(status__in=running.UNFINISHED)
    if unfinished.count() >= MOST_UNFINISHED:
        raise Blocked(
            f"{MOST_UNFINISHED} are being written already; wait for one to finish.", code="too_many_generations"
        )
    generation = Generation.objects.create(
        workspace=workspace, created_by=actor, kind=kind, brief=brief, campaign_id=campaign_id, request=request or {}
    )
    run_generation.delay_on_commit(generation_id=str(generation.pk))
    return generation


def cancel_generation(*, generation: Generation, actor: User | None) -> Generation:
    """Stop a generation: at once in the queue, within a moment while it is written.

    Raises:
        WrongState: it is finished already.
    """
    rows = Generation.objects.for_workspace(generation.workspace_id).filter(pk=generation.pk)
    if not rows.filter(status__in=running.UNFINISHED).update(is_cancel_requested=True, updated_at=timezone.now()):
        raise WrongState("It is finished already.")
    running.end_unclaimed(generation, Generation.Status.CANCELLED)
    activity.record(
        workspace=generation.workspace, kind="generation.cancelled", summary="Stopped the AI writer.", actor=actor,
        subject=generation,
    )  # fmt: skip
    generation.refresh_from_db()
    return generation


# --- drafts ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def accept_draft(*, draft: Draft, actor: User | None, override: bool = False) -> Draft:
    """Accept a draft; it becomes an example for later ones. Accepting it again changes nothing.

    Args:
        override: accept although a check blocks; a named person must answer for it, and it is recorded.

    Raises:
        Blocked: a check blocks the draft; `findings` says why.
    """
    draft = Draft.objects.for_workspace(draft.workspace_id).select_for_update().get(pk=draft.pk)
    if draft.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        return draft
    blocking = [f for f in draft.guardrails.get("findings", ()) if f["severity"] == "block"]
    if blocking and not (override and actor is not None):
        raise Blocked(blocking[0]["message"], code="guardrails", findings=blocking)
    _decide(draft, Draft.Status.ACCEPTED, actor)
    activity.record(
        workspace=draft.workspace, kind="draft.accepted", summary=f"Accepted the draft “{draft.subject[:120]}”.",
        actor=actor, subject=draft, overridden=[finding["code"] for finding in blocking],
    )  # fmt: skip
    remember_draft.delay_on_commit(draft_id=str(draft.pk))
    return draft


@transaction.atomic
def reject_draft(*, draft: Draft, actor: User | None) -> Draft:
    """Say that a draft is not wanted.

    Raises:
        WrongState: it was accepted already.
    """
    draft = Draft.objects.for_workspace(draft.workspace_id).select_for_update().get(pk=draft.pk)
    if draft.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        raise WrongState("The draft was accepted already.")
    if draft.status != Draft.Status.REJECTED:
        _decide(draft, Draft.Status.REJECTED, actor)
        activity.record(
            workspace=draft.workspace, kind="draft.rejected", summary=f"Rejected the draft “{draft.subject[:120]}”.",
            actor=actor, subject=draft,
        )  # fmt: skip
    return draft


def _decide(draft: Draft, status: Draft.Status, actor: User | None) -> None:
    draft.status, draft.decided_by, draft.decided_at = status, actor, timezone.now()
    draft.save(update_fields=["status", "decided_by", "decided_at", "updated_at"])


# --- brand voices and budget -----------------------------------------------------------------------------------------
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
        clean[name] = _texts(f"profile.{name}", profile.get(name, []), errors)
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
    name = _one_line(name)
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


def set_budget(*, workspace: Workspace, actor: User | None, cap_micro_usd: int, warn_percent: int) -> Budget:
    """Set what a workspace may spend in a month.

    Raises:
        Invalid: a negative cap, or a warning outside 1 to 100 per cent.
    """
    if not 0 <= cap_micro_usd <= 10**12 or not 1 <= warn_percent <= 100:
        raise Invalid("The budget is not valid.", errors=[FieldError("cap", "out_of_range", "0 or more.")])
    budget = get_budget(workspace)
    budget.monthly_cap_micro_usd, budget.warn_percent = cap_micro_usd, warn_percent
    budget.save(update_fields=["monthly_cap_micro_usd", "warn_percent", "updated_at"])
    activity.record(
        workspace=workspace, kind="ai_budget.changed", actor=actor,
        summary=f"Set the AI budget to ${cap_micro_usd / 1_000_000:.2f} a month.",
    )  # fmt: skip
    return budget

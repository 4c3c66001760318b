"""Briefs: what drafts are written from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from aiwriter.models import BrandVoice, Brief
from pulsequill.core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import Workspace

#: Fields of a brief that callers may set; the lists hold texts.
BRIEF_TEXTS = ("goal", "audience", "offer", "cta_label", "cta_url", "tone", "length", "language", "complexity")
BRIEF_LISTS = ("facts", "allowed_links", "allowed_tags", "must_say", "must_not_say")
MOST_ITEMS = 50
#: Every custom field of a workspace is one.
MOST_TAGS = 200
LONGEST_ITEM = 500
MOST_ANGLES = 3


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
            values[name] = one_line(fields[name]) if name != "goal" else str(fields[name] or "").strip()
    for name in BRIEF_LISTS:
        if name in fields:
            values[name] = text_list(name, fields[name], errors)
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


def one_line(value: Any) -> str:
    """Return a text with every run of white space as one space."""
    return " ".join(str(value or "").split())


def text_list(name: str, value: Any, errors: list[FieldError]) -> list[str]:
    """Return a list of short texts on one line each; what is wrong with them is added to `errors`."""
    most = MOST_TAGS if name == "allowed_tags" else MOST_ITEMS
    if not isinstance(value, list | tuple) or len(value) > most:
        errors.append(FieldError(name, "not_a_list", f"A list of at most {most} texts."))
        return []
    texts = []
    for index, item in enumerate(value):
        if not isinstance(item, str) or len(item) > LONGEST_ITEM:
            errors.append(FieldError(f"{name}.{index}", "not_text", f"A text of at most {LONGEST_ITEM} characters."))
        elif text := one_line(item):
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
    elif not voice.is_in_force:
        errors.append(FieldError("brand_voice", "not_accepted", "This voice is a proposal: a person accepts it first."))
    return voice

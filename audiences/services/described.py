"""A segment from plain words: rules are proposed and shown, and never saved or used here."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from aiwriter.models import Generation
from aiwriter.services.segments import ask_for_rules, can_ask_for_rules
from audiences.models import Contact
from audiences.segmentation import BUILT_IN_FIELDS, campaign_names, fields_of
from audiences.segmentation.answered import grammar_for_model, rules_of_answer
from audiences.segmentation.plain_words import Understood, Vocabulary, read_sentence
from audiences.selectors import count_rules, describe_many, list_names
from audiences.services.segments import check_rules
from pulsequill.core.errors import DomainError, FieldError, Invalid

if TYPE_CHECKING:
    from datetime import date

    from accounts.models import User

LONGEST_SENTENCE = 500
#: How often a waiting request looks whether the model has answered.
LOOK_EVERY_S = 0.15
_ADDRESS = re.compile(r"[^\s@,;()<>\"]+@[\w.-]+\.\w+")


@dataclass(frozen=True)
class Proposal:
    """Rules for a person to look at.

    Attributes:
        not_understood: words of the sentence that the rules leave out.
        generation: the model's run that they come from; None when rules of grammar were enough.
        remark: why a model could not help with the words that are left.
    """

    rules: dict[str, Any]
    not_understood: tuple[str, ...] = ()
    generation: Generation | None = None
    remark: str = ""


def in_words(proposal: Proposal, workspace: Workspace) -> dict[str, Any]:
    """Return a proposal as `/v1` and the builder show it: rules, each in words, and how many they reach now."""
    rules = proposal.rules
    parts = rules.get("all") or rules.get("any") or [rules]
    sentence, *conditions = describe_many([rules, *parts], workspace_id=workspace.pk)
    explanation = f"{sentence[:1].upper()}{sentence[1:]}."
    if proposal.not_understood:
        explanation += f" I did not understand: {', '.join(f'“{words}”' for words in proposal.not_understood)}."
    count = count_rules(rules, workspace_id=workspace.pk)
    is_ai = proposal.generation is not None
    return {
        "rules": rules,
        "explanation": explanation,
        "conditions": conditions,
        "count": count.value,
        "estimated": count.is_estimate,
        "not_understood": list(proposal.not_understood),
        "origin": "ai" if is_ai else "rules",
        "ai_generated": is_ai,
        "model": proposal.generation.model if proposal.generation else "",
        "generation": str(proposal.generation.pk) if proposal.generation else None,
        "remark": proposal.remark,
    }


def propose_rules(
    *, workspace: Workspace, actor: User | None, text: str, may_ask_model: bool, wait_s: float
) -> Proposal | Generation:
    """Return the rules that a sentence describes, or the model's run that is still busy with it.

    The parser answers when it understands every word. Otherwise a model is asked, where one is set up: its run is
    waited for, and when that takes too long the caller may ask again with the same sentence, which costs nothing.

    Args:
        may_ask_model: whether this caller may spend money.
        wait_s: how long to wait for the model.

    Raises:
        Invalid: there is no sentence, it is too long, or nothing in it can be asked (`not_understood`).
        Blocked, Throttled: the model may not be asked now, and without it nothing is understood.
    """
    if not isinstance(text, str) or not (text := _one_line(text)) or len(text) > LONGEST_SENTENCE:
        detail = f"Describe who you mean in 1 to {LONGEST_SENTENCE} characters."
        raise Invalid(detail, errors=[FieldError("text", "out_of_range", detail)])
    read = read_sentence(text, _vocabulary(workspace))
    if read.rules is not None and not read.not_understood:
        return _checked(workspace, Proposal(read.rules))
    if not (may_ask_model and can_ask_for_rules(workspace)):
        return _by_grammar_alone(workspace, text, read)
    try:
        generation = _finished(_ask(workspace, actor, text), wait_s)
    except DomainError as refusal:
        if read.rules is None:
            raise
        return _by_grammar_alone(workspace, text, read, refusal.detail)
    return _answered(workspace, text, read, generation) if generation.is_finished else generation


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", " ").encode("utf-8", "ignore").decode().split())


def _today(workspace: Workspace) -> date:
    try:
        return timezone.now().astimezone(ZoneInfo(workspace.time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return timezone.now().date()


def _vocabulary(workspace: Workspace) -> Vocabulary:
    def spelling(key: str, value: str) -> str | None:
        """Custom texts compare exactly, so a value is tried as it is usually written; each try is an index look-up."""
        if key in BUILT_IN_FIELDS:
            return None
        rows = Contact.objects.for_workspace(workspace)
        tries = dict.fromkeys((value, value.title(), value.capitalize(), value.upper(), value.lower()))
        return next((one for one in tries if rows.filter(attributes__contains={key: one}).exists()), None)

    lists, campaigns = _texts(list_names(workspace)), _texts(campaign_names(workspace))
    return Vocabulary(fields_of(workspace), lists, campaigns, _today(workspace), spelling)


def _texts(rows: dict[UUID, str]) -> dict[str, str]:
    return {str(pk): name for pk, name in rows.items()}


def _checked(workspace: Workspace, proposal: Proposal) -> Proposal:
    check_rules(workspace=workspace, rules=proposal.rules)
    return proposal


def _by_grammar_alone(workspace: Workspace, text: str, read: Understood, remark: str = "") -> Proposal:
    if read.rules is None:
        raise _nothing_understood(read.not_understood or (text,), remark)
    return _checked(workspace, Proposal(read.rules, read.not_understood, remark=remark))


def _nothing_understood(words: tuple[str, ...], remark: str = "") -> Invalid:
    missed = ", ".join(f"“{one[:80]}”" for one in words[:5])
    detail = (
        f"I did not understand: {missed}. Name a field, a list, a place, opens or clicks, or when somebody joined,"
        " such as “in Germany and opened in the last 30 days”."
    )
    return Invalid(
        f"{remark} {detail}".strip(), code="not_understood", errors=[FieldError("text", "not_understood", detail)]
    )


# --- with a model ---------------------------------------------------------------------------------------------------
def _ask(workspace: Workspace, actor: User | None, text: str) -> Generation:
    addresses: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        return next((key for key, known in addresses.items() if known == match[0]), None) or _add(addresses, match[0])

    masked = _ADDRESS.sub(stand_in, text)
    grammar = grammar_for_model(
        fields=fields_of(workspace),
        lists=_texts(list_names(workspace)),
        campaigns=_texts(campaign_names(workspace)),
        today=_today(workspace),
    )
    return ask_for_rules(workspace=workspace, actor=actor, text=masked, grammar=grammar, addresses=addresses)


def _add(addresses: dict[str, str], address: str) -> str:
    key = f"address-{len(addresses) + 1}"
    addresses[key] = address
    return key


def _finished(generation: Generation, wait_s: float) -> Generation:
    """Wait for a run, unless this transaction would keep it from being seen by a worker."""
    until = time.monotonic() + wait_s
    while not generation.is_finished and not connection.in_atomic_block and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        generation = Generation.objects.for_workspace(generation.workspace_id).get(pk=generation.pk)
    return generation


def _answered(workspace: Workspace, text: str, read: Understood, generation: Generation) -> Proposal:
    result = generation.result
    if generation.status == Generation.Status.SUCCEEDED and result.get("rules"):
        missed = tuple(map(str, result.get("not_understood", ())))
        return _checked(workspace, Proposal(result["rules"], missed, generation))
    if generation.status == Generation.Status.SUCCEEDED:
        missed = tuple(map(str, result.get("not_understood", ()))) or read.not_understood
        return _by_grammar_alone(workspace, text, Understood(read.rules, missed))
    if generation.error_code == "answer_invalid":
        return _by_grammar_alone(workspace, text, read, "The AI model proposed rules that a segment cannot have.")
    return _by_grammar_alone(workspace, text, read, generation.error_detail or "The AI model could not help.")


def rules_for_answer(workspace_id: UUID, request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the rules of a model's answer; registered with the AI writer, which has wrong answers mended once.

    Raises:
        ValueError: what is wrong with the answer.
    """
    workspace = Workspace.objects.get(pk=workspace_id)
    rules = rules_of_answer(
        answer,
        fields=fields_of(workspace),
        lists=_texts(list_names(workspace)),
        campaigns=_texts(campaign_names(workspace)),
        addresses=request.get("addresses", {}),
    )
    try:
        check_rules(workspace=workspace, rules=rules)
    except Invalid as refusal:
        raise ValueError("; ".join(f"{fault.field}: {fault.detail}" for fault in refusal.errors)) from refusal
    return rules

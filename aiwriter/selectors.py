"""Reads of the AI writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from aiwriter.models import AcceptedClaim, BrandFact, BrandVoice, Budget, Draft, Generation, GenerationStep, ProviderKey
from pulsequill.core.errors import NotFound

if TYPE_CHECKING:
    from accounts.models import Workspace


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as `/v1`, the socket and the pages show it."""
    return {
        "id": str(draft.pk),
        "position": draft.position,
        "angle": draft.angle,
        "subject": draft.subject,
        "preview_text": draft.preview_text,
        "blocks": draft.blocks,
        "guardrails": draft.guardrails or None,
        "status": draft.status,
        "is_ai_generated": draft.is_ai_generated,
        "voice": draft.voice or None,
        "made_from": draft.made_from,
        "rewritten_parts": draft.rewritten_parts,
    }


def generation_json(generation: Generation) -> dict[str, Any]:
    """Return a generation as `/v1`, the socket and the pages show it; uses prefetched drafts."""
    return {
        "id": str(generation.pk),
        "kind": generation.kind,
        "status": generation.status,
        "origin": generation.origin,
        "ai_generated": generation.origin == Generation.Origin.AI,
        "engine": generation.engine,
        "provider": generation.provider,
        "model": generation.model,
        "route_reason": generation.route_reason,
        "cost_micro_usd": generation.cost_micro_usd,
        "error_code": generation.error_code,
        "error_detail": generation.error_detail,
        "brief": str(generation.brief_id) if generation.brief_id else None,
        "campaign": str(generation.campaign_id) if generation.campaign_id else None,
        "result": generation.result,
        "created_at": generation.created_at.isoformat(),
        "finished_at": generation.finished_at.isoformat() if generation.finished_at else None,
        "socket": f"/ws/generations/{generation.pk}",
        "drafts": [draft_json(draft) for draft in generation.ordered_drafts],
    }


def list_generations(workspace: Workspace) -> QuerySet[Generation]:
    """Return the workspace's generations, newest first, with their drafts and steps at hand."""
    steps = GenerationStep.objects.for_workspace(workspace).defer("output_text").order_by("created_at")
    drafts = Draft.objects.for_workspace(workspace)
    rows = Generation.objects.for_workspace(workspace).select_related("brief", "created_by")
    related: list[Any] = [Prefetch("drafts", drafts), Prefetch("steps", steps)]
    return rows.prefetch_related(*related).order_by("-created_at")


def get_generation(workspace: Workspace, generation_id: UUID | str) -> Generation:
    """Return one generation with its drafts and steps.

    Raises:
        NotFound: there is none of this id in this workspace.
    """
    generation = list_generations(workspace).filter(pk=generation_id).first()
    if generation is None:
        raise NotFound
    return generation


def get_draft(workspace: Workspace, draft_id: UUID | str) -> Draft:
    """Return one draft.

    Raises:
        NotFound: there is none of this id in this workspace.
    """
    draft = Draft.objects.for_workspace(workspace).select_related("generation").filter(pk=draft_id).first()
    if draft is None:
        raise NotFound
    return draft


def list_brand_voices(workspace: Workspace) -> QuerySet[BrandVoice]:
    """Return the newest version of every brand voice, by name."""
    rows = BrandVoice.objects.for_workspace(workspace)
    newest = rows.order_by("name", "-version").distinct("name").values("pk")
    return rows.filter(pk__in=newest).order_by("name")


def list_usable_voices(workspace: Workspace) -> QuerySet[BrandVoice]:
    """Return of every brand voice the newest version that a person stands behind, by name: what briefs may ask for."""
    rows = BrandVoice.objects.for_workspace(workspace).exclude(status=BrandVoice.Status.PROPOSED)
    newest = rows.order_by("name", "-version").distinct("name").values("pk")
    return rows.filter(pk__in=newest).order_by("name")


def get_brand_voice(workspace: Workspace, voice_id: UUID | str) -> BrandVoice:
    """Return one version of a brand voice.

    Raises:
        NotFound: there is none of this id in this workspace.
    """
    voice = BrandVoice.objects.for_workspace(workspace).filter(pk=voice_id).first()
    if voice is None:
        raise NotFound
    return voice


def get_budget(workspace: Workspace) -> Budget:
    """Return the workspace's budget, made with its defaults on first use."""
    budget, _ = Budget.objects.for_workspace(workspace).get_or_create(workspace=workspace)
    return budget


def list_provider_keys(workspace: Workspace) -> list[dict[str, Any]]:
    """Return each provider with whose key is used, if any; keys themselves are never read."""
    rows = ProviderKey.objects.for_workspace(workspace).select_related("set_by").defer("key_encrypted")
    own = {row.provider: row for row in rows}
    environment = {
        ProviderKey.Provider.OPENAI: settings.OPENAI_API_KEY,
        ProviderKey.Provider.ANTHROPIC: settings.ANTHROPIC_API_KEY,
    }
    return [
        {
            "provider": choice.value,
            "name": choice.label,
            "own": own.get(choice.value),
            "is_installation": bool(key),
            "is_set": choice.value in own or bool(key),
        }
        for choice, key in environment.items()
    ]


def list_facts(workspace: Workspace) -> QuerySet[BrandFact]:
    """Return all facts of a brand, those in force first."""
    return BrandFact.objects.for_workspace(workspace).order_by("-is_active", "text")


def list_true_facts(workspace: Workspace) -> QuerySet[BrandFact]:
    """Return what a brand may claim today, by the day where the workspace is."""
    today = timezone.now().astimezone(ZoneInfo(workspace.time_zone)).date()
    in_time = Q(valid_until_date=None) | Q(valid_until_date__gte=today)
    return BrandFact.objects.for_workspace(workspace).filter(in_time, is_active=True).order_by("text")


def get_fact(workspace: Workspace, fact_id: UUID) -> BrandFact:
    """Return one fact.

    Raises:
        NotFound: there is none of that id in this workspace.
    """
    fact = BrandFact.objects.for_workspace(workspace).filter(pk=fact_id).first()
    if fact is None:
        raise NotFound
    return fact


def accepted_claims(workspace: Workspace, campaign_id: UUID) -> frozenset[str]:
    """Return the claims of a campaign that people answer for, as `receipts.claim_key` keeps them."""
    rows = AcceptedClaim.objects.for_workspace(workspace).filter(campaign_id=campaign_id)
    return frozenset(rows.values_list("claim", flat=True))

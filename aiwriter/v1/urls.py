"""`/v1` endpoints of `aiwriter`."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path

from aiwriter.v1 import brand, drafts, facts, parts, passages, usage

_LIST: dict[str, Any] = {"get": "list", "post": "create"}
_ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[URLPattern | URLResolver] = [
    path("ai/drafts", drafts.DraftsView.as_view(), name="v1_ai_drafts"),
    path("ai/drafts/<uuid:id>", drafts.DraftView.as_view(), name="v1_ai_draft"),
    path("ai/drafts/<uuid:id>/accept", drafts.AcceptView.as_view(), name="v1_ai_draft_accept"),
    path("ai/drafts/<uuid:id>/reject", drafts.RejectView.as_view(), name="v1_ai_draft_reject"),
    path("ai/drafts/<uuid:id>/cancel", drafts.CancelView.as_view(), name="v1_ai_draft_cancel"),
    path("ai/drafts/<uuid:id>/mix", parts.MixView.as_view(), name="v1_ai_draft_mix"),
    path("ai/drafts/<uuid:id>/regenerate", parts.RegenerateView.as_view(), name="v1_ai_draft_regenerate"),
    path("ai/drafts/<uuid:id>/restore", parts.RestoreView.as_view(), name="v1_ai_draft_restore"),
    path("ai/briefs/propose", parts.ProposeView.as_view(), name="v1_ai_brief_propose"),
    path("ai/subject-lines", passages.SubjectLinesView.as_view(), name="v1_ai_subject_lines"),
    path("ai/rewrite", passages.RewriteView.as_view(), name="v1_ai_rewrite"),
    path("ai/cta", passages.CallToActionView.as_view(), name="v1_ai_cta"),
    path("ai/alt-text", passages.AltTextView.as_view(), name="v1_ai_alt_text"),
    path("ai/subject-score", passages.SubjectScoreView.as_view(), name="v1_ai_subject_score"),
    path("ai/generations", drafts.GenerationViewSet.as_view({"get": "list"}), name="v1_ai_generation_list"),
    path("ai/brand-voices", brand.BrandVoiceViewSet.as_view(_LIST), name="v1_ai_brand_voice_list"),
    path("ai/brand-voices/learn", brand.LearnVoiceView.as_view(), name="v1_ai_brand_voice_learn"),
    path("ai/brand-voices/<uuid:id>", brand.BrandVoiceViewSet.as_view(_ONE), name="v1_ai_brand_voice"),
    path("ai/facts", facts.FactViewSet.as_view(_LIST), name="v1_ai_fact_list"),
    path("ai/facts/<uuid:id>", facts.FactViewSet.as_view(_ONE), name="v1_ai_fact"),
    path("ai/exemplars", brand.ExemplarViewSet.as_view({"get": "list"}), name="v1_ai_exemplar_list"),
    path("ai/exemplars/similar", brand.ExemplarViewSet.as_view({"post": "similar"}), name="v1_ai_exemplar_similar"),
    path("ai/exemplars/<uuid:id>", brand.ExemplarViewSet.as_view({"delete": "destroy"}), name="v1_ai_exemplar"),
    path("ai/usage", usage.UsageView.as_view(), name="v1_ai_usage"),
    path("ai/calls", usage.CallViewSet.as_view({"get": "list"}), name="v1_ai_call_list"),
]

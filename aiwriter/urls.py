"""Pages of `aiwriter`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from aiwriter.views import calls, facts, generations, keys, memory, studio, usage, voice_learning, voices

app_name = "aiwriter"
urlpatterns: list[URLPattern | URLResolver] = [
    path("ai", studio.StudioPage.as_view(), name="studio"),
    path("ai/budget", studio.BudgetPage.as_view(), name="budget_edit"),
    path("ai/usage", usage.UsagePage.as_view(), name="usage"),
    path("ai/calls", calls.CallListPage.as_view(), name="call_list"),
    path("ai/calls.csv", calls.CallExport.as_view(), name="call_export"),
    path("ai/calls/<uuid:call_id>", calls.CallPage.as_view(), name="call_detail"),
    path("ai/keys", keys.KeySet.as_view(), name="key_set"),
    path("ai/keys/remove", keys.KeyRemove.as_view(), name="key_remove"),
    path("ai/generations/<uuid:generation_id>", generations.GenerationPage.as_view(), name="generation_detail"),
    path("ai/generations/<uuid:generation_id>/cancel", generations.CancelPage.as_view(), name="generation_cancel"),
    path("ai/facts", facts.FactsPage.as_view(), name="facts"),
    path("ai/facts/<uuid:fact_id>", facts.FactPage.as_view(), name="fact_edit"),
    path("ai/facts/<uuid:fact_id>/delete", facts.FactDelete.as_view(), name="fact_delete"),
    path("ai/voices/new", voices.VoicePage.as_view(), name="voice_new"),
    path("ai/voices", voices.VoiceListPage.as_view(), name="voices"),
    path("ai/voices/learn", voice_learning.LearnVoicePage.as_view(), name="voice_learn"),
    path("ai/voices/learning/<uuid:generation_id>", voice_learning.LearningPage.as_view(), name="voice_learning"),
    path("ai/voices/<uuid:voice_id>", voices.VoiceDetailPage.as_view(), name="voice_detail"),
    path("ai/voices/<uuid:voice_id>/edit", voices.VoicePage.as_view(), name="voice_edit"),
    path("ai/voices/<uuid:voice_id>/compare", voices.VoiceComparePage.as_view(), name="voice_compare"),
    *(
        path(f"ai/voices/<uuid:voice_id>/{verb}", view.as_view(), name=f"voice_{verb}")
        for verb, view in voices.VOICE_ACTIONS.items()
    ),
    path("ai/samples/<uuid:sample_id>/delete", voice_learning.SampleDelete.as_view(), name="sample_delete"),
    path("ai/memory", memory.MemoryPage.as_view(), name="memory"),
    path("ai/memory/refresh", memory.MemoryRefresh.as_view(), name="memory_refresh"),
    path("ai/memory/<uuid:exemplar_id>/forget", memory.MemoryForget.as_view(), name="memory_forget"),
]

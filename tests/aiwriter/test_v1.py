"""`/v1/ai`: ask, read, decide, and what is refused."""

from __future__ import annotations

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from aiwriter.models import BrandVoice, Brief, Draft, Generation
from aiwriter.services.drafts import accept_draft
from aiwriter.services.limits import MOST_UNFINISHED
from aiwriter.services.voices import save_brand_voice
from tests.aiwriter.making import SENTENCE, ask, make_member, make_workspace, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


def client_of(workspace, role: str = "owner") -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace, role))
    return client


@pytest.fixture
def api(workspace) -> APIClient:
    return client_of(workspace)


def test_one_sentence_is_a_brief(api, workspace, django_capture_on_commit_callbacks, monkeypatch):
    queued = []
    monkeypatch.setattr("aiwriter.tasks.run_generation.apply_async", lambda *a, **k: queued.append(k or a))

    with django_capture_on_commit_callbacks(execute=True):
        response = api.post("/v1/ai/drafts", {"goal": SENTENCE}, format="json")

    assert response.status_code == 202, response.json()
    body = response.json()
    assert (body["status"], body["drafts"]) == ("queued", [])
    assert response["Location"] == f"/v1/ai/drafts/{body['id']}"
    assert body["socket"] == f"/ws/generations/{body['id']}"
    assert len(queued) == 1
    assert Brief.objects.get().angles == 3


def test_the_finished_generation_has_its_drafts_and_says_who_wrote_them(api, workspace):
    generation = written(ask(workspace))

    body = api.get(f"/v1/ai/drafts/{generation.pk}").json()

    assert (body["status"], body["origin"], body["ai_generated"]) == ("succeeded", "offline_template", False)
    assert (body["provider"], body["model"], body["cost_micro_usd"]) == ("offline", "template-v1", 0)
    assert [
        set(draft) >= {"id", "angle", "subject", "preview_text", "blocks", "guardrails"} for draft in body["drafts"]
    ]
    assert all(draft["guardrails"]["ok"] for draft in body["drafts"])


def test_accepting_and_rejecting(api, workspace):
    generation = written(ask(workspace))
    first, second, _ = generation.ordered_drafts

    accepted = api.post(f"/v1/ai/drafts/{generation.pk}/accept", {"draft": str(first.pk)}, format="json")
    rejected = api.post(f"/v1/ai/drafts/{generation.pk}/reject", {"draft": str(second.pk)}, format="json")
    too_late = api.post(f"/v1/ai/drafts/{generation.pk}/reject", {"draft": str(first.pk)}, format="json")

    assert accepted.status_code == rejected.status_code == 200
    assert [draft["status"] for draft in rejected.json()["drafts"]] == ["accepted", "rejected", "proposed"]
    assert (too_late.status_code, too_late.json()["code"]) == (409, "wrong_state")


def test_a_blocked_draft_needs_somebody_who_answers_for_it(api, workspace):
    generation = written(ask(workspace))
    draft = generation.ordered_drafts[0]
    finding = {"code": "number_unsupported", "severity": "block", "message": "No.", "where": "subject"}
    Draft.objects.filter(pk=draft.pk).update(guardrails={"ok": False, "findings": [finding], "metrics": {}})
    url = f"/v1/ai/drafts/{generation.pk}/accept"

    refused = api.post(url, {"draft": str(draft.pk)}, format="json")
    forced = api.post(url, {"draft": str(draft.pk), "override": True}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (422, "guardrails")
    assert refused.json()["findings"][0]["code"] == "number_unsupported"
    assert forced.status_code == 200


def test_cancelling_in_the_queue(api, workspace):
    generation = ask(workspace)

    first = api.post(f"/v1/ai/drafts/{generation.pk}/cancel", {}, format="json")
    second = api.post(f"/v1/ai/drafts/{generation.pk}/cancel", {}, format="json")

    assert (first.status_code, first.json()["status"]) == (202, "cancelled")
    assert second.status_code == 409


@pytest.mark.parametrize(
    "brief",
    [
        {},
        {"goal": ""},
        {"goal": "x" * 1001},
        {"goal": SENTENCE, "angles": 9},
        {"goal": SENTENCE, "facts": "not a list"},
        {"goal": SENTENCE, "facts": ["x" * 501]},
        {"goal": SENTENCE, "cta_url": "javascript:alert(1)"},
        {"goal": SENTENCE, "length": "epic"},
        {"goal": SENTENCE, "brand_voice": str(uuid4())},
        {"goal": SENTENCE, "campaign": "nonsense"},
    ],
)
def test_a_bad_brief_is_a_400_that_names_the_field(api, brief):
    response = api.post("/v1/ai/drafts", brief, format="json")

    assert response.status_code == 400, response.json()
    assert response.json()["errors"]
    assert Generation.objects.count() == 0


def test_the_same_key_is_the_same_generation(api):
    answers = [
        api.post("/v1/ai/drafts", {"goal": SENTENCE}, format="json", headers={"Idempotency-Key": "k1"}).json()["id"]
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert Generation.objects.count() == 1


def test_too_many_at_once_are_refused(api, workspace):
    for _ in range(MOST_UNFINISHED):
        ask(workspace)

    response = api.post("/v1/ai/drafts", {"goal": SENTENCE}, format="json")

    assert (response.status_code, response.json()["code"]) == (422, "too_many_generations")


def test_without_templates_and_keys_it_is_unavailable(api, settings):
    settings.AI_OFFLINE = "deny"

    response = api.post("/v1/ai/drafts", {"goal": SENTENCE}, format="json")

    assert (response.status_code, response.json()["code"]) == (503, "ai_not_configured")
    assert response["Retry-After"]


@pytest.mark.parametrize(
    ("instruction", "text", "result"),
    [
        ("plainer", "Please purchase additional beans prior to Sunday.", "Please buy more beans before Sunday."),
        ("friendlier", "We are open. It is free.", "We're open. It's free."),
        ("more_formal", "We're open, thanks.", "We are open, thank you."),
        ("fix_grammar", "we  are are open .it is new", "We are open.it is new"),
        ("shorten", "It is really very good. It is quite new. It comes on Monday.", "It is good. It is new."),
    ],
)
def test_rules_rewrite_without_a_model(api, instruction, text, result):
    asked = api.post("/v1/ai/rewrite", {"text": text, "instruction": instruction}, format="json")
    generation = written(Generation.objects.get(pk=asked.json()["id"]))

    assert generation.result["text"] == result
    assert generation.origin == Generation.Origin.OFFLINE_TEMPLATE


def test_what_rules_cannot_do_is_said(api):
    asked = api.post("/v1/ai/rewrite", {"text": "Hello.", "instruction": "translate", "language": "de"}, format="json")
    generation = written(Generation.objects.get(pk=asked.json()["id"]))

    assert (generation.status, generation.error_code) == (Generation.Status.FAILED, "ai_not_configured")
    assert "needs an AI model" in generation.error_detail


def test_subject_lines_differ(api):
    brief = {"goal": SENTENCE, "facts": ["Picked in June", "1,450 bags this year"], "count": 6}
    asked = api.post("/v1/ai/subject-lines", brief, format="json")
    lines = written(Generation.objects.get(pk=asked.json()["id"])).result["lines"]

    assert len({line["subject"] for line in lines}) == 6
    assert all(len(line["subject"]) <= 60 for line in lines)


def test_brand_voices_have_versions(api, workspace):
    profile = {"traits": ["warm"], "banned_phrases": ["best ever"], "formality": "casual"}
    made = api.post("/v1/ai/brand-voices", {"name": "House", "profile": profile}, format="json")
    changed = api.patch(f"/v1/ai/brand-voices/{made.json()['id']}", {"profile": {"traits": ["dry"]}}, format="json")
    listed = api.get("/v1/ai/brand-voices").json()["results"]

    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert [voice["id"] for voice in listed] == [changed.json()["id"]]
    assert BrandVoice.objects.count() == 2
    assert api.delete(f"/v1/ai/brand-voices/{changed.json()['id']}").status_code == 204
    assert BrandVoice.objects.count() == 0


@pytest.mark.parametrize("profile", ["x", {"unknown": []}, {"traits": "warm"}, {"formality": "silly"}])
def test_a_wrong_profile_is_a_400(api, profile):
    response = api.post("/v1/ai/brand-voices", {"name": "House", "profile": profile}, format="json")

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"].startswith("profile")


def test_a_locked_voice_stays(api, workspace):
    voice = save_brand_voice(workspace=workspace, actor=None, name="House", profile={}, status="locked")

    assert api.patch(f"/v1/ai/brand-voices/{voice.pk}", {"profile": {}}, format="json").status_code == 409
    assert api.delete(f"/v1/ai/brand-voices/{voice.pk}").status_code == 409


def test_a_banned_phrase_of_the_voice_blocks_a_draft(workspace):
    profile = {"banned_phrases": ["harvest roast"]}
    voice = save_brand_voice(workspace=workspace, actor=None, name="House", profile=profile)

    generation = written(ask(workspace, brand_voice=voice.pk))

    assert not any(draft.guardrails["ok"] for draft in generation.ordered_drafts)


def test_usage_and_the_list_of_generations(api, workspace):
    generation = written(ask(workspace))
    accept_draft(draft=generation.ordered_drafts[0], actor=None)

    usage = api.get("/v1/ai/usage").json()
    listed = api.get("/v1/ai/generations?status=succeeded&include=count").json()

    assert (usage["spent_micro_usd"], usage["calls"], usage["drafts_accepted"]) == (0, 0, 1)
    assert (listed["count"], listed["results"][0]["id"]) == (1, str(generation.pk))
    assert api.get("/v1/ai/generations?status=failed").json()["results"] == []


def test_the_list_takes_the_same_queries_whatever_it_holds(api, workspace, django_assert_max_num_queries):
    for _ in range(4):
        written(ask(workspace))

    with django_assert_max_num_queries(14):
        assert len(api.get("/v1/ai/generations").json()["results"]) == 4


def test_an_analyst_reads_and_does_not_write(workspace):
    generation = written(ask(workspace))
    analyst = client_of(workspace, "analyst")

    assert analyst.get(f"/v1/ai/drafts/{generation.pk}").status_code == 200
    assert analyst.post("/v1/ai/drafts", {"goal": SENTENCE}, format="json").status_code == 403
    choice = {"draft": str(generation.ordered_drafts[0].pk)}
    assert analyst.post(f"/v1/ai/drafts/{generation.pk}/accept", choice, format="json").status_code == 403


def test_another_workspace_sees_nothing(workspace):
    generation = written(ask(workspace))
    voice = save_brand_voice(workspace=workspace, actor=None, name="House", profile={})
    stranger = client_of(make_workspace("Rival Tea"))
    choice = {"draft": str(generation.ordered_drafts[0].pk)}

    for path in (f"drafts/{generation.pk}", f"brand-voices/{voice.pk}"):
        assert stranger.get(f"/v1/ai/{path}").status_code == 404
    for verb in ("accept", "reject", "cancel"):
        assert stranger.post(f"/v1/ai/drafts/{generation.pk}/{verb}", choice, format="json").status_code == 404
    borrowed = stranger.post("/v1/ai/drafts", {"goal": SENTENCE, "brand_voice": str(voice.pk)}, format="json")
    assert borrowed.status_code == 400
    assert stranger.get("/v1/ai/generations").json()["results"] == []
    assert Draft.objects.exclude(status="proposed").count() == 0

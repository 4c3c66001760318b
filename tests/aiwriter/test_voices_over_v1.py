"""Voices being learned, and the writer's memory, over `/v1`."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from aiwriter.models import BrandSample, BrandVoice, Exemplar, Generation
from tests.aiwriter.making import make_member, make_workspace, written
from tests.aiwriter.test_memory import HOURS, won
from tests.aiwriter.test_voices import LETTERS

pytestmark = pytest.mark.django_db
LEARN = "/v1/ai/brand-voices/learn"


@pytest.fixture
def workspace():
    return make_workspace()


def client_of(workspace, role: str = "owner") -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace, role))
    return client


def asked(**fields) -> dict:
    return {"name": "House", "samples": [{"text": letter} for letter in LETTERS], **fields}


def test_a_voice_is_learned_once_and_accepted_over_v1(workspace):
    api = client_of(workspace)

    made = api.post(LEARN, asked(), format="json", headers={"Idempotency-Key": "learn-1"})
    again = api.post(LEARN, asked(), format="json", headers={"Idempotency-Key": "learn-1"})

    assert made.status_code == 202, made.json()
    assert made.json()["kind"] == "voice"
    assert again["Idempotency-Replayed"] == "true"
    assert BrandSample.objects.count() == 3
    written(Generation.objects.get())
    result = api.get(made["Location"]).json()["result"]
    assert result["evidence"]["method"] == "measured"
    voice = f"/v1/ai/brand-voices/{result['voice']}"
    assert api.get(voice).json()["status"] == "proposed"
    brief = {"goal": "Say hello", "brand_voice": result["voice"]}
    assert api.post("/v1/ai/drafts", brief, format="json").json()["errors"][0]["code"] == "not_accepted"
    accepted = api.patch(voice, {"status": "active"}, format="json").json()
    assert (accepted["status"], accepted["version"]) == ("active", 2)
    assert accepted["profile"]["traits"][0] == {"is": "brief", "is_not": "long-winded"}
    assert BrandVoice.objects.get(version=2).samples.count() == 3


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "House"}, asked(samples=[]), asked(name=""), asked(samples=[{"text": "short"}]),
     asked(samples=[{"text": LETTERS[0]}] * 21), asked(samples=["text"]), asked(samples=[{"text": "<div>" * 1000}])],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused(workspace, body):
    answer = client_of(workspace).post(LEARN, body, format="json")

    assert answer.status_code in (400, 422), answer.json()
    assert not Generation.objects.exists()


def test_those_who_only_look_cannot_learn_or_forget(workspace):
    api, exemplar = client_of(workspace, "analyst"), won(workspace)

    assert api.post(LEARN, asked(), format="json").status_code == 403
    assert api.delete(f"/v1/ai/exemplars/{exemplar.pk}").status_code == 403
    assert api.get("/v1/ai/exemplars").status_code == 200


def test_exemplars_are_listed_compared_and_forgotten(workspace):
    api, roast = client_of(workspace), won(workspace)
    won(workspace, HOURS)
    foreign = won(make_workspace("Rival Tea"))

    listed = api.get("/v1/ai/exemplars?sort=created_at").json()["results"]
    assert [row["title"] for row in listed] == ["The harvest roast is back", "New opening hours"]
    assert listed[0]["why"] == "won a test by click rate, 4.1% of 1,200 people"
    [first, *_] = api.post("/v1/ai/exemplars/similar", {"text": "our harvest roast"}, format="json").json()
    assert (first["id"], first["label"]) == (str(roast.pk), "keyword similarity")
    assert api.post("/v1/ai/exemplars/similar", {}, format="json").status_code == 400
    assert api.delete(f"/v1/ai/exemplars/{foreign.pk}").status_code == 404
    assert api.delete(f"/v1/ai/exemplars/{roast.pk}").status_code == 204
    assert set(Exemplar.objects.for_workspace(workspace).values_list("title", flat=True)) == {"New opening hours"}

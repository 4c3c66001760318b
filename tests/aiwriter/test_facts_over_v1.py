"""The brand's knowledge over `/v1`."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import Activity
from aiwriter.models import BrandFact
from aiwriter.services.facts import save_fact
from tests.aiwriter.making import make_member, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


def client_of(workspace, role: str = "owner") -> APIClient:
    client = APIClient()
    client.force_login(make_member(workspace, role))
    return client


def test_a_fact_is_added_once_read_changed_and_removed(workspace):
    api = client_of(workspace)
    body = {"text": "Open  until 6 pm", "valid_until_date": "2027-01-31"}

    made = api.post("/v1/ai/facts", body, format="json", headers={"Idempotency-Key": "fact-1"})
    again = api.post("/v1/ai/facts", body, format="json", headers={"Idempotency-Key": "fact-1"})

    assert made.status_code == 201, made.json()
    assert made.json()["text"] == "Open until 6 pm"
    assert made.json()["is_active"] is True
    assert again["Idempotency-Replayed"] == "true"
    assert BrandFact.objects.count() == 1
    one = f"/v1/ai/facts/{made.json()['id']}"
    changed = api.patch(one, {"is_active": False}, format="json").json()
    assert (changed["text"], changed["valid_until_date"], changed["is_active"]) == (
        "Open until 6 pm", "2027-01-31", False,
    )  # fmt: skip
    assert api.patch(one, {"valid_until_date": None}, format="json").json()["valid_until_date"] is None
    assert api.get("/v1/ai/facts?is_active=true").json()["results"] == []
    assert [row["id"] for row in api.get("/v1/ai/facts?q=until").json()["results"]] == [made.json()["id"]]
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    kinds = set(Activity.objects.filter(workspace=workspace).values_list("kind", flat=True))
    assert {"brand_fact.saved", "brand_fact.deleted"} <= kinds


@pytest.mark.parametrize("body", [{}, {"text": " "}, {"text": "x" * 501}, {"text": "x", "valid_until_date": "soon"}])
def test_what_is_wrong_is_refused(workspace, body):
    assert client_of(workspace).post("/v1/ai/facts", body, format="json").status_code == 400


def test_the_same_words_twice_are_refused(workspace):
    save_fact(workspace=workspace, actor=None, text="Open until 6 pm")

    answer = client_of(workspace).post("/v1/ai/facts", {"text": "Open until 6 pm"}, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "taken"


def test_an_analyst_reads_and_does_not_write(workspace):
    fact = save_fact(workspace=workspace, actor=None, text="Open until 6 pm")
    api = client_of(workspace, "analyst")

    assert api.get("/v1/ai/facts").status_code == 200
    assert api.post("/v1/ai/facts", {"text": "x"}, format="json").status_code == 403
    assert api.delete(f"/v1/ai/facts/{fact.pk}").status_code == 403


def test_another_workspaces_fact_is_not_there(workspace):
    fact = save_fact(workspace=make_workspace("Rival"), actor=None, text="Open until 6 pm")
    api = client_of(workspace)

    assert api.get("/v1/ai/facts").json()["results"] == []
    for answer in (
        api.get(f"/v1/ai/facts/{fact.pk}"),
        api.patch(f"/v1/ai/facts/{fact.pk}", {"text": "x"}, format="json"),
        api.delete(f"/v1/ai/facts/{fact.pk}"),
    ):
        assert answer.status_code == 404
    assert BrandFact.objects.filter(pk=fact.pk, text="Open until 6 pm").exists()

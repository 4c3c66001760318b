"""The brand's knowledge: kept by people, used by drafts, shown in their receipts."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Activity
from aiwriter.agents.inputs import informed_brief
from aiwriter.models import BrandFact
from aiwriter.services.facts import save_fact
from pulsequill.core.errors import Invalid
from tests.aiwriter.making import ask, make_member, make_workspace, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def test_a_fact_is_added_changed_retired_and_removed(owner, workspace):
    address = reverse("aiwriter:facts")
    page = owner.post(address, {"text": "Open  until 6 pm", "is_active": "on"}, follow=True).content.decode()
    assert "In force" in page
    fact = BrandFact.objects.get(workspace=workspace)
    assert fact.text == "Open until 6 pm"

    one = reverse("aiwriter:fact_edit", args=[fact.pk])
    assert "Open until 6 pm" in owner.get(one).content.decode()
    page = owner.post(one, {"text": "Open until 7 pm"}, follow=True).content.decode()
    assert "Retired" in page
    old = {"text": "Open until 8 pm", "is_active": "on", "valid_until_date": "2020-01-31"}
    assert "Expired" in owner.post(one, old, follow=True).content.decode()

    owner.post(reverse("aiwriter:fact_delete", args=[fact.pk]))
    assert not BrandFact.objects.filter(workspace=workspace).exists()
    kinds = Activity.objects.filter(workspace=workspace).values_list("kind", flat=True)
    assert {"brand_fact.saved", "brand_fact.deleted"} <= set(kinds)


def test_the_same_fact_twice_is_refused_with_its_reason(owner, workspace):
    save_fact(workspace=workspace, actor=None, text="Open until 6 pm")

    answer = owner.post(reverse("aiwriter:facts"), {"text": "Open until 6 pm", "is_active": "on"})

    assert answer.status_code == 400
    assert "This fact is known already." in answer.content.decode()
    with pytest.raises(Invalid):
        save_fact(workspace=workspace, actor=None, text="  ")


def test_an_analyst_reads_facts_and_does_not_write(workspace, client: Client):
    client.force_login(make_member(workspace, "analyst"))

    assert client.get(reverse("aiwriter:facts")).status_code == 200
    assert client.post(reverse("aiwriter:facts"), {"text": "x"}).status_code == 403


def test_drafts_may_use_what_is_true_today_and_show_their_receipts(workspace):
    save_fact(workspace=workspace, actor=None, text="Open until 6 pm")
    save_fact(workspace=workspace, actor=None, text="Open until 5 pm", is_active=False)
    generation = written(ask(workspace))

    assert informed_brief(generation).brand_facts == ("Open until 6 pm",)
    draft = generation.ordered_drafts[0]
    receipts = draft.guardrails["receipts"]
    assert receipts
    assert all(receipt["support"] for receipt in receipts)
    assert {"text": generation.brief.cta_url, "source": "link"} in [receipt["support"] for receipt in receipts]

"""What similar subjects did before, looked up over `/v1`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Workspace
from analytics.models import CampaignStats
from analytics.selectors.subjects import FEWEST_SUBJECTS, LEAST_DELIVERED
from campaigns.models import Campaign, DeliveryMinute, Variant
from tests.analytics.making import SENT_AT, make_member, make_workspace

pytestmark = pytest.mark.django_db

OTHERS = ("Our opening hours in May", "Three grinders, compared", "A letter from Luz", "What to brew on Sunday")


def sent(
    workspace: Workspace, subject: str, *, delivered: int = 200, clicks: int = 10, opens: int = 40, status: str = "sent"
) -> Campaign:
    campaign = Campaign.objects.create(workspace=workspace, name=f"On {subject}", status=status, launched_at=SENT_AT)
    variant = Variant.objects.create(workspace=workspace, campaign=campaign, label="A", subject=subject)
    minute = SENT_AT + timedelta(minutes=1)
    DeliveryMinute.objects.create(
        campaign=campaign, variant=variant, minute=minute, sent=delivered, delivered=delivered
    )
    CampaignStats.objects.create(campaign=campaign, variant=variant, unique_clicks=clicks, unique_opens=opens)
    return campaign


def similar(workspace: Workspace, subject: str, role: str = "analyst") -> Any:
    client = Client()
    client.force_login(make_member(workspace, f"{role}@northwind.example", role=role))
    return client.get("/v1/subjects/similar", {"subject": subject})


def test_too_few_subjects_are_not_enough_and_it_says_so() -> None:
    workspace = make_workspace()
    for subject in OTHERS[: FEWEST_SUBJECTS - 1]:
        sent(workspace, subject)
    sent(workspace, "The harvest roast is back", delivered=LEAST_DELIVERED - 1)
    sent(workspace, "The harvest roast is here", status="sending")

    answer = similar(workspace, "The harvest roast is back").json()

    assert not answer["is_enough"]
    assert answer["results"] == []
    assert answer["note"].startswith("Not enough data: 4 of the 5 sent subjects with at least 50 deliveries")


def test_the_most_alike_come_first_with_their_rates_and_n() -> None:
    workspace = make_workspace()
    for subject in OTHERS:
        sent(workspace, subject)
    sent(workspace, "{{first_name}}, the harvest roast is back", delivered=1000, clicks=80, opens=300)

    answer = similar(workspace, "The harvest roast is back in stock").json()

    first = answer["results"][0]
    assert first["subject"] == "The harvest roast is back"
    assert (first["click_rate"], first["open_rate"], first["delivered"]) == (0.08, 0.3, 1000)
    assert first["similarity_percent"] > 60
    assert answer["compared"] == 5
    assert answer["click_rate"] == pytest.approx(120 / 1800, abs=1e-6)
    assert "no prediction" in answer["note"]


def test_the_same_subject_sent_twice_counts_as_one_with_both_ns() -> None:
    workspace = make_workspace()
    for subject in (*OTHERS, "The harvest roast is back", "The Harvest Roast is back"):
        sent(workspace, subject)

    answer = similar(workspace, "The harvest roast is back").json()

    assert answer["compared"] == 5
    assert answer["results"][0]["delivered"] == 400


def test_lines_without_a_common_word_are_not_called_similar() -> None:
    workspace = make_workspace()
    for subject in (*OTHERS, "The harvest roast is back"):
        sent(workspace, subject)

    answer = similar(workspace, "Zwölf Boxkämpfer jagen Viktor").json()

    assert answer["is_enough"]
    assert answer["results"] == []
    assert answer["note"].startswith("None of your 5 sent subjects is like this one.")


def test_another_workspaces_subjects_are_never_looked_at() -> None:
    other = make_workspace("Fjord Tea")
    for subject in (*OTHERS, "The harvest roast is back"):
        sent(other, subject)

    assert similar(make_workspace(), "The harvest roast is back").json()["compared"] == 0


def test_a_missing_subject_is_refused() -> None:
    answer = similar(make_workspace(), "")

    assert answer.status_code == 400

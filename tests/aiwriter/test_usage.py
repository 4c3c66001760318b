"""What the writer cost, and what became of its drafts: by prompt version, model, day and month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from aiwriter.models import Draft, Generation, GenerationStep, ModelPrice
from aiwriter.services.money import set_budget
from aiwriter.usage import get_usage, parse_month
from pulsequill.core.errors import Invalid
from tests.aiwriter.making import make_member, make_workspace

CENT = 10_000
V1, V2 = "a" * 64, "b" * 64


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def run_of(workspace, *, prompt: str = V1, drafts: str = "", distances=(), at=None, cost: int = CENT, **fields):
    """A finished generation with one call and drafts: A accepted, E edited, R rejected, P only proposed."""
    fields = {"kind": Generation.Kind.DRAFTS, "status": Generation.Status.SUCCEEDED, "cost_micro_usd": cost, **fields}
    generation = Generation.objects.create(workspace=workspace, **fields)
    step = GenerationStep.objects.create(
        workspace=workspace, generation=generation, role="writer", provider="openai", model_requested="gpt-4.1",
        prompt_id="writer@v1", prompt_sha256=prompt, input_tokens=1000, output_tokens=200, cost_micro_usd=cost,
    )  # fmt: skip
    states = {"A": "accepted", "E": "edited", "R": "rejected", "P": "proposed"}
    for position, letter in enumerate(drafts):
        Draft.objects.create(
            workspace=workspace, generation=generation, position=position, angle="News", subject="News",
            status=states[letter], is_ai_generated=True,
            edit_distance=distances[position] if position < len(distances) else None,
        )  # fmt: skip
    if at is not None:
        for rows in (
            Generation.objects.filter(pk=generation.pk),
            GenerationStep.objects.filter(pk=step.pk),
            Draft.objects.filter(generation=generation),
        ):
            rows.update(created_at=at)
    return generation


def test_each_version_of_a_prompt_is_judged_by_what_became_of_its_drafts(workspace):
    run_of(workspace, prompt=V1, drafts="ARP", distances=(0.0,), cost=4 * CENT)
    run_of(workspace, prompt=V1, drafts="PPP", cost=2 * CENT)
    run_of(workspace, prompt=V2, drafts="EAP", distances=(0.4, 0.1), cost=2 * CENT)

    first, second = get_usage(workspace)["by_prompt"]

    assert (first["prompt"], first["sha256"], first["generations"]) == ("writer@v1", V1, 2)
    assert first["cost_micro_usd"] == 6 * CENT
    assert first["acceptance_rate"] == pytest.approx(1 / 6, abs=1e-4)
    assert first["drafts_rejected"] == 1
    assert first["mean_edit_distance"] == 0.0
    assert first["cost_per_accepted_micro_usd"] == 6 * CENT
    assert second["acceptance_rate"] == pytest.approx(2 / 3, abs=1e-4)
    assert second["mean_edit_distance"] == pytest.approx(0.25)
    assert second["cost_per_accepted_micro_usd"] == CENT


def test_a_run_is_asked_again_when_the_same_is_wanted_within_the_hour(workspace):
    campaign = "00000000-0000-7000-8000-000000000001"
    start = parse_month("")
    run_of(workspace, campaign_id=campaign, at=start)
    run_of(workspace, campaign_id=campaign, at=start + timedelta(minutes=30))
    run_of(workspace, campaign_id="00000000-0000-7000-8000-000000000002", at=start + timedelta(minutes=40))
    run_of(workspace, kind=Generation.Kind.REWRITE, request={"instruction": "another_try"}, prompt=V2)
    run_of(workspace, kind=Generation.Kind.REWRITE, request={"instruction": "shorten"}, prompt=V2)

    rates = {row["sha256"]: row["regenerate_rate"] for row in get_usage(workspace)["by_prompt"]}

    assert rates == {V1: pytest.approx(1 / 3, abs=1e-4), V2: 0.5}


def test_days_without_a_call_are_there_and_a_failed_call_counts(workspace):
    start = parse_month("")
    run_of(workspace, at=start + timedelta(hours=1))
    broken = run_of(workspace, cost=0, at=start + timedelta(hours=2))
    GenerationStep.objects.filter(generation=broken).update(error_class="provider_timeout")

    usage = get_usage(workspace)

    assert len(usage["by_day"]) == timezone.now().day
    assert usage["by_day"][0] == {
        "date": start.date().isoformat(), "calls": 2, "cost_micro_usd": CENT, "by_provider": {"openai": CENT},
    }  # fmt: skip
    assert (usage["calls"], usage["failed_calls"]) == (2, 1)
    assert usage["by_model"][0]["failed_calls"] == 1


def test_earlier_months_stand_by_themselves(workspace):
    last_month = parse_month("") - timedelta(days=2)
    run_of(workspace, drafts="A", at=last_month, cost=7 * CENT)
    run_of(workspace, drafts="P", cost=CENT)

    earlier = get_usage(workspace, month=parse_month(f"{last_month:%Y-%m}"))

    assert earlier["spent_micro_usd"] == 7 * CENT
    assert earlier["drafts_accepted"] == 1
    assert earlier["month"] == f"{last_month:%Y-%m}"
    assert len(earlier["by_day"]) == (parse_month("") - timedelta(days=1)).day
    assert get_usage(workspace)["spent_micro_usd"] == CENT


def test_december_is_followed_by_january(workspace):
    run_of(workspace, at=datetime(2025, 12, 31, 23, 59, tzinfo=UTC))

    assert get_usage(workspace, month=parse_month("2025-12"))["calls"] == 1


@pytest.mark.parametrize("text", ["2026", "2026-13", "yesterday", "9999-01", "1999-12", "2026-11-01"])
def test_what_is_no_month_that_has_begun_is_refused(text):
    with pytest.raises(Invalid):
        parse_month(text)


def test_another_workspaces_money_is_not_counted(workspace):
    run_of(make_workspace("Rival Tea"), drafts="A")

    usage = get_usage(workspace)

    assert (usage["calls"], usage["by_prompt"], usage["drafts_written"]) == (0, [], 0)


def test_it_takes_the_same_few_queries_whatever_there_is(workspace):
    get_usage(workspace)  # the budget's row is made on first use
    with CaptureQueriesContext(connection) as empty:
        get_usage(workspace)
    for number in range(12):
        run_of(workspace, prompt=f"{number:064d}", drafts="AEPR")

    with CaptureQueriesContext(connection) as full:
        get_usage(workspace)

    assert len(full) == len(empty) == 6


# --- /v1 -------------------------------------------------------------------------------------------------------------
def test_the_api_gives_the_same_figures(workspace):
    run_of(workspace, drafts="A", distances=(0.2,))
    api = APIClient()
    api.force_login(make_member(workspace, "analyst"))

    body = api.get("/v1/ai/usage").json()
    month = api.get("/v1/ai/usage", {"month": body["month"]}).json()
    refused = api.get("/v1/ai/usage", {"month": "soon"})

    assert body == month
    assert body["by_prompt"][0]["mean_edit_distance"] == 0.2
    assert body["by_day"][-1]["calls"] == 1
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "month")


# --- the page --------------------------------------------------------------------------------------------------------
def test_the_page_shows_money_prompts_models_and_days(owner, workspace):
    run_of(workspace, drafts="AE", distances=(0.0, 0.5), cost=25 * CENT)

    page = owner.get(reverse("aiwriter:usage")).content.decode()

    assert "$0.2500" in page
    assert "writer@v1" in page
    assert "25 %" in page, "a quarter of the words was changed"
    assert page.count('<rect class="f-delivered"') == 1
    assert "Cost by day" in page


def test_the_page_warns_and_says_when_the_writer_has_stopped(owner, workspace):
    set_budget(workspace=workspace, actor=None, cap_micro_usd=10 * CENT, warn_percent=80)
    run_of(workspace, cost=9 * CENT)
    assert "Nearly used up" in owner.get(reverse("aiwriter:usage")).content.decode()

    run_of(workspace, cost=CENT)
    assert "The writer has stopped" in owner.get(reverse("aiwriter:usage")).content.decode()


def test_months_are_turned_back_to_the_first_call_and_no_further(owner, workspace):
    last_month = parse_month("") - timedelta(days=2)
    run_of(workspace, at=last_month)

    now = owner.get(reverse("aiwriter:usage")).content.decode()
    earlier = owner.get(reverse("aiwriter:usage"), {"month": f"{last_month:%Y-%m}"}).content.decode()

    assert f"?month={last_month:%Y-%m}" in now
    assert "The month before" not in earlier
    assert "The month after" in earlier
    assert owner.get(reverse("aiwriter:usage"), {"month": "2999-01"}).status_code == 404


def test_an_empty_month_says_what_will_stand_there(owner):
    assert "No calls to models in this month" in owner.get(reverse("aiwriter:usage")).content.decode()


# --- models that end -------------------------------------------------------------------------------------------------
def test_the_studio_tells_which_models_end_soon_and_what_takes_over(owner):
    today = timezone.now().date()
    ModelPrice.objects.all().update(shutdown_date=None)
    ModelPrice.objects.filter(model="gpt-4.1").update(
        shutdown_date=today + timedelta(days=59), replacement="gpt-6-luna"
    )
    ModelPrice.objects.filter(model="claude-sonnet-5-5").update(
        shutdown_date=today + timedelta(days=61), replacement="claude-opus-5-5"
    )
    ModelPrice.objects.filter(model="claude-haiku-5-5").update(shutdown_date=today + timedelta(days=3), replacement="")

    page = owner.get(reverse("aiwriter:studio")).content.decode()

    assert "gpt-4.1 ends on" in page
    assert "gpt-6-luna takes over" in page
    assert "claude-haiku-5-5 ends on" in page
    assert "an operator has to name a replacement" in page
    assert "claude-sonnet-5-5 ends" not in page

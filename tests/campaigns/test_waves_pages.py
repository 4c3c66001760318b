"""What pages, files and /v1 say about those who are held back."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from accounts.models import Activity
from analytics.selectors import get_campaign_stats
from analytics.selectors.live import get_live_snapshot
from campaigns.delivery import pipeline
from campaigns.models import Campaign, Experiment
from campaigns.services import waves
from pulsequill.templatetags.ui import STATUS_LOOKS
from tests.campaigns.making import make_member
from tests.campaigns.test_waves import fresh, launch, make_test, parts_of, variants_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    """Some held out, some first readers, some behind them, most waiting for the test."""
    return launch(make_test(300, test_share=40, holdout_share=10, canary_share=20))


@pytest.fixture
def client(campaign: Campaign) -> Client:
    client = Client()
    client.force_login(make_member(campaign.workspace))
    return client


def test_the_ledger_says_what_each_row_waits_for(campaign: Campaign, client: Client) -> None:
    counts = parts_of(campaign)
    address = f"/campaigns/{campaign.pk}/messages"
    page = client.get(address, {"status": "held"}).content.decode()
    assert STATUS_LOOKS["held"].text == "Held back"
    assert f"Waits for the result of the test ({counts[('held', 'waits_for_test')]})" in page
    assert f"Waits while the first readers are watched ({counts[('held', 'waits_for_canary')]})" in page
    only = client.get(address, {"status": "held", "reason": "waits_for_canary"}).content.decode()
    assert "Waits while the first readers are watched</td>" in only
    assert "Waits for the result of the test</td>" not in only
    skipped = client.get(address, {"status": "skipped"}).content.decode()
    assert "Held out on purpose, to compare with" in skipped


def test_one_row_tells_it_too(campaign: Campaign, client: Client) -> None:
    held = campaign.messages.filter(status="held", variant=None).first()
    page = client.get(f"/campaigns/{campaign.pk}/messages", {"open": str(held.public_id)}).content.decode()
    assert "Planned" in page and "Waits for the result of the test" in page


def test_the_file_says_it_in_words(campaign: Campaign, client: Client) -> None:
    answer = client.get(f"/campaigns/{campaign.pk}/messages.csv", {"status": "held"})
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[arg-type]
    assert {line["status"] for line in lines} == {"Held back"}
    assert {line["reason"] for line in lines if not line["variant"]} == {"Waits for the result of the test"}


def test_v1_lists_them_by_their_status(campaign: Campaign, client: Client) -> None:
    found = client.get(f"/v1/campaigns/{campaign.pk}/messages", {"status": "held", "limit": 5}).json()["results"]
    assert found and {row["status"] for row in found} == {"held"}
    assert {row["reason"] for row in found} <= {"waits_for_test", "waits_for_canary"}
    audience = client.get(f"/v1/campaigns/{campaign.pk}/audience").json()
    assert audience["waits_for_test"] is True


def test_figures_count_them_as_not_tried_yet(campaign: Campaign) -> None:
    counts = parts_of(campaign)
    held = sum(count for (status, _reason), count in counts.items() if status == "held")
    out = counts[("skipped", "held_out")]
    stats = get_campaign_stats(campaign)
    assert (stats["recipients"], stats["held"], stats["skipped"]) == (300, held, out)
    assert sum(variant["held"] for variant in stats["variants"]) == counts[("held", "waits_for_canary")]
    pipeline.deliver(campaign_id=campaign.pk)
    progress = get_live_snapshot(fresh(campaign))["progress"]
    assert progress["done"] == 300 - held
    assert progress["to_send"] == 300 - out


def test_a_person_reads_in_the_log_who_was_let_go_and_why(campaign: Campaign) -> None:
    waves.release_canary(campaign=campaign)
    waves.release_rest(campaign=campaign, shares={variants_of(campaign)[1]: 1}, reason="B was ahead.")
    kinds = {row.kind: row for row in Activity.objects.filter(workspace=campaign.workspace)}
    assert "more were released" in kinds["campaign.canary_released"].summary
    assert "get variant B" in kinds["campaign.rest_released"].summary
    assert kinds["campaign.rest_released"].data["reason"] == "B was ahead."


def test_the_review_says_that_the_rest_waits_for_the_test(client: Client, campaign: Campaign) -> None:
    draft = make_test(50)
    draft_client = Client()
    draft_client.force_login(make_member(draft.workspace))
    page = draft_client.get(f"/campaigns/{draft.pk}/review").content.decode()
    assert "everybody else waits for its result" in page
    Experiment.objects.filter(campaign=draft).update(mode="even")
    page = draft_client.get(f"/campaigns/{draft.pk}/review").content.decode()
    assert "everybody else waits" not in page


def test_the_review_says_how_many_get_it_and_how_many_are_held_back() -> None:
    draft = make_test(200, mode="", holdout_share=10)
    client = Client()
    client.force_login(make_member(draft.workspace))
    said = [client.get(f"/campaigns/{draft.pk}/review").content.decode()]
    said.append(client.post(f"/campaigns/{draft.pk}/review/estimate", {"when": "now"}).content.decode())
    counts = parts_of(launch(draft))
    mailed, held = counts[("queued", "")], counts[("skipped", "held_out")]
    assert 0 < held < 200
    for page in said:
        assert f"{mailed} contacts, {held} held back to compare with" in page
        assert f"Send to {mailed}<" in page
    assert "Held out, to compare with" in said[0]

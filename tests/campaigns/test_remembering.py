"""What campaigns teach the writer: their words as samples, their winners as examples, and campaigns that are alike."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from aiwriter.models import BrandSample, Exemplar
from campaigns.models import Campaign, Variant
from campaigns.selectors.texts import similar_campaigns, variant_text
from campaigns.services.remembering import remember_campaign_winner, sample_campaigns
from pulsequill.core.errors import Invalid, WrongState
from tests.aiwriter.making import make_member, make_workspace
from tests.aiwriter.test_voices import LETTERS


@pytest.fixture
def workspace(db):
    return make_workspace()


def campaign(
    workspace, name: str, text: str, *, status: str = "sent", body_format: str = "blocks", **fields
) -> Campaign:
    row = Campaign.objects.create(workspace=workspace, name=name, status=status)
    paragraphs = "".join(f"<p>{one}</p>" for one in text.split("\n\n"))
    body = [{"id": "a1", "type": "text", "html": paragraphs}] if body_format == "blocks" else paragraphs
    Variant.objects.create(
        workspace=workspace, campaign=row, subject=f"{name} for you", body=body, format=body_format, **fields
    )
    return row


def test_sent_campaigns_become_samples_once(workspace):
    rows = [campaign(workspace, "Harvest", LETTERS[0]), campaign(workspace, "Kettle", LETTERS[1], body_format="html")]
    draft = campaign(workspace, "Draft", LETTERS[2], status="draft")
    chosen = [str(row.pk) for row in (*rows, draft)]

    samples = sample_campaigns(workspace=workspace, actor=None, chosen=chosen)
    again = sample_campaigns(workspace=workspace, actor=None, chosen=chosen)

    assert {sample.title for sample in samples} == {"Harvest for you", "Kettle for you"}
    assert {sample.campaign_id for sample in samples} == {row.pk for row in rows}
    assert all(sample.source == "campaign" for sample in samples)
    assert {sample.pk for sample in again} == {sample.pk for sample in samples}
    assert BrandSample.objects.count() == 2


def test_choosing_nothing_or_somebody_elses_is_refused(workspace):
    foreign = campaign(make_workspace("Rival Tea"), "Tea", LETTERS[0])

    for chosen in ([], [str(foreign.pk)], ["no-id"]):
        with pytest.raises(Invalid):
            sample_campaigns(workspace=workspace, actor=None, chosen=chosen)


def test_the_winner_of_a_test_is_told_to_the_writer(workspace):
    row = campaign(workspace, "Harvest", LETTERS[0])
    with pytest.raises(WrongState):
        remember_campaign_winner(campaign=row, metric="click_rate", value=0.05, sample_size=900)
    Variant.objects.filter(campaign=row).update(is_winner=True)

    remember_campaign_winner(campaign=row, metric="click_rate", value=0.05, sample_size=900)
    remember_campaign_winner(campaign=row, metric="click_rate", value=0.06, sample_size=1800)

    exemplar = Exemplar.objects.get()
    assert (exemplar.campaign_id, exemplar.title) == (row.pk, "Harvest for you")
    assert exemplar.why == "won a test by click rate, 6.0% of 1,800 people"
    assert "tastes of plum" in exemplar.text


def test_campaigns_that_say_the_like_are_found_within_the_workspace(workspace):
    row = campaign(workspace, "Harvest", LETTERS[0])
    alike = campaign(workspace, "Harvest again", LETTERS[0].replace("plum", "pear"))
    campaign(workspace, "Numbers", "Quarterly figures: revenue, margin, churn.")
    campaign(make_workspace("Rival Tea"), "Copy", LETTERS[0])

    [first, *others] = similar_campaigns(row)

    assert first.campaign == alike
    assert first.similarity > 0.8
    assert first.label == "keyword similarity"
    assert all(one.campaign.workspace_id == workspace.pk for one in others)


def test_markup_that_cannot_be_read_says_nothing(workspace):
    row = campaign(workspace, "Monster", "x")
    variant = row.variants.get()
    variant.format, variant.body = "html", "<div>" * 2000 + "words"

    assert variant_text(variant) == "Monster for you"


def test_the_pages_lead_on_to_learning(workspace, client: Client):
    client.force_login(make_member(workspace))
    row = campaign(workspace, "Harvest", LETTERS[0])
    campaign(workspace, "Harvest again", LETTERS[0])

    assert "Harvest for you" in client.get(reverse("campaigns:voice_samples")).content.decode()
    assert "No sent campaign" in client.get(reverse("campaigns:voice_samples") + "?q=xyzzy").content.decode()
    answer = client.post(reverse("campaigns:voice_samples"), {"campaign": [str(row.pk)]})
    sample = BrandSample.objects.get()
    assert answer.headers["Location"] == f"{reverse('aiwriter:voice_learn')}?sample={sample.pk}"
    assert f'value="{sample.pk}" checked' in client.get(answer.headers["Location"]).content.decode()
    similar = client.get(reverse("campaigns:similar", args=[row.pk])).content.decode()
    assert "Harvest again" in similar
    assert "keyword similarity" in similar

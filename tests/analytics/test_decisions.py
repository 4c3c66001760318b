"""Ending A/B tests: by the rule, once, and told to whoever learns from it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Activity
from aiwriter.models import Exemplar
from analytics.decisions import decide, open_tests
from analytics.models import CampaignStats
from analytics.tasks import decide_tests
from campaigns.models import Campaign, Experiment, Message, Variant
from campaigns.services.winners import name_winner
from pulsequill.core.errors import WrongState
from tests.analytics.making import SENT_AT, Mailing, make_mailing

NOW = SENT_AT + timedelta(hours=3)
#: What a test that nobody planned is given, counted from the minute after its last mail.
PATIENCE = timedelta(hours=Experiment.EVEN_HOURS)
TIME_UP = SENT_AT + timedelta(minutes=1) + PATIENCE
#: Delivered and human clicks of two variants.
CLEAR = ((4000, 120), (4000, 240))
CLOSE = ((400, 12), (400, 15))


def compared(*figures: tuple[int, int], machine_clicks: int = 0) -> Mailing:
    """A campaign with a variant for each pair of delivered mails and human clicks."""
    mailing = make_mailing(size=2, variants=len(figures))
    body = [{"id": "a1", "type": "text", "html": "<p>The harvest lot is back, and it tastes of plum.</p>"}]
    Variant.objects.filter(campaign=mailing.campaign).update(body=body)
    for variant, (delivered, clicks) in zip(mailing.variants, figures, strict=True):
        CampaignStats.objects.create(
            campaign=mailing.campaign, variant=variant, delivered=delivered, unique_clicks=clicks,
            machine_clicks=machine_clicks,
        )  # fmt: skip
    return mailing


def winners(mailing: Mailing) -> list[str]:
    rows = Variant.objects.filter(campaign=mailing.campaign, is_winner=True)
    return list(rows.values_list("label", flat=True))


def test_a_clear_lead_in_human_clicks_wins_and_is_told_to_the_writer(db):
    mailing = compared(*CLEAR)

    experiment = decide(mailing.campaign.pk, now=NOW)

    assert winners(mailing) == ["B"]
    assert experiment.decided_at == NOW
    assert experiment.outcome.startswith("B won: click rate 6.00% of 4,000, ahead of the other beyond chance")
    exemplar = Exemplar.objects.get()
    assert (exemplar.origin, exemplar.campaign_id, exemplar.sample_size) == ("winner", mailing.campaign.pk, 8000)
    assert Activity.objects.filter(kind="campaign.winner_named").count() == 1


def test_a_close_race_goes_on_and_ends_without_a_winner_when_its_time_is_up(db):
    mailing = compared(*CLOSE)
    assert decide(mailing.campaign.pk, now=NOW).decided_at is None

    Campaign.objects.update(status=Campaign.Status.SENT, finished_at=NOW)
    assert decide(mailing.campaign.pk, now=TIME_UP - timedelta(minutes=1)).decided_at is None
    experiment = decide(mailing.campaign.pk, now=TIME_UP)

    assert experiment.outcome == "No difference that matters after 800 deliveries."
    assert winners(mailing) == []
    assert not Exemplar.objects.exists()


def test_what_was_decided_is_not_decided_again(db):
    mailing = compared(*CLEAR)
    decide(mailing.campaign.pk, now=NOW)
    CampaignStats.objects.filter(variant=mailing.variants[0]).update(unique_clicks=3000)

    again = decide(mailing.campaign.pk, now=NOW + timedelta(days=1))

    assert again.decided_at == NOW
    assert winners(mailing) == ["B"]
    assert not open_tests(NOW).exists()


def test_nothing_is_concluded_when_people_were_not_split_as_planned(db):
    mailing = compared((4000, 120), (2500, 200))

    assert decide(mailing.campaign.pk, now=NOW).outcome.startswith("No conclusion")
    assert winners(mailing) == []


def test_machines_decide_nothing(db):
    mailing = compared((4000, 0), (4000, 0), machine_clicks=900)

    assert decide(mailing.campaign.pk, now=NOW).decided_at is None


def test_the_metric_that_was_chosen_decides(db):
    mailing = compared(*CLEAR)
    Experiment.objects.create(workspace=mailing.workspace, campaign=mailing.campaign, metric="opens")
    CampaignStats.objects.filter(variant=mailing.variants[0]).update(unique_opens=2000)
    CampaignStats.objects.filter(variant=mailing.variants[1]).update(unique_opens=1200)

    assert decide(mailing.campaign.pk, now=NOW).outcome.startswith("A won: open rate 50.00%")
    assert winners(mailing) == ["A"]


def test_beat_judges_launched_campaigns_with_several_variants(db, time_machine):
    time_machine.move_to(NOW, tick=False)
    mailing, single, draft = compared(*CLEAR), compared((4000, 240)), compared(*CLEAR)
    Campaign.objects.filter(pk=draft.campaign.pk).update(status=Campaign.Status.DRAFT, launched_at=None)

    decide_tests()

    assert [winners(each) for each in (mailing, single, draft)] == [["B"], [], []]


def test_many_older_tests_of_others_keep_no_test_from_being_judged(db, time_machine):
    time_machine.move_to(NOW, tick=False)
    crowd = compared(*CLOSE)
    older = Campaign.objects.bulk_create(
        Campaign(workspace=crowd.workspace, name=f"C{n}", status="sending", launched_at=NOW - timedelta(days=9))
        for n in range(201)
    )
    Variant.objects.bulk_create(
        Variant(workspace=crowd.workspace, campaign=campaign, label=label, share=50)
        for campaign in older
        for label in "AB"
    )
    mailing = compared(*CLEAR)

    decide_tests()

    assert winners(mailing) == ["B"]


def test_a_paused_campaign_is_asked_about_only_when_nobody_waits_for_its_test(db):
    idle, waiting = compared(*CLOSE), compared(*CLOSE)
    Campaign.objects.update(status=Campaign.Status.PAUSED)
    assert set(open_tests(NOW)) == {idle.campaign, waiting.campaign}
    Message.objects.filter(pk=waiting.messages[0].pk).update(status=Message.Status.HELD, variant=None)
    assert set(open_tests(NOW)) == {idle.campaign}
    Campaign.objects.update(status=Campaign.Status.SENDING)
    assert set(open_tests(NOW)) == {idle.campaign, waiting.campaign}


def test_a_test_has_one_winner_and_a_draft_has_none(db):
    mailing = compared(*CLEAR)
    name_winner(variant=mailing.variants[0], reason="Chosen by hand.")
    name_winner(variant=mailing.variants[0], reason="Chosen again.")
    with pytest.raises(WrongState):
        name_winner(variant=mailing.variants[1], reason="Too late.")
    assert Activity.objects.filter(kind="campaign.winner_named").count() == 1

    draft = compared(*CLEAR)
    Campaign.objects.filter(pk=draft.campaign.pk).update(status=Campaign.Status.DRAFT, launched_at=None)
    with pytest.raises(WrongState):
        name_winner(variant=draft.variants[0], reason="Nothing was sent.")

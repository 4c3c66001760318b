"""Tests of which a part is sent first: the winner to the rest, the fallback, a person's choice, and a bandit's waves.

Campaigns are launched and delivered; readers click through the facts that the consumer would have stored.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Activity, Notification
from analytics.decisions import decide
from analytics.models import CampaignStats, Conversion, Goal
from analytics.selectors.experiment import get_experiment
from analytics.services.experiments import choose_winner
from campaigns.delivery import pipeline
from campaigns.models import Campaign, DeliveryMinute, Experiment, Message, Variant
from campaigns.selectors.waves import get_waves
from campaigns.services import sending
from pulsequill.core.errors import Invalid, WrongState
from tests.campaigns.making import make_member
from tests.campaigns.test_waves import fresh, launch, make_test

pytestmark = pytest.mark.django_db


def deliver(campaign: Campaign) -> None:
    pipeline.deliver(campaign_id=str(campaign.pk))


def started(
    size: int = 400, *, shares: tuple[int, ...] = (50, 50), delays: tuple[int, ...] = (), **plan: Any
) -> Campaign:
    """A campaign whose first part has been delivered."""
    share = plan.pop("test_share", 50)
    campaign = make_test(size, shares=shares, test_share=share, mode=plan.pop("mode", "winner"))
    Experiment.objects.update(**{"minimum_lift": 0.5, **plan})
    campaign = launch(campaign)
    deliver(campaign)
    return fresh(campaign)


def labelled(campaign: Campaign, label: str) -> Variant:
    return Variant.objects.get(campaign=campaign, label=label)


def click(campaign: Campaign, **many: int) -> None:
    """Let so many readers of the variants click who have not yet: the fact on the message, and the rollup."""
    for label, number in many.items():
        variant = labelled(campaign, label)
        unread = Message.objects.filter(variant=variant, sent_at__isnull=False, first_clicked_at=None).order_by(
            "-sent_at", "id"
        )
        chosen = list(unread.values_list("pk", flat=True)[:number])
        assert len(chosen) == number, "there are not so many readers"
        Message.objects.filter(pk__in=chosen).update(first_clicked_at=F("sent_at") + timedelta(minutes=1))
        stats, _ = CampaignStats.objects.get_or_create(campaign=campaign, variant=variant)
        CampaignStats.objects.filter(pk=stats.pk).update(unique_clicks=F("unique_clicks") + number)


def wait(campaign: Campaign, **passed: float) -> None:
    """Let time pass: everything that happened happened earlier."""
    span = timedelta(**passed)
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=F("launched_at") - span)
    Message.objects.filter(campaign=campaign, sent_at__isnull=False).update(
        sent_at=F("sent_at") - span, first_clicked_at=F("first_clicked_at") - span
    )
    for minute in DeliveryMinute.objects.filter(campaign=campaign).order_by("minute"):
        DeliveryMinute.objects.filter(pk=minute.pk).update(minute=minute.minute - span)
    test = Experiment.objects.get(campaign=campaign)
    for wave in test.waves:
        wave["at"] = (datetime.fromisoformat(wave["at"]) - span).isoformat()
    Experiment.objects.filter(pk=test.pk).update(waves=test.waves)


def judged(campaign: Campaign) -> Experiment:
    return decide(campaign.pk, now=timezone.now())


def rest_of(campaign: Campaign) -> Counter[tuple[str, str | None]]:
    """Status and variant of those who were not in the test."""
    rows = Message.objects.filter(campaign=campaign, is_test=False, sent_at=None)
    return Counter(rows.values_list("status", "variant__label"))


def told(kind: str) -> int:
    return Activity.objects.filter(kind=kind).count()


# --- the winner goes to the rest -------------------------------------------------------------------------------------
def test_the_winner_goes_to_the_rest_with_the_figures_it_was_chosen_by() -> None:
    campaign = started()
    waiting = get_waves(campaign)["held_for_test"]
    assert judged(campaign).decided_at is None, "nobody has clicked"
    click(campaign, A=8, B=60)

    test = judged(campaign)

    assert (test.state, test.winner) == ("winner", labelled(campaign, "B"))
    assert test.outcome.startswith("B won: click rate")
    assert rest_of(campaign) == {("queued", "B"): waiting}
    assert [(wave["recipients"], wave["shares"]) for wave in test.waves] == [(waiting, {"B": 1.0})]
    assert test.result["variants"][1]["converted"] == 60
    deliver(campaign)
    assert Campaign.objects.get(pk=campaign.pk).status == "sent"
    shown = get_experiment(fresh(campaign))
    assert sum(lane["exposed"] for lane in shown["variants"]) == 400 - waiting, "the rest is not part of the test"
    assert (shown["winner"], shown["p_value"] < 0.05, shown["can_choose"]) == ("B", True, False)
    assert told("campaign.winner_named") == told("campaign.rest_released") == 1


@pytest.mark.parametrize(("fallback", "expected"), [("leader", {"B"}), ("split", {"A", "B"})])
def test_without_a_winner_the_fallback_decides_when_time_is_up(fallback: str, expected: set[str]) -> None:
    campaign = started(fallback=fallback)
    click(campaign, A=8, B=10)
    wait(campaign, hours=3)
    assert judged(campaign).decided_at is None, "four hours were agreed"
    wait(campaign, hours=2)

    test = judged(campaign)

    assert (test.state, test.winner) == ("no_difference", None)
    assert test.outcome.startswith("No difference that matters after")
    assert {label for _, label in rest_of(campaign)} == expected
    assert {status for status, _ in rest_of(campaign)} == {"queued"}
    assert not Variant.objects.filter(is_winner=True).exists(), "being ahead is not winning"
    assert told("campaign.test_ended") == 1


def test_a_person_is_asked_and_nothing_leaves_before_they_choose() -> None:
    campaign = started(fallback="ask")
    person = make_member(campaign.workspace)
    waiting = get_waves(campaign)["held_for_test"]
    wait(campaign, hours=5)
    test = judged(campaign)
    assert (test.state, rest_of(campaign)) == ("no_difference", {("held", None): waiting})
    assert Notification.objects.filter(workspace=campaign.workspace, kind="campaign.test_waits").exists()
    assert get_experiment(fresh(campaign))["waits_for_person"]
    judged(campaign)
    assert told("campaign.test_waits") == 1

    chosen = choose_winner(campaign=campaign, variant=labelled(campaign, "A"), actor=person, reason="Our  tone")

    assert (chosen.winner, chosen.decided_by, chosen.outcome) == (
        labelled(campaign, "A"), person, f"{person} sent A to the rest: Our tone",
    )  # fmt: skip
    assert rest_of(campaign) == {("queued", "A"): waiting}


def test_a_person_who_sends_the_winner_gets_it_told_and_no_mail_leaves_by_itself() -> None:
    campaign = started(chooser="person")
    waiting = get_waves(campaign)["held_for_test"]
    click(campaign, A=8, B=60)
    test = judged(campaign)
    assert (test.state, test.winner) == ("winner", None)
    assert test.outcome.startswith("B is ahead: click rate")
    assert rest_of(campaign) == {("held", None): waiting}
    person = make_member(campaign.workspace)
    choose_winner(campaign=campaign, variant=labelled(campaign, "B"), actor=person)
    assert rest_of(campaign) == {("queued", "B"): waiting}
    assert labelled(campaign, "B").is_winner


def test_the_same_choice_twice_is_one_and_another_is_refused() -> None:
    campaign = started()
    first = choose_winner(campaign=campaign, variant=labelled(campaign, "A"), actor=None, reason="Ends tonight")
    assert (first.state, first.result["leader"] in "AB") == ("no_difference", True)
    again = choose_winner(campaign=campaign, variant=labelled(campaign, "A"), actor=None, reason="Another reason")
    assert "Ends tonight" in again.outcome
    assert told("campaign.rest_released") == told("campaign.winner_named") == 1
    with pytest.raises(WrongState):
        choose_winner(campaign=campaign, variant=labelled(campaign, "B"), actor=None)


def test_what_nobody_waits_for_cannot_be_chosen() -> None:
    even = started(60, mode="even")
    with pytest.raises(WrongState, match="Nobody waits"):
        choose_winner(campaign=even, variant=labelled(even, "A"), actor=None)
    with pytest.raises(Invalid):
        choose_winner(campaign=even, variant=labelled(even, "A"), actor=None, reason="x" * 161)
    other = started(60)
    with pytest.raises(Invalid):
        choose_winner(campaign=other, variant=labelled(even, "A"), actor=None)


def test_a_broken_split_ends_without_a_conclusion_and_asks() -> None:
    campaign = started()
    DeliveryMinute.objects.filter(variant=labelled(campaign, "A")).update(delivered=0)
    test = judged(campaign)
    assert (test.state, test.outcome.startswith("No conclusion")) == ("broken_split", True)
    assert {status for status, _ in rest_of(campaign)} == {"held"}
    assert told("campaign.test_waits") == 1
    assert get_experiment(fresh(campaign))["split"]["is_broken"]


def test_nothing_is_released_while_a_campaign_is_paused_or_after_it_was_cancelled() -> None:
    campaign = started()
    click(campaign, A=8, B=60)
    sending.pause_campaign(campaign=fresh(campaign), actor=None)
    assert judged(campaign).decided_at is None
    with pytest.raises(WrongState, match="Resume"):
        choose_winner(campaign=fresh(campaign), variant=labelled(campaign, "B"), actor=None)
    assert not get_experiment(fresh(campaign))["can_choose"]
    sending.resume_campaign(campaign=fresh(campaign), actor=None)
    assert judged(campaign).state == "winner"

    stopped = started()
    click(stopped, A=8, B=60)
    sending.cancel_campaign(campaign=fresh(stopped), actor=None)
    assert judged(stopped).decided_at is None
    assert {status for status, _ in rest_of(stopped)} == {"skipped"}
    with pytest.raises(WrongState):
        choose_winner(campaign=fresh(stopped), variant=labelled(stopped, "B"), actor=None)


@pytest.mark.django_db(transaction=True)
def test_of_two_beats_at_once_one_decides() -> None:
    campaign = started()
    waiting = get_waves(campaign)["held_for_test"]
    click(campaign, A=2, B=40)
    gate, decided = threading.Barrier(3), []

    def beat() -> None:
        gate.wait()
        decided.append(judged(campaign).state)
        close_old_connections()
        connection.close()

    beats = [threading.Thread(target=beat) for _ in range(3)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join()
    assert decided == ["winner"] * 3
    assert len(Experiment.objects.get().waves) == 1
    assert Message.objects.filter(status="queued", variant__label="B").count() == waiting
    assert told("campaign.winner_named") == told("campaign.rest_released") == 1


def test_variants_that_leave_at_different_times_are_read_for_the_same_time() -> None:
    campaign = make_test(400, test_share=50, delays=(0, 120))
    Experiment.objects.update(minimum_lift=0.5)
    campaign = launch(campaign)
    deliver(campaign)
    click(campaign, A=60)
    assert judged(campaign).decided_at is None, "the other one has not left"
    Message.objects.filter(variant__label="B", status="queued").update(due_at=timezone.now())
    deliver(campaign)
    assert judged(campaign).decided_at is None, "the other one has had no time"
    late = Message.objects.filter(variant__label="A", first_clicked_at__isnull=False)
    late.update(first_clicked_at=F("sent_at") + timedelta(hours=5))
    click(campaign, B=20)
    wait(campaign, hours=5)

    test = judged(campaign)

    assert [lane["converted"] for lane in test.result["variants"]] == [0, 20], (
        "who clicked after four hours is too late"
    )
    assert test.winner == labelled(campaign, "B")


# --- goals and revenue -----------------------------------------------------------------------------------------------
def buy(campaign: Campaign, goal: Goal, label: str, amounts: list[int]) -> None:
    rows = Message.objects.filter(variant__label=label, campaign=campaign, sent_at__isnull=False).order_by("id")
    for row, amount in zip(rows, amounts, strict=False):
        Conversion.objects.create(
            workspace=campaign.workspace, goal=goal, campaign=campaign, variant=row.variant, message=row, times=1,
            currency="EUR" if amount else "", value=amount, first_at=row.sent_at + timedelta(minutes=3),
        )  # fmt: skip


def test_a_test_by_a_goal_counts_messages_once_and_other_goals_not() -> None:
    campaign = started(metric="goal", goal_key="order")
    order = Goal.objects.create(workspace=campaign.workspace, key="order", name="Order")
    other = Goal.objects.create(workspace=campaign.workspace, key="other", name="Other")
    buy(campaign, order, "A", [0] * 5)
    buy(campaign, order, "A", [100] * 5)  # the same messages, in a currency
    buy(campaign, order, "B", [0] * 55)
    buy(campaign, other, "A", [0] * 60)
    test = judged(campaign)
    assert [lane["converted"] for lane in test.result["variants"]] == [5, 55]
    assert (test.state, test.outcome.startswith("B won: goal rate")) == ("winner", True)


def test_a_test_by_any_goal_counts_a_message_with_two_goals_once() -> None:
    campaign = started(metric="goal")
    for key in ("order", "other"):
        goal = Goal.objects.create(workspace=campaign.workspace, key=key, name=key)
        buy(campaign, goal, "A", [0] * 5)
    assert [lane["converted"] for lane in get_experiment(campaign)["variants"]] == [5, 0]


def test_revenue_is_a_mean_over_all_recipients_in_the_currency_that_most_name() -> None:
    campaign = started(metric="revenue")
    goal = Goal.objects.create(workspace=campaign.workspace, key="order", name="Order")
    buy(campaign, goal, "A", [1000] * 4)
    buy(campaign, goal, "B", [1500, 2500] * 25)
    Conversion.objects.filter(variant__label="A").update(currency="USD")
    shown = get_experiment(campaign)
    first, second = shown["variants"]
    assert (shown["currency"], shown["unit"], first["value"], second["value"]) == ("EUR", "money", 0, 100_000)
    assert second["rate"] == pytest.approx(100_000 / second["exposed"])
    assert second["low"] < second["rate"] < second["high"]
    # the standard error of a mean with its zeros
    n, squares = second["exposed"], 25 * (1500**2 + 2500**2)
    error = ((squares - 100_000**2 / n) / (n - 1) / n) ** 0.5
    assert (second["high"] - second["low"]) / 2 == pytest.approx(1.959964 * error, rel=1e-4)


def test_a_goal_that_was_deleted_was_reached_by_nobody() -> None:
    campaign = started(60, metric="goal", goal_key="gone")
    other = Goal.objects.create(workspace=campaign.workspace, key="other", name="Other")
    buy(campaign, other, "A", [0] * 5)
    assert [lane["converted"] for lane in get_experiment(campaign)["variants"]] == [0, 0]


# --- the bandit ------------------------------------------------------------------------------------------------------
def bandit(size: int = 600, **plan: Any) -> Campaign:
    return started(size, mode="bandit", **{"test_share": 20, **plan})


def waves_of(campaign: Campaign) -> list[dict[str, Any]]:
    return list(Experiment.objects.get(campaign=campaign).waves)


def test_a_bandit_waits_for_its_wave_and_then_sends_a_larger_one_with_more_of_what_works() -> None:
    campaign = bandit(test_share=10)
    assert judged(campaign).decided_at is None
    first = Message.objects.filter(campaign=campaign, sent_at__isnull=False).count()
    assert [(wave["recipients"], wave["shares"]) for wave in waves_of(campaign)] == [(first, {"A": 0.5, "B": 0.5})]
    click(campaign, A=2, B=7)
    judged(campaign)
    assert len(waves_of(campaign)) == 1, "its time is not over"
    wait(campaign, hours=5)

    judged(campaign)

    second = waves_of(campaign)[1]
    assert second["shares"]["B"] > 0.8
    assert sum(second["shares"].values()) == pytest.approx(1)
    got = Counter(Message.objects.filter(campaign=campaign, status="queued").values_list("variant__label", flat=True))
    assert got.total() == second["recipients"] == 2 * first
    assert got["B"] > got["A"] > 0, "nobody falls below the floor"
    judged(campaign)
    assert len(waves_of(campaign)) == 2, "it is still leaving"


def test_a_bandit_goes_on_until_nobody_waits_and_then_says_that_there_is_no_difference() -> None:
    campaign = bandit(700, test_share=10)
    judged(campaign)
    for _ in range(6):
        sent = Message.objects.filter(campaign=campaign, sent_at__isnull=False).count()
        click(campaign, **{label: max(1, sent // 60) for label in "AB"})
        wait(campaign, hours=5)
        judged(campaign)
        deliver(campaign)
    test = Experiment.objects.get()
    assert (test.state, test.winner) == ("no_difference", None)
    sizes = [wave["recipients"] for wave in test.waves]
    assert sum(sizes) == 700
    assert sizes[1] == 2 * sizes[0]
    assert Campaign.objects.get(pk=campaign.pk).status == "sent"


def test_a_winner_gets_all_the_rest_of_a_bandit() -> None:
    campaign = bandit()
    judged(campaign)
    click(campaign, A=1, B=35)
    wait(campaign, hours=5)
    waiting = get_waves(campaign)["held_for_test"]
    test = judged(campaign)
    assert (test.state, test.winner) == ("winner", labelled(campaign, "B"))
    assert rest_of(campaign) == {("queued", "B"): waiting}


def test_each_wave_is_compared_with_its_own_shares() -> None:
    # Both variants are equals. The second wave is livelier and went mostly to B: added up, B looks far better.
    campaign = bandit(2000, minimum_lift=0.3)
    judged(campaign)
    click(campaign, A=4, B=11)
    wait(campaign, hours=5)
    judged(campaign)
    deliver(campaign)
    second = Counter(
        Message.objects.filter(
            campaign=campaign, first_clicked_at=None, sent_at__gt=timezone.now() - timedelta(hours=1)
        ).values_list("variant__label", flat=True)
    )
    click(campaign, A=round(0.4 * second["A"]), B=round(0.4 * second["B"]))
    shown = get_experiment(fresh(campaign))
    first, other = shown["variants"]
    added_up = [lane["converted"] / lane["exposed"] for lane in shown["variants"]]
    assert added_up[1] > 1.5 * added_up[0]
    assert other["rate"] < 1.25 * first["rate"], "evened out they are about equal"
    assert not shown["split"]["is_broken"], "each wave was split as it should have been"
    assert shown["p_value"] > 0.05
    assert judged(campaign).decided_at is None


def test_a_bandit_by_revenue_shifts_and_names_no_winner() -> None:
    campaign = bandit(metric="revenue")
    judged(campaign)
    goal = Goal.objects.create(workspace=campaign.workspace, key="order", name="Order")
    buy(campaign, goal, "A", [500, 700] * 5)
    buy(campaign, goal, "B", [4000, 6000] * 20)
    wait(campaign, hours=5)
    assert judged(campaign).decided_at is None
    assert waves_of(campaign)[1]["shares"]["B"] > 0.9
    assert get_experiment(fresh(campaign))["p_value"] is None


# --- /v1 -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def api() -> Iterator[APIClient]:
    return APIClient()  # type: ignore[return-value]


def test_the_api_shows_where_a_test_stands_and_lets_a_person_choose(api: APIClient) -> None:
    campaign = started(120, minimum_lift=0.2)
    api.force_login(make_member(campaign.workspace))
    address = f"/v1/campaigns/{campaign.pk}/experiment"
    click(campaign, A=3, B=9)
    shown = api.get(address).json()
    assert (shown["mode"], shown["state"], shown["leader"], shown["can_choose"]) == ("winner", "running", "B", True)
    assert shown["held"]["held_for_test"] > 0
    assert shown["missing"] > 0
    assert sum(lane["is_best"] for lane in shown["variants"]) == pytest.approx(1, abs=1e-5)
    assert api.post(f"{address}/choose", {"variant": "C"}, format="json").status_code == 404
    assert api.post(f"{address}/choose", {}, format="json").status_code == 400
    answer = api.post(f"{address}/choose", {"variant": "A", "reason": "Legal says so"}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["winner"], answer.json()["held"]["held_for_test"]) == ("A", 0)
    assert api.post(f"{address}/choose", {"variant": "A"}, format="json").status_code == 200
    refused = api.post(f"{address}/choose", {"variant": "B"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_one_variant_is_no_test_in_the_api(api: APIClient) -> None:
    campaign = launch(make_test(5, shares=(100,)))
    api.force_login(make_member(campaign.workspace))
    assert api.get(f"/v1/campaigns/{campaign.pk}/experiment").status_code == 404

"""Planning an A/B test: what a plan may say, that it is fixed at the launch, and what preflight thinks of it."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Workspace
from analytics.experiments.planning import needed_people
from analytics.models import CampaignStats, Goal
from analytics.selectors.prospects import USUAL, get_base_rate, get_prospect, visible_lift
from campaigns.models import Campaign, Experiment, Variant
from campaigns.preflight import examine
from campaigns.services import composing
from pulsequill.core.errors import DomainError, Invalid, WrongState
from tests.campaigns.making import (
    HELLO,
    make_campaign,
    make_contact,
    make_list,
    make_member,
    make_sender,
    make_workspace,
)

pytestmark = pytest.mark.django_db

TWO = [
    {"label": "A", "subject": "The harvest lot is here", "preview_text": "Picked in June", "body": HELLO},
    {"label": "B", "subject": "Plum, cocoa, gone by Friday", "preview_text": "Picked in June", "body": HELLO},
]


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def api(workspace: Workspace) -> APIClient:
    client = APIClient(headers={"X-Workspace": workspace.slug})
    client.force_login(make_member(workspace))
    return client


def with_two(workspace: Workspace, **changes: Any) -> Campaign:
    return make_campaign(workspace, variants=TWO, **changes)


def launched(campaign: Campaign) -> Campaign:
    Campaign.objects.filter(pk=campaign.pk).update(status="sending", launched_at="2026-06-02T10:00:00Z")
    campaign.refresh_from_db()
    return campaign


def codes(campaign: Campaign) -> dict[str, str]:
    return {finding.code: finding.severity.value for finding in examine(campaign).findings if "test" in finding.code}


# --- the plan in /v1 -------------------------------------------------------------------------------------------------
def test_a_campaign_is_made_with_its_test_and_shows_it(api: APIClient, workspace: Workspace) -> None:
    sender = make_sender(workspace)
    plan = {"mode": "winner", "metric": "opens", "test_share": 30, "minimum_lift": 0.25, "chooser": "person",
            "fallback": "ask"}  # fmt: skip
    variants = [{"label": "A", "subject": "One"}, {"label": "B", "subject": "Two", "sender": str(sender.pk),
                                                    "send_delay_minutes": 90}]  # fmt: skip
    answer = api.post(
        "/v1/campaigns",
        {"name": "Harvest", "variants": variants, "experiment": plan, "holdout_share": 5, "canary_share": 3,
         "canary_minutes": 45},
        format="json",
    )  # fmt: skip
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["experiment"] == {
        **plan, "goal_key": "", "alpha": 0.05, "decide_after_hours": Experiment().decide_after_hours,
    }  # fmt: skip
    assert (made["holdout_share"], made["canary_share"], made["canary_minutes"]) == (5, 3, 45)
    assert [(one["sender"], one["send_delay_minutes"]) for one in made["variants"]] == [(None, 0), (str(sender.pk), 90)]


def test_a_campaign_without_a_plan_says_so_and_a_plan_can_be_given_up(api: APIClient, workspace: Workspace) -> None:
    campaign = with_two(workspace)
    address = f"/v1/campaigns/{campaign.pk}"
    assert api.get(address).json()["experiment"] is None
    assert (
        api.patch(address, {"experiment": {"mode": "bandit"}}, format="json").json()["experiment"]["mode"] == "bandit"
    )
    assert (
        api.patch(address, {"experiment": {"test_share": 10}}, format="json").json()["experiment"]["mode"] == "bandit"
    )
    assert api.patch(address, {"experiment": None}, format="json").json()["experiment"] is None


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"mode": "coin"}, "experiment.mode"),
        ({"metric": "luck"}, "experiment.metric"),
        ({"test_share": 100}, "experiment.test_share"),
        ({"minimum_lift": 0}, "experiment.minimum_lift"),
        ({"alpha": 0.5}, "experiment.alpha"),
        ({"decide_after_hours": 0}, "experiment.decide_after_hours"),
        ({"metric": "goal", "goal_key": "order"}, "experiment.goal_key"),
        ({"state": "winner"}, "experiment.state"),
        ({"test_share": True}, "experiment.test_share"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_field(
    workspace: Workspace, plan: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        composing.update_campaign(campaign=with_two(workspace), actor=None, changes={"experiment": plan})
    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.parametrize(
    "plan",
    [{"mode": "coin"}, {"test_share": 0}, {"alpha": "much"}, {"goal_key": "no spaces"}, [], "winner", {"metric": "goal",
     "goal_key": "order"}],
)  # fmt: skip
def test_the_api_answers_a_bad_plan_with_the_field(api: APIClient, workspace: Workspace, plan: Any) -> None:
    answer = api.patch(f"/v1/campaigns/{with_two(workspace).pk}", {"experiment": plan}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("experiment")


def test_a_goal_has_to_exist_and_other_metrics_have_none(workspace: Workspace) -> None:
    Goal.objects.create(workspace=workspace, key="order", name="Order")
    campaign = with_two(workspace, experiment={"mode": "winner", "metric": "goal", "goal_key": "order"})
    assert campaign.experiment.goal_key == "order"
    composing.update_campaign(campaign=campaign, actor=None, changes={"experiment": {"metric": "clicks"}})
    assert Experiment.objects.get().goal_key == ""
    foreign = with_two(make_workspace("Other"))
    with pytest.raises(Invalid):
        composing.update_campaign(
            campaign=foreign, actor=None, changes={"experiment": {"metric": "goal", "goal_key": "order"}}
        )


def test_what_a_mode_has_no_use_for_becomes_the_default(workspace: Workspace) -> None:
    campaign = with_two(
        workspace, experiment={"mode": "winner", "chooser": "person", "fallback": "ask", "test_share": 40}
    )
    assert campaign.experiment.decide_after_hours == 4
    composing.update_campaign(campaign=campaign, actor=None, changes={"experiment": {"mode": "even"}})
    plan = Experiment.objects.get()
    assert (plan.chooser, plan.fallback, plan.decide_after_hours) == ("rule", "leader", Experiment.EVEN_HOURS)
    composing.update_campaign(campaign=campaign, actor=None, changes={"experiment": {"mode": "bandit"}})
    assert Experiment.objects.get().decide_after_hours == 4


def test_the_rule_is_fixed_at_the_launch(api: APIClient, workspace: Workspace) -> None:
    campaign = launched(with_two(workspace, experiment={"mode": "winner"}))
    answer = api.patch(f"/v1/campaigns/{campaign.pk}", {"experiment": {"metric": "opens"}}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert "fixed at its launch" in answer.json()["detail"]
    with pytest.raises(WrongState):
        composing.update_campaign(campaign=campaign, actor=None, changes={"experiment": None})
    assert Experiment.objects.get().metric == "clicks"


@pytest.mark.parametrize(
    "changes",
    [
        {"holdout_share": 51}, {"canary_share": 21}, {"canary_minutes": 4}, {"holdout_share": "some"},
        {"variants": [{"label": "A", "send_delay_minutes": -1}]},
        {"variants": [{"label": "A", "send_delay_minutes": 20_000}]},
    ],
)  # fmt: skip
def test_parts_and_delays_have_bounds(workspace: Workspace, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        composing.update_campaign(campaign=with_two(workspace), actor=None, changes=changes)


def test_a_variant_has_no_sender_of_another_workspace(workspace: Workspace) -> None:
    foreign = make_sender(make_workspace("Other"))
    with pytest.raises(DomainError):
        composing.update_campaign(
            campaign=with_two(workspace), actor=None, changes={"variants": [{"label": "A", "sender": foreign}]}
        )


def test_a_copy_has_the_plan_and_not_the_result(workspace: Workspace) -> None:
    sender = make_sender(workspace)
    campaign = with_two(workspace, experiment={"mode": "bandit", "minimum_lift": 0.3}, holdout_share=10)
    composing.update_campaign(
        campaign=campaign, actor=None,
        changes={"variants": [{"label": "B", "sender": sender, "send_delay_minutes": 60}]},
    )  # fmt: skip
    Experiment.objects.update(
        state="winner", decided_at="2026-06-02T10:00:00Z", outcome="B won", winner=Variant.objects.get(label="B"),
        result={"p_value": 0.01}, waves=[{"at": "2026-06-02T10:00:00Z", "recipients": 1, "shares": {}}],
    )  # fmt: skip
    copy = composing.duplicate_campaign(campaign=launched(campaign), actor=None)
    plan = Experiment.objects.get(campaign=copy)
    assert (plan.mode, plan.minimum_lift) == ("bandit", 0.3)
    assert (plan.state, plan.decided_at, plan.outcome, plan.winner, plan.result, plan.waves) == (
        "running", None, "", None, {}, [],
    )  # fmt: skip
    second = copy.variants.get(label="B")
    assert (second.sender_id, second.send_delay_minutes, copy.holdout_share) == (sender.pk, 60, 10)


# --- what can be expected --------------------------------------------------------------------------------------------
def sent_before(workspace: Workspace, delivered: int, clicks: int, opens: int = 0) -> Campaign:
    campaign = launched(make_campaign(workspace))
    Campaign.objects.filter(pk=campaign.pk).update(status="sent")
    CampaignStats.objects.create(
        campaign=campaign,
        variant=campaign.variants.get(),
        delivered=delivered,
        unique_clicks=clicks,
        unique_opens=opens,
    )
    return campaign


def test_the_rate_is_the_workspaces_own_when_it_has_enough_of_a_past(workspace: Workspace) -> None:
    sent_before(workspace, 300, 9)
    assert get_base_rate(workspace.pk, "clicks").rate == USUAL["clicks"]
    sent_before(workspace, 700, 41)
    own = get_base_rate(workspace.pk, "clicks")
    assert (own.rate, own.people, own.campaigns, own.is_own) == (0.05, 1000, 2, True)
    assert not get_base_rate(workspace.pk, "opens").is_own
    assert not get_base_rate(make_workspace("Other").pk, "clicks").is_own


def test_the_visible_lift_is_the_one_whose_plan_needs_just_these_people() -> None:
    lift = visible_lift(0.05, 5000, 2, 0.05)
    assert lift is not None
    needed, nearly = needed_people(rate=0.05, lift=lift), needed_people(rate=0.05, lift=lift * 0.985)
    assert needed is not None
    assert nearly is not None
    assert needed <= 5000 < nearly
    assert visible_lift(0.05, 20, 2, 0.05) is None


def test_a_plan_counts_only_those_who_are_in_the_test(workspace: Workspace) -> None:
    plan = Experiment(workspace=workspace, mode="winner", test_share=20)
    assert get_prospect(plan, audience=10_000, shares=[50, 50], holdout_share=10).per_variant == 900
    plan.mode = "even"
    assert get_prospect(plan, audience=10_000, shares=[70, 30]).per_variant == 3000
    plan.mode = "bandit"
    assert get_prospect(plan, audience=10_000, shares=[70, 30]).per_variant == 5000
    plan.metric = "revenue"
    assert get_prospect(plan, audience=10_000, shares=[70, 30]) is None


# --- preflight -------------------------------------------------------------------------------------------------------
def test_preflight_warns_of_a_list_that_is_too_small_with_what_it_could_show(workspace: Workspace) -> None:
    sent_before(workspace, 1000, 200)
    readers = make_list(workspace, *[make_contact(workspace) for _ in range(60)])
    campaign = with_two(workspace, lists=[readers], experiment={"mode": "winner", "test_share": 50})
    (found,) = [one for one in examine(campaign).findings if one.code == "test_too_small"]
    assert (found.severity, found.affected) == ("warn", 60)
    assert found.message == "With 60 people this test cannot show any difference"
    composing.update_campaign(
        campaign=campaign, actor=None, changes={"experiment": {"mode": "even", "minimum_lift": 2.5}}
    )
    (found,) = [one for one in examine(campaign).findings if one.code == "test_too_small"] or [None]
    assert found is None or "you can only see differences of" in found.message


def test_preflight_is_content_with_a_test_that_can_show_what_it_is_for(workspace: Workspace) -> None:
    sent_before(workspace, 1000, 400)
    readers = make_list(workspace, *[make_contact(workspace) for _ in range(160)])
    campaign = with_two(workspace, lists=[readers], experiment={"minimum_lift": 1.4})
    assert codes(campaign) == {}
    assert "The list is large enough for its A/B test" in examine(campaign).passed


def test_preflight_blocks_tests_that_cannot_end(workspace: Workspace) -> None:
    single = make_campaign(workspace, experiment={"mode": "winner"})
    assert codes(single)["test_without_variants"] == "block"
    blind = with_two(workspace, track_clicks=False)
    assert codes(blind)["test_not_tracked"] == "block"
    composing.update_campaign(campaign=blind, actor=None, changes={"experiment": {"metric": "opens"}})
    assert "test_not_tracked" not in codes(blind)


def test_preflight_sees_variants_that_are_the_same(workspace: Workspace) -> None:
    campaign = with_two(workspace)
    assert "test_of_the_same" not in codes(campaign)
    composing.update_campaign(
        campaign=campaign, actor=None, changes={"variants": [{"label": "B", "subject": TWO[0]["subject"]}]}
    )
    assert codes(campaign)["test_of_the_same"] == "warn"
    composing.update_campaign(
        campaign=campaign, actor=None, changes={"variants": [{"label": "B", "send_delay_minutes": 60}]}
    )
    assert "test_of_the_same" not in codes(campaign)


def test_one_variant_is_no_test(workspace: Workspace) -> None:
    assert codes(make_campaign(workspace)) == {}

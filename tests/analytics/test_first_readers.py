"""What is said before the launch about first readers who are too few to show anything."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Workspace
from analytics.brake import is_reached
from analytics.first_readers import fewest
from campaigns import preflight
from campaigns.models import Campaign, Experiment
from tests.campaigns.making import make_campaign, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db
OFF = {"bounce_rate": None, "complaint_rate": None, "unsubscribe_rate": None}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def told(workspace: Workspace, *, readers: int, **columns: Any) -> dict[str, preflight.Finding]:
    """What is found about a campaign of so many readers, by code."""
    people = make_list(workspace, *(make_contact(workspace) for _ in range(readers)))
    variants = [{"label": label, "subject": label} for label in columns.pop("labels", "A")]
    campaign = make_campaign(workspace, lists=[people], variants=variants)
    plan = columns.pop("test", None)
    if plan:
        Experiment.objects.create(workspace=workspace, campaign=campaign, **plan)
    Campaign.objects.filter(pk=campaign.pk).update(**columns)
    return {finding.code: finding for finding in preflight.run(Campaign.objects.get(pk=campaign.pk))}


def test_first_readers_of_a_short_list_are_called_too_few(workspace: Workspace) -> None:
    finding = told(workspace, readers=2, canary_share=1)["first_readers_too_few"]
    assert finding.severity == "warn"
    assert finding.message == "About 2 people would get it first, too few to show anything"
    assert finding.affected == 2
    assert finding.fix_url.endswith("/review#when")


def test_the_people_that_fill_a_small_draw_are_counted(workspace: Workspace) -> None:
    found = told(workspace, readers=100, canary_share=1)
    assert found["first_readers_few"].affected == 10
    assert "first_readers_too_few" not in found


def test_those_who_show_only_great_trouble_are_called_few(workspace: Workspace) -> None:
    found = told(workspace, readers=100, canary_share=10)
    finding = found["first_readers_few"]
    assert finding.severity == "info"
    assert "only from 5 of them on" in finding.detail
    assert "limit is 5 %" in finding.detail
    assert "first_readers_too_few" not in found


def test_only_those_of_the_test_are_counted_when_the_rest_waits_for_it(workspace: Workspace) -> None:
    winner = {"mode": Experiment.Mode.WINNER, "test_share": 10}
    tested = told(workspace, readers=120, labels="AB", canary_share=10, test=winner)
    whole = told(workspace, readers=120, labels="AB", canary_share=10)
    assert (tested["first_readers_few"].affected, whole["first_readers_few"].affected) == (10, 12)


def test_nothing_is_said_when_nobody_is_first_when_nothing_is_watched_or_when_they_are_enough(
    workspace: Workspace,
) -> None:
    silent = (
        told(workspace, readers=20),
        told(workspace, readers=20, canary_share=5, brake=OFF),
        told(workspace, readers=0, canary_share=5),
        told(workspace, readers=150, canary_share=20, brake={"bounce_rate": 0.1}),
    )
    assert not {code for found in silent for code in found if code.startswith("first_readers")}


@pytest.mark.parametrize(
    ("readers", "limit", "count"),
    [
        (0, 0.05, None), (2, 0.05, None), (3, 0.05, 3), (5, 0.05, 4), (10, 0.05, 5), (9, 0.5, None), (10, 0.5, 10),
        (10, 0.003, 3),
    ],
)  # fmt: skip
def test_how_many_must_come_to_grief_is_what_the_brake_says(readers: int, limit: float, count: int | None) -> None:
    assert fewest(readers, limit) == count
    assert count is None or (is_reached(count, readers, limit) and not is_reached(count - 1, readers, limit))

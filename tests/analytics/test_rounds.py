"""Rounds: everybody is reached, wherever a round had to end."""

from __future__ import annotations

from uuid import UUID

import pytest

from accounts.models import Workspace
from analytics.rounds import in_turn
from tests.analytics.making import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys() -> list[UUID]:
    return sorted(make_workspace(f"Workspace {n}").pk for n in range(5))


def test_a_round_that_has_time_reaches_everybody_once(keys: list[UUID]) -> None:
    rows = Workspace.objects.all()
    assert list(in_turn("all", rows)) == keys
    assert sorted(in_turn("all", rows)) == keys


def test_a_round_goes_on_where_the_last_one_ended(keys: list[UUID]) -> None:
    rounds = [list(in_turn("short", Workspace.objects.all(), seconds=0)) for _ in range(6)]
    assert rounds == [[key] for key in [*keys, keys[0]]]


def test_rounds_know_nothing_of_each_other(keys: list[UUID]) -> None:
    assert list(in_turn("one", Workspace.objects.all(), seconds=0)) == keys[:1]
    assert list(in_turn("other", Workspace.objects.all(), seconds=0)) == keys[:1]


def test_who_takes_the_worker_down_does_not_come_first_again(keys: list[UUID]) -> None:
    for key in in_turn("hard", Workspace.objects.all()):
        assert key == keys[0]
        break  # the worker is gone
    assert next(in_turn("hard", Workspace.objects.all())) == keys[1]


def test_a_round_goes_on_when_the_one_it_came_to_is_gone(keys: list[UUID]) -> None:
    list(in_turn("gone", Workspace.objects.all(), seconds=0))
    Workspace.objects.filter(pk=keys[0]).delete()
    assert list(in_turn("gone", Workspace.objects.all())) == keys[1:]


def test_a_round_over_nothing_is_over(db: None) -> None:
    assert list(in_turn("none", Workspace.objects.none())) == []

"""`/v1/campaigns/{id}/live` and the frames of the socket say what the API's document says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from analytics.v1.live import LiveSerializer
from tests.analytics.live_happenings import HAPPENINGS, Stage
from tests.analytics.making import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A campaign to which everything has happened."""
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(patch)
        for number, name in enumerate(HAPPENINGS):
            stage.happen(name, number, 90)
        yield stage


def assert_told(serializer: Any, value: Any, where: str = "live") -> None:
    """Fail when an object has a key that its serializer does not tell of, or lacks one."""
    if isinstance(serializer, serializers.ListSerializer):
        assert value, f"{where} is empty, so nothing is shown"
        for one in value:
            assert_told(serializer.child, one, where)
    elif isinstance(serializer, serializers.Serializer):
        assert set(value) == set(serializer.fields), where
        for name, field in serializer.fields.items():
            assert_told(field, value[name], f"{where}.{name}")


def test_the_snapshot_has_what_the_document_tells(stage: Stage) -> None:
    client = APIClient()
    client.force_login(make_member(stage.mailing.workspace))
    answer = client.get(f"/v1/campaigns/{stage.campaign.pk}/live").json()
    assert_told(LiveSerializer(), answer)
    assert answer["alerts"][0]["pauses_at"] == pytest.approx(0.05)


def test_frames_have_the_same_shape_in_two_halves(stage: Stage) -> None:
    totals, parts = (json.loads(text) for _, text in stage.publish())
    told = set(LiveSerializer().fields)
    assert (set(totals), set(parts)) == (told - {"parts"}, {"seq", "type", "at", "parts"})
    assert_told(LiveSerializer(), {**parts, **totals})

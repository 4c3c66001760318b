"""Snapshot plus frames equals a reload, whatever is lost, repeated or out of order on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.live import frames
from analytics.selectors import get_live_snapshot
from campaigns.models import Campaign
from pulsequill.core.valkey import streams_client
from tests.analytics.live_happenings import HAPPENINGS, Stage

happenings = st.tuples(
    st.sampled_from(sorted(HAPPENINGS)), st.integers(0, 20), st.integers(2, 90) | st.integers(2, 4000)
)
#: What happens, and what becomes of the frames that tell of it.
rounds = st.lists(
    st.tuples(
        st.lists(happenings, min_size=1, max_size=4),
        st.sampled_from(("come", "come", "lost", "first lost", "last lost", "twice", "swapped", "reconnect")),
    ),
    min_size=1,
    max_size=8,
)


class Watcher:
    """A client of `/ws/campaigns/<id>` as the README describes one."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.connect()

    def connect(self) -> None:
        """Take what a socket gets when it opens."""
        self.last, text = frames.opening_frame(Campaign.objects.select_related("workspace").get(pk=self.campaign.pk))
        self.state: dict[str, Any] = json.loads(text)

    def take(self, seq: int, text: str) -> None:
        """Take a frame: a gap means a new snapshot, and what is older than what is there says nothing."""
        if seq > self.last + 1:
            self.connect()
        self.last = max(self.last, seq)
        frame = json.loads(text)
        if frame["seq"] > self.state["seq"]:
            self.state |= frame

    def hear_heartbeat(self, seq: int) -> None:
        """A heartbeat names the last number; whoever does not have it missed something."""
        if seq > self.last:
            self.connect()


def arriving(sent: list[tuple[int, str]], fate: str) -> list[tuple[int, str]]:
    """Return the frames in the order in which they arrive."""
    return {
        "come": sent, "lost": [], "first lost": sent[1:], "last lost": sent[:-1],
        "twice": [frame for frame in sent for _ in range(2)], "swapped": sent[::-1], "reconnect": [],
    }[fate]  # fmt: skip


def lasting(state: dict[str, Any]) -> dict[str, Any]:
    """Return all of a state that is not about the moment at which it was read."""
    kept = {key: value for key, value in state.items() if key not in ("seq", "type", "at")}
    return {**kept, "progress": {key: value for key, value in kept["progress"].items() if key != "finish_at"}}


@pytest.mark.django_db
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds)
def test_snapshot_plus_frames_equals_a_reload(history: list[tuple[list[tuple[str, int, int]], str]]) -> None:
    streams_client().flushall()
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(patch)
        watcher = Watcher(stage.campaign)
        for happened, fate in history:
            for name, number, seconds in happened:
                stage.happen(name, number, seconds)
            sent = stage.publish()
            assert [json.loads(text)["type"] for _, text in sent] == ["totals", "parts"]
            if fate == "reconnect":
                watcher.connect()
            for seq, text in arriving(sent, fate):
                watcher.take(seq, text)
        watcher.hear_heartbeat(sent[-1][0])
        reload = json.loads(json.dumps(get_live_snapshot(Campaign.objects.get(pk=stage.campaign.pk))))
        assert lasting(watcher.state) == lasting(reload)
        assert set(reload["parts"]) == {"mailboxes", "devices", "clients", "countries", "hours", "machines"}

"""When and how fast a campaign leaves, over `/v1`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns.making import make_campaign, make_contact, make_list
from tests.campaigns.test_v1_campaigns import Caller, call

__all__ = ["call"]

pytestmark = pytest.mark.django_db


def test_the_pace_is_written_read_and_foretold(call: Caller) -> None:
    people = [make_contact(call.workspace, time_zone=zone) for zone in ("Asia/Tokyo", "")]
    campaign = make_campaign(call.workspace, lists=[make_list(call.workspace, *people)])
    window = {"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
    pace = {"timezone_mode": "contact", "send_window": window, "throttle_per_hour": 5000}
    path = f"campaigns/{campaign.pk}"
    assert call("PATCH", path, pace).json().items() >= pace.items()
    audience = call("GET", f"{path}/audience").json()
    assert audience["finish_estimate"] > audience["starts_at"]
    assert audience["limited_by"] in ("window", "local_time", "throttle")
    assert call("PATCH", path, {"send_window": {}}).json()["send_window"] == {}
    copy = call("POST", f"{path}/duplicate", {}).json()
    assert (copy["timezone_mode"], copy["throttle_per_hour"]) == ("contact", 5000)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone_mode": "mars"}, "timezone_mode"),
        ({"send_window": {"weekdays": []}}, "send_window.weekdays"),
        ({"send_window": {"from": "9", "to": "17:00"}}, "send_window.from"),
        ({"send_window": "always"}, "send_window"),
        ({"throttle_per_hour": 0}, "throttle_per_hour"),
    ],
)
def test_a_pace_that_cannot_be_kept_is_refused_by_the_name_of_its_field(
    call: Caller, change: dict[str, Any], field: str
) -> None:
    campaign = make_campaign(call.workspace)
    answer = call("PATCH", f"campaigns/{campaign.pk}", change)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]

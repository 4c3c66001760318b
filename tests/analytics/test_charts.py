"""Chart geometry: pure functions that the script repeats."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.views.charts import draw
from pulsequill.core.charts import funnel, nice_top, running_totals, shades, sparkline, stacked_areas


@given(st.floats(0, 1e9, allow_nan=False))
def test_the_top_is_round_and_holds_the_largest_value(largest: float) -> None:
    top = nice_top(largest)
    assert top >= largest
    assert top >= 4
    assert top % 4 == 0


def test_areas_stand_on_each_other() -> None:
    chart = stacked_areas([{"a": 1, "b": 3}, {"a": 2, "b": 2}], ["a", "b"])
    assert chart.ticks == [4, 3, 2, 1, 0]
    assert chart.layers[0].path == "M0.0 150.0L600.0 100.0L600.0 200.0L0.0 200.0Z"
    assert chart.layers[1].path == "M0.0 0.0L600.0 0.0L600.0 100.0L0.0 150.0Z"


def test_nothing_and_a_single_point_can_be_drawn() -> None:
    assert [layer.path for layer in stacked_areas([], ["a"]).layers] == [""]
    assert stacked_areas([{"a": 4}], ["a"]).layers[0].path == "M0.0 0.0L600.0 0.0L600.0 200.0L0.0 200.0Z"
    assert sparkline([]) == ("", "")
    assert sparkline([5])[0] == "M0.0 25.0L100.0 25.0"


@pytest.mark.parametrize(("opens", "is_empty"), [(0, True), (1, False)])
def test_a_chart_in_which_nothing_happened_knows_it(opens: int, is_empty: bool) -> None:
    points = [{"minute": f"2025-06-02T10:0{minute}:00Z", "opens": opens * minute} for minute in range(3)]
    chart = draw(points, [("opens", "Opens", "f-human")], step_minutes=1, zone=ZoneInfo("UTC"))
    assert chart["is_empty"] is is_empty


def test_a_funnel_narrows_with_its_values() -> None:
    bands = funnel([100, 50, 0])
    assert bands[0].startswith("M0.0 0.0")
    assert bands[1].endswith("200.0 88.0Z")
    assert "22.0" in bands[1]
    assert funnel([0, 0]) != []


def test_running_totals_add_up_and_keep_the_rest() -> None:
    points = [{"minute": "a", "x": 1}, {"minute": "b", "x": 2, "y": 3}]
    assert running_totals(points, ["x"]) == [{"minute": "a", "x": 1}, {"minute": "b", "x": 3, "y": 3}]
    assert points[1]["x"] == 2


def test_shades_go_by_the_share_of_the_largest() -> None:
    assert shades([[0, 1, 50], [20, 99, 100]]) == [[0, 1, 3], [1, 5, 5]]
    assert shades([[0, 0]]) == [[0, 0]]
    assert shades([]) == []

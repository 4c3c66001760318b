"""A stacked chart over time for templates: `_plot.html` shows what `draw` returns, `plot.js` reads values off it.

Every page with such a chart uses these three; the same figures stand below it as a table, which the page writes itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pulsequill.core.charts import running_totals, stacked_areas

#: Name in the points, word in the legend, class of the colour (`static/css/components/charts.css`, `.f-…`).
Series = tuple[str, str, str]


def draw(
    points: Sequence[Mapping[str, Any]],
    series: Sequence[Series],
    *,
    step_minutes: int,
    zone: ZoneInfo,
    is_cumulative: bool = False,
) -> dict[str, Any]:
    """Return the context `chart` of `templates/analytics/_plot.html`.

    Args:
        points: one mapping a step, oldest first, as `get_timeline` returns them; `minute` is its moment (RFC 3339).
        series: what to draw, lowest first.
        step_minutes: how long a step is.
        zone: whose times stand below the chart.
        is_cumulative: add up from the left edge on.
    """
    names = [name for name, _, _ in series]
    drawn = stacked_areas(running_totals(points, names) if is_cumulative else points, names)
    return {
        "layers": [
            {"name": name, "tone": tone, "path": layer.path}
            for (name, _, tone), layer in zip(series, drawn.layers, strict=True)
        ],
        "legend": [{"name": name, "label": label, "tone": tone} for name, label, tone in reversed(series)],
        "ticks": drawn.ticks,
        "axis": axis_labels(points, step_minutes, zone),
        "is_empty": not any(point[name] for point in points for name in names),
    }


def axis_labels(points: Sequence[Mapping[str, Any]], step_minutes: int, zone: ZoneInfo) -> list[str]:
    """Return five times below a chart, from its first point to its last."""
    if not points:
        return []
    last = len(points) - 1
    moments = [datetime.fromisoformat(points[round(last * n / 4)]["minute"]).astimezone(zone) for n in range(5)]
    is_long = step_minutes * len(points) > 24 * 60
    return [moment.strftime("%-d %b %H:%M" if is_long else "%H:%M") for moment in moments]

"""Geometry of the charts: numbers in, SVG path data out. Templates draw, `static/js/analytics/chart.js` patches.

Words never stand in the SVG (it is stretched); ticks and labels are HTML beside it. Every function is pure, and the
script computes the same paths from the same numbers, so a page that is patched looks as if it was just loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 600.0, 200.0
TICKS = 4
#: First digits that a rounded maximum may have, so that quarters of it are round too.
_ROUND = (1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class Layer:
    """One area of a stacked chart."""

    name: str
    path: str


@dataclass(frozen=True)
class StackedChart:
    """Areas from the lowest up, and the values of the horizontal lines from the top down."""

    layers: list[Layer]
    ticks: list[int]
    top: int


def nice_top(largest: float) -> int:
    """Return a round number of at least `largest` (and at least 4) that four lines divide evenly."""
    if largest <= TICKS:
        return TICKS
    scale = 10 ** math.floor(math.log10(largest))
    for first in _ROUND:
        top = first * scale
        if top >= largest and top % TICKS == 0:
            return int(top)
    return math.ceil(largest / TICKS) * TICKS


def _number(value: float) -> str:
    return f"{value:.1f}"


def stacked_areas(points: Sequence[Mapping[str, float]], names: Sequence[str]) -> StackedChart:
    """Return the areas of `names`, stacked in that order from the bottom.

    Args:
        points: one mapping a step, oldest first; missing names count as 0.
        names: the series to draw, lowest first.
    """
    sums = [sum(point.get(name, 0) for name in names) for point in points]
    top = nice_top(max(sums, default=0))
    step = WIDTH / max(1, len(points) - 1)
    xs = [_number(index * step) for index in range(len(points))]
    if len(points) == 1:
        xs = [_number(0), _number(WIDTH)]
        points = [points[0], points[0]]
    below = [0.0] * len(points)
    layers = []
    for name in names:
        above = [low + point.get(name, 0) for low, point in zip(below, points, strict=True)]
        edge = [f"{x} {_number(HEIGHT - value / top * HEIGHT)}" for x, value in zip(xs, above, strict=True)]
        base = [f"{x} {_number(HEIGHT - value / top * HEIGHT)}" for x, value in zip(xs, below, strict=True)]
        layers.append(Layer(name, f"M{'L'.join(edge)}L{'L'.join(reversed(base))}Z" if edge else ""))
        below = above
    return StackedChart(layers, [top * part // TICKS for part in range(TICKS, -1, -1)], top)


def running_totals(points: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the points with each of `names` added up from the first point on; everything else as it is."""
    sums = dict.fromkeys(names, 0)
    added = []
    for point in points:
        for name in names:
            sums[name] += point.get(name, 0)
        added.append({**point, **sums})
    return added


#: Shades of a heat map, from 0 (nothing) to this one (the most).
SHADES = 5


def shades(rows: Sequence[Sequence[float]]) -> list[list[int]]:
    """Return the shade of each cell of a heat map: 0 for nothing, else by its share of the largest."""
    largest = max((value for row in rows for value in row), default=0) or 1
    return [[math.ceil(value / largest * SHADES) if value > 0 else 0 for value in row] for row in rows]


@dataclass(frozen=True)
class Bar:
    """One part of one column, in the units of the picture."""

    name: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class BarChart:
    """Stacked columns, and the values of the horizontal lines from the top down."""

    bars: list[Bar]
    ticks: list[int]
    top: int


def stacked_bars(points: Sequence[Mapping[str, float]], names: Sequence[str], *, steps: int = 0) -> BarChart:
    """Return a column for each point, its parts stacked in the order of `names` from the bottom.

    Args:
        points: one mapping a step, oldest first; missing names count as 0.
        steps: how many columns the whole width has room for; fewer than the points counts as their number.
    """
    top = nice_top(max((sum(point.get(name, 0) for name in names) for point in points), default=0))
    step = WIDTH / max(steps, len(points), 1)
    gap = min(4.0, step * 0.3)
    bars = []
    for index, point in enumerate(points):
        low = HEIGHT
        for name in names:
            if tall := point.get(name, 0) / top * HEIGHT:
                low -= tall
                x = index * step + gap / 2
                bars.append(Bar(name, _number(x), _number(low), _number(step - gap), _number(tall)))
    return BarChart(bars, [top * part // TICKS for part in range(TICKS, -1, -1)], top)


def sparkline(
    values: Sequence[float], *, width: float = 100.0, height: float = 28.0, margin: float = 3.0
) -> tuple[str, str]:
    """Return the line and the area below it of a small chart without axes; a flat series lies at the bottom."""
    if not values:
        return "", ""
    if len(values) == 1:
        values = [values[0], values[0]]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = width / (len(values) - 1)
    edge = [
        f"{_number(index * step)} {_number(height - margin - (value - low) / span * (height - 2 * margin))}"
        for index, value in enumerate(values)
    ]
    line = f"M{'L'.join(edge)}"
    return line, f"{line}L{_number(width)} {_number(height)}L0 {_number(height)}Z"


def funnel(values: Sequence[float], *, width: float = WIDTH, height: float = 88.0) -> list[str]:
    """Return one band for each value, as tall as its share of the first; neighbours are joined by a curve."""
    first = max(values[0] if values else 0, 1)
    heights = [max(min(value / first, 1.0) * height, 1.0 if value else 0.0) for value in values]
    part = width / max(1, len(values))
    bands = []
    for index, tall in enumerate(heights):
        before = heights[max(0, index - 1)]
        left, right = index * part, (index + 1) * part
        bend = left + part * 0.55
        straight = left + part * 0.6
        a, b = (height - before) / 2, (height - tall) / 2
        bands.append(
            f"M{_number(left)} {_number(a)}C{_number(bend)} {_number(a)} {_number(straight)} {_number(b)} "
            f"{_number(right)} {_number(b)}V{_number(height - b)}C{_number(straight)} {_number(height - b)} "
            f"{_number(bend)} {_number(height - a)} {_number(left)} {_number(height - a)}Z"
        )
    return bands

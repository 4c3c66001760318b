"""Lines beside each other on one scale, such as the curves of campaigns: numbers in, SVG path data out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pulsequill.core.charts import HEIGHT, TICKS, WIDTH

#: First digits that the top of a scale may have.
_ROUND = (1.0, 2.0, 4.0, 5.0, 8.0, 10.0)


@dataclass(frozen=True)
class LineChart:
    """One path a series, and the values of the horizontal lines from the top down."""

    paths: list[str]
    ticks: list[float]
    top: float


def _top(largest: float) -> float:
    scale = 1.0
    while scale > largest > 0:
        scale /= 10
    while scale * 10 <= largest:
        scale *= 10
    return next((first * scale for first in _ROUND if first * scale >= largest), 10 * scale) if largest > 0 else 1.0


def lines(series: Sequence[Sequence[float]], *, steps: int = 0) -> LineChart:
    """Return a line for each series; all share one axis, and a shorter one ends where it ends.

    Args:
        series: values a step, none below zero.
        steps: how many the axis has; 0: as many as the longest series.
    """
    top = _top(max((value for values in series for value in values), default=0.0))
    step = WIDTH / max(1, steps, max((len(values) for values in series), default=1) - 1)
    paths = []
    for values in series:
        points = [f"{index * step:.1f} {HEIGHT - value / top * HEIGHT:.1f}" for index, value in enumerate(values)]
        # A lone point is drawn as a dot: a line of no length with round ends.
        paths.append(f"M{'L'.join(points * 2 if len(points) == 1 else points)}" if points else "")
    return LineChart(paths, [top * part / TICKS for part in range(TICKS, -1, -1)], top)

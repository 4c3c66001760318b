"""A warm-up plan as a picture: one bar for each day, on a logarithmic scale because plans grow by factors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from campaigns.selectors.providers import WarmUpDay, list_warm_up_days

WIDTH, HEIGHT, GAP = 240, 48, 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar, in the units of the picture."""

    x: float
    y: float
    width: float
    height: float
    day: WarmUpDay


@dataclass(frozen=True, slots=True)
class PlanPicture:
    """A plan with its days and bars; `total` is how many messages the whole warm-up lets through."""

    key: str
    days: list[WarmUpDay]
    bars: list[Bar]
    total: int
    width: int = WIDTH
    height: int = HEIGHT


def picture_of(key: str, plan: list[int], *, start: date, today: date) -> PlanPicture:
    """Draw a plan that begins at `start`."""
    days = list_warm_up_days(plan, start=start, today=today)
    most = max((math.log10(day.most + 1) for day in days), default=1.0)
    step = WIDTH / max(len(days), 1)
    bars = []
    for index, day in enumerate(days):
        height = round(HEIGHT * math.log10(day.most + 1) / most, 1)
        bars.append(Bar(round(index * step, 1), round(HEIGHT - height, 1), round(step - GAP, 1), height, day))
    return PlanPicture(key, days, bars, sum(plan))

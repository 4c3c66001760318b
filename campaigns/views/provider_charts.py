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
    """A plan with its days and bars."""

    key: str
    name: str
    days: list[WarmUpDay]
    bars: list[Bar]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of all plans: the most messages in each, None after a plan's end."""

    number: int
    day: date
    is_today: bool
    most: list[int | None]


def rows_of(pictures: list[PlanPicture]) -> list[DayRow]:
    """Lay the plans' days side by side."""
    longest: list[WarmUpDay] = max((picture.days for picture in pictures), key=len, default=[])
    return [
        DayRow(
            row.number,
            row.day,
            row.is_today,
            [picture.days[index].most if index < len(picture.days) else None for picture in pictures],
        )
        for index, row in enumerate(longest)
    ]


def picture_of(key: str, name: str, plan: list[int], *, start: date, today: date) -> PlanPicture:
    """Draw a plan that begins at `start`."""
    days = list_warm_up_days(plan, start=start, today=today)
    most = max((math.log10(day.most + 1) for day in days), default=1.0)
    step = WIDTH / max(len(days), 1)
    bars = []
    for index, day in enumerate(days):
        height = round(HEIGHT * math.log10(day.most + 1) / most, 1)
        bars.append(Bar(round(index * step, 1), round(HEIGHT - height, 1), round(step - GAP, 1), height, day))
    return PlanPicture(key, name, days, bars)

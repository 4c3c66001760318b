"""Can the words be read, by day and in dark mode?

WCAG 2.2, success criterion 1.4.3: 4.5 to 1, 3 to 1 for large text. Mail programs that darken a mail by themselves turn
light grounds dark and dark words light by their lightness, and leave the others alone (Outlook's apps, Gmail on
Android); that is what is computed here. Words whose dark colour our own rules set need no such guess.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterator

from campaigns.content.brand import contrast, luminance
from campaigns.preflight.examined import Examined
from campaigns.preflight.finding import Finding, Severity
from campaigns.preflight.painted import Painted, painted

ENOUGH = 4.5
ENOUGH_LARGE = 3.0
#: Lighter grounds are turned dark, darker words light.
_MIDDLE = 0.5


def find(examined: Examined) -> Iterator[Finding]:
    """Find words that stand out too little from what is behind them."""
    for label, compiled in examined.compiled.items():
        where = examined.naming(label)
        words = painted(compiled.html)
        by_day = [one for one in words if _is_faint(one, _as_written)]
        in_dark = [one for one in words if not one.has_own_dark and one not in by_day and _is_faint(one, _darkened)]
        if by_day:
            yield Finding(
                "contrast_low",
                Severity.WARN,
                f"“{_quote(by_day[0])}”{where} is hard to read",
                examined.composer,
                detail=_detail(by_day, _as_written),
            )
        if in_dark:
            yield Finding(
                "contrast_low_dark",
                Severity.WARN,
                f"“{_quote(in_dark[0])}”{where} is hard to read in dark mode",
                examined.composer,
                detail=_detail(in_dark, _darkened),
            )


def _quote(one: Painted) -> str:
    return one.words if len(one.words) <= 40 else f"{one.words[:39]}…"


def _detail(faint: list[Painted], seen: Callable[[Painted], tuple[str, str]]) -> str:
    ratio = contrast(*seen(faint[0]))
    more = f" So are {len(faint) - 1} more places." if len(faint) > 1 else ""
    return f"Contrast {ratio:.1f} to 1; {ENOUGH_LARGE if faint[0].is_large else ENOUGH} is enough.{more}"


def _is_faint(one: Painted, seen: Callable[[Painted], tuple[str, str]]) -> bool:
    return contrast(*seen(one)) < (ENOUGH_LARGE if one.is_large else ENOUGH)


def _as_written(one: Painted) -> tuple[str, str]:
    return one.colour, one.background


def _darkened(one: Painted) -> tuple[str, str]:
    colour = _turned(one.colour) if luminance(one.colour) < _MIDDLE else one.colour
    background = _turned(one.background) if luminance(one.background) > _MIDDLE else one.background
    if background == one.background:
        colour = one.colour  # a ground that stays dark keeps its words as well
    return colour, background


def _turned(colour: str) -> str:
    """Return a colour with its lightness turned around; white becomes the near black of dark mode."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    channels = colorsys.hls_to_rgb(hue, max(0.07, 1 - lightness), saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)

"""A small drawing board for flat pictures in a brand's colours, so that starters need no picture files."""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

from campaigns.content.brand import Brand

#: Pictures are drawn four times as large as they are shown, and handed out twice as large: sharp on every screen.
_DRAWN = 4
_SHIPPED = 2
#: Flat colours and their smoothed edges fit a small palette; files stay below 30 KB.
_COLOURS = 96
#: Hues (0 to 1) of accents beside which the warm highlight would not stand out.
_WARM_HUES = (0.03, 0.16)


def mix(colour: str, other: str, part: float) -> str:
    """Return `colour` with `part` (0 to 1) of `other` in it, as #rrggbb."""
    one, two = ImageColor.getrgb(colour)[:3], ImageColor.getrgb(other)[:3]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(one, two, strict=True))


@dataclass(frozen=True, slots=True)
class Palette:
    """Tones of the brand's accent from nearly white to dark, paper, and one colour that stands out."""

    pale: str
    soft: str
    mid: str
    main: str
    deep: str
    paper: str
    glow: str
    glow_soft: str

    @classmethod
    def of(cls, brand: Brand) -> Palette:
        """Return the tones for a brand."""
        accent = brand.accent
        red, green, blue = (channel / 255 for channel in ImageColor.getrgb(accent)[:3])
        hue, _lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
        is_warm = saturation > 0.25 and _WARM_HUES[0] < hue < _WARM_HUES[1]
        glow = "#4f9a94" if is_warm else "#e79a55"
        return cls(
            pale=mix(accent, brand.background, 0.88),
            soft=mix(accent, "#ffffff", 0.68),
            mid=mix(accent, "#ffffff", 0.38),
            main=mix(accent, "#ffffff", 0.08),
            deep=mix(accent, "#000000", 0.28),
            paper="#fffdf9",
            glow=glow,
            glow_soft=mix(glow, "#ffffff", 0.6),
        )


class Board:
    """A picture under construction. All measures are in the pixels that a reader sees."""

    def __init__(self, width: int, height: int, ground: str) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * _DRAWN, height * _DRAWN), ground)
        self._pen = ImageDraw.Draw(self._image)

    def oval(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Draw an ellipse around the centre x, y."""
        self._pen.ellipse(self._box(x - width / 2, y - height / 2, width, height), fill=fill)

    def box(self, x: float, y: float, width: float, height: float, fill: str, *, round_by: float = 0) -> None:
        """Draw a rectangle from its upper left corner."""
        self._pen.rounded_rectangle(self._box(x, y, width, height), radius=round_by * _DRAWN, fill=fill)

    def shape(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """Draw a filled polygon."""
        self._pen.polygon([(x * _DRAWN, y * _DRAWN) for x, y in points], fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: str, width: float) -> None:
        """Draw a line with round ends and corners."""
        self._pen.line(
            [(x * _DRAWN, y * _DRAWN) for x, y in points], fill=fill, width=round(width * _DRAWN), joint="curve"
        )
        for x, y in points:
            self.oval(x, y, width, width, fill)

    def arc(
        self, x: float, y: float, width: float, height: float, fill: str, thick: float, *, turn: float = 180
    ) -> None:
        """Draw half an ellipse's outline around x, y; `turn` is where it begins, in degrees from the right."""
        self._pen.arc(
            self._box(x - width / 2, y - height / 2, width, height), turn, turn + 180, fill=fill,
            width=round(thick * _DRAWN),
        )  # fmt: skip

    def hill(self, top: float, swing: float, phase: float, fill: str, *, waves: float = 1.2) -> None:
        """Draw a rolling ground from `top` (plus and minus `swing`) down to the lower edge."""
        steps = range(0, self.width + 1, 6)
        line = [(x, top + swing * math.sin(phase + x / self.width * math.tau * waves)) for x in steps]
        self.shape([*line, (self.width, self.height), (0, self.height)], fill)

    def star(self, x: float, y: float, size: float, fill: str) -> None:
        """Draw a five-pointed star around x, y."""
        corners = []
        for corner in range(10):
            reach = size / 2 if corner % 2 == 0 else size / 4.6
            angle = math.pi * corner / 5 - math.pi / 2
            corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
        self.shape(corners, fill)

    def png(self) -> bytes:
        """Return the picture as a PNG, twice as large as its measures."""
        shipped = self._image.resize((self.width * _SHIPPED, self.height * _SHIPPED), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        shipped.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return out.getvalue()

    def _box(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        return (x * _DRAWN, y * _DRAWN, (x + width) * _DRAWN - 1, (y + height) * _DRAWN - 1)

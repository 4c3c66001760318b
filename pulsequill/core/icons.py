"""The icon set: one SVG sprite (`static/img/icons.svg`), read once.

Templates inline the drawing (no request, takes the text colour); scripts refer to the sprite by URL.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

SPRITE = Path(__file__).resolve().parents[2] / "static" / "img" / "icons.svg"
_SYMBOL = re.compile(r'<symbol id="([a-z-]+)" viewBox="0 0 20 20">(.*?)</symbol>', re.DOTALL)


@cache
def icon_drawings() -> dict[str, str]:
    """Return name -> SVG drawing on a 20 x 20 grid."""
    return dict(_SYMBOL.findall(SPRITE.read_text(encoding="utf-8")))

"""What mail programs make of a mail in the dark, simulated for the preview.

Two kinds of programs (https://www.litmus.com/blog/the-ultimate-guide-to-dark-mode-for-email-marketers): some follow the
mail's own `prefers-color-scheme: dark` rules (Apple Mail, Outlook for Mac); others ignore them and turn light colours
dark and dark texts light themselves (Gmail's apps, Outlook.com, Outlook for Windows). Pictures stay as they are.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable

_DARK_QUERY = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_COLOUR = r"(?P<colour>#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|white\b|black\b)"
_BACKGROUND = re.compile(
    r"(?P<before>\b(?:background(?:-color)?\s*:\s*|bgcolor\s*=\s*[\"']?))" + _COLOUR, re.IGNORECASE
)
_INK = re.compile(r"(?P<before>(?<![-\w])color\s*[:=]\s*[\"']?)" + _COLOUR, re.IGNORECASE)
_NAMED = {"white": "#ffffff", "black": "#000000"}
_PAGE = "<style>html{background:#121212;color-scheme:dark}body{color:#e8e8e8}</style>"
#: Colours beyond the middle are turned; a dark button keeps its own.
_MIDDLE = 0.5


def _turned(colour: str, *, is_ink: bool) -> str:
    """Return a colour at the other end of lightness when it is light paper or dark ink, with its hue."""
    digits = _NAMED.get(colour.lower(), colour)[1:]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    hue, before, saturation = colorsys.rgb_to_hls(*(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    if (before < _MIDDLE) is not is_ink:
        return colour
    # Paper becomes a dark grey, not black, and ink an off-white: both as the programs do.
    lightness = 1 - (0.08 + before * 0.9) if is_ink else 0.1 + (1 - before) * 0.8
    # The tint keeps its strength: a warm white becomes a warm grey, not brown.
    chroma = saturation * (1 - abs(2 * before - 1))
    saturation = min(1.0, chroma / (1 - abs(2 * lightness - 1)))
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def own_dark(html: str) -> str:
    """Return the mail with its own dark rules in force."""
    return _DARK_QUERY.sub("@media all", html)


def _without_dark_rules(html: str) -> str:
    """Return the mail without its `prefers-color-scheme` blocks: these programs do not read them."""
    out, at = [], 0
    for found in _DARK_QUERY.finditer(html):
        if found.start() < at:
            continue
        end, depth = html.find("{", found.end()), 0
        while 0 <= end < len(html):
            depth += {"{": 1, "}": -1}.get(html[end], 0)
            end += 1
            if depth == 0:
                break
        out.append(html[at : found.start()])
        at = max(end, found.end())
    return "".join([*out, html[at:]])


def turned_dark(html: str) -> str:
    """Return the mail as a program shows it that turns the colours itself."""
    html = _without_dark_rules(html)
    html = _BACKGROUND.sub(lambda found: found["before"] + _turned(found["colour"], is_ink=False), html)
    html = _INK.sub(lambda found: found["before"] + _turned(found["colour"], is_ink=True), html)
    head = html.find("</head>")
    return html[:head] + _PAGE + html[head:] if head >= 0 else _PAGE + html


#: What the preview can show: name -> how the finished mail is changed for it.
LOOKS: dict[str, Callable[[str], str]] = {"light": lambda html: html, "own": own_dark, "turned": turned_dark}

"""How a workspace's mails look: colours, font and logo, with defaults that read well everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}")

#: Only fonts that every mail program has, so nothing is fetched and nothing jumps. (Roboto, Open Sans and Lato are left
#: out on purpose: MJML would add a style sheet of Google's for them.)
FONTS: dict[str, str] = {
    "sans": "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif",
    "serif": "Georgia, 'Times New Roman', serif",
    "rounded": "'Trebuchet MS', Verdana, sans-serif",
    "mono": "'SF Mono', Consolas, 'Courier New', monospace",
}


@dataclass(frozen=True, slots=True)
class Brand:
    """The look of a mail. `accent` is the colour of buttons and links."""

    accent: str = "#2f4a3c"
    background: str = "#f4f1ea"
    surface: str = "#fffdf9"
    ink: str = "#2a2420"
    muted: str = "#6b6259"
    line: str = "#e6dfd3"
    font: str = "sans"
    logo_url: str = ""
    logo_alt: str = ""
    logo_text: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Brand:
        """Return the brand of `Workspace.brand`; whatever is missing or malformed takes its default."""
        # The settings page and the API call the accent "color"; it wins over an older "accent".
        known = dict(stored or {})
        known["accent"] = known.get("color") or known.get("accent")
        chosen = {
            field.name: text
            for field in fields(cls)
            if isinstance(text := known.get(field.name), str) and _is_valid(field.name, text)
        }
        return cls(**chosen)

    @property
    def font_family(self) -> str:
        """The CSS font stack."""
        return FONTS[self.font]

    @property
    def on_accent(self) -> str:
        """White or ink, whichever stands out on the accent (WCAG 2.2 relative luminance)."""
        return "#ffffff" if contrast(self.accent, "#ffffff") >= contrast(self.accent, "#1c1925") else "#1c1925"


def _is_valid(name: str, text: str) -> bool:
    if name == "font":
        return text in FONTS
    if name == "logo_url":
        return text == "" or urlsplit(text).scheme in {"http", "https"}
    if name == "logo_alt":
        return len(text) <= 120
    if name == "logo_text":
        # It becomes part of a Mustache source: braces would be read as a tag.
        return len(text) <= 60 and "{{" not in text
    return bool(_COLOUR.fullmatch(text))


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rgb` or `#rrggbb`, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, success criterion 1.4.3)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)

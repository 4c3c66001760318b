"""What a reader used, told from the user agent: the kind of device and the program.

A table of the programs that are worth a row in a report, read from the top, instead of a library: `ua-parser` knows
1,500 browsers in a megabyte of expressions and takes a millisecond for an agent that it has not met; a report shows
eight. Unknown agents are "Other", never a guess.
"""

from __future__ import annotations

import re
from functools import lru_cache

COMPUTER, PHONE, TABLET, OTHER = "Computer", "Phone", "Tablet", "Other"

#: The first match counts: tablets say that they are phones, and Android tablets only leave out "Mobile".
_DEVICES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (TABLET, re.compile(r"iPad|Tablet|Kindle|Silk/|Android(?!.*\bMobile\b)")),
    (PHONE, re.compile(r"iPhone|iPod|Android|Windows Phone|\bMobile\b|Outlook-(?:iOS|Android)")),
    (COMPUTER, re.compile(r"Windows|Macintosh|Mac OS X|CrOS|X11|Linux|Thunderbird|Microsoft Outlook|MSOffice")),
)

#: Browsers name those whose pages they imitate, so the imitated ones come last; mail on Apple's devices names no
#: browser at all.
_PROGRAMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Thunderbird", re.compile(r"Thunderbird")),
    ("Outlook", re.compile(r"Outlook|MSOffice|ms-office")),
    ("eM Client", re.compile(r"eM ?Client")),
    ("Samsung Email", re.compile(r"SamsungEmail|Samsung Email")),
    ("Yahoo Mail", re.compile(r"YahooMobile|Yahoo(?:Mail)?/")),
    ("Gmail app", re.compile(r"\bGSA/|Gmail")),
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Internet Explorer", re.compile(r"MSIE |Trident/")),
    ("Safari", re.compile(r"Version/[\d.]+ .*Safari/|Mobile/\w+ Safari/")),
    ("Apple Mail", re.compile(r"(?:iPhone|iPad|iPod|Macintosh).*AppleWebKit")),
)


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], agent: str) -> str:
    return next((name for name, pattern in table if pattern.search(agent)), OTHER)


@lru_cache(maxsize=8192)
def read_agent(agent: str) -> tuple[str, str]:
    """Return device and program of a user agent; both are '' when there is none."""
    return (_first(_DEVICES, agent), _first(_PROGRAMS, agent)) if agent else ("", "")

"""The browser of the journeys: found where it is, installed where that is allowed, never quietly left out.

`python -m tests.browser` prints its path, or says what to do and fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: The shell first: it draws and runs the same, and opens a window in a sixth of the time, having none to show.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: Debian has the shell apart; elsewhere it is part of the other.
PACKAGES = ("chromium-headless-shell", "chromium")
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
HOW = "Install Chromium or Google Chrome, or name one: CHROMIUM=/path/to/chromium"


class NoBrowser(Exception):
    """There is none and none could be installed."""


def _works(path: Path) -> bool:
    """A Debian transitional script may stand where a browser should: only one that says its version counts."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("CHROMIUM"):
        yield Path(named)
    yield from (Path(found) for name in NAMES if (found := shutil.which(name)))
    yield from (path for path in APPLICATIONS if path.exists())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    if path.exists():
        yield path


def find_browser() -> Path:
    """Return the executable of a Chromium that starts.

    Raises:
        NoBrowser: there is none on this machine.
    """
    for path in _candidates():
        if _works(path):
            return path
    raise NoBrowser(f"No browser was found for the journeys. {HOW}")


def _install() -> None:
    """Install the distribution's Chromium where we may, else Playwright's own."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=environment, stdout=sys.stderr, check=False)
        for package in PACKAGES:
            command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
            subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
            if any(shutil.which(name) for name in NAMES):
                return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)


def ensure_browser() -> Path:
    """Return a browser, installing one when there is none.

    Raises:
        NoBrowser: neither the distribution nor Playwright could provide one.
    """
    try:
        return find_browser()
    except NoBrowser:
        sys.stderr.write("No browser is here; installing one for the journeys ...\n")
        _install()
        return find_browser()


if __name__ == "__main__":
    try:
        print(f"Journeys use {ensure_browser()}")
    except NoBrowser as problem:
        sys.exit(str(problem))

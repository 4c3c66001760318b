"""Look at all starters at once: `python -m tests.starter_sheet <folder> [#accent]`.

Leaves `desktop.png`, `mobile.png` (360 px) and `dark.png` with every starter side by side, and each one's HTML and
plain text. Needs no database.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import django
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser import find_browser
from tests.pages import ARGUMENTS

if TYPE_CHECKING:
    from campaigns.content.starters import Starter

#: Name of the sheet -> width of the window and the reader's colour scheme.
VIEWS = {"desktop": (680, "light"), "mobile": (360, "light"), "dark": (680, "dark")}
PER_ROW = 5
GAP = 16


def main(folder: Path, accent: str) -> None:
    """Render, photograph and paste together."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pulsequill.settings")
    django.setup()
    from campaigns.content.starters import all_starters

    folder.mkdir(parents=True, exist_ok=True)
    files = [write(starter, folder, accent) for starter in all_starters().values()]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        for name, (width, scheme) in VIEWS.items():
            paste([photograph(browser, file, width, scheme) for file in files]).save(folder / f"{name}.png")
        browser.close()


def write(starter: Starter, folder: Path, accent: str) -> Path:
    """Write one starter's HTML, its pictures inside, and its text; return the HTML file."""
    from accounts.models import Workspace
    from campaigns.content import mustache
    from campaigns.content.brand import Brand
    from campaigns.content.compile import compile_variant
    from campaigns.content.merge_tags import shared_context
    from campaigns.content.starters.pictures import draw_picture
    from campaigns.models import Campaign, Variant

    workspace = Workspace(
        name="Northwind Coffee", postal_address="14 Harbour Row, Bristol", brand={"logo_text": "Northwind Coffee"},
        reason_line="You get this because you joined our brew club.",
    )  # fmt: skip
    if accent:
        workspace.brand["color"] = accent
    campaign = Campaign(workspace=workspace, name=starter.name)
    variant = Variant(
        workspace=workspace, campaign=campaign, subject=starter.subject, preview_text=starter.preview_text,
        body=starter.blocks(lambda name: f"https://starter.invalid/{name}"),
    )  # fmt: skip
    compiled = compile_variant(variant=variant, campaign=campaign, workspace=workspace, has_tracking=False)
    values = shared_context(workspace, campaign) | {"first_name": "Amara"} | {tag: f"[{tag}]" for tag in starter.tags}

    def drawn(found: re.Match[str]) -> str:
        picture = draw_picture(found[1], Brand.of(workspace.brand))
        return f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"

    html = mustache.compile(compiled.html).render(values)
    file = folder / f"{starter.key}.html"
    file.write_text(re.sub(r"https://starter\.invalid/([a-z-]+)", drawn, html), "utf-8")
    (folder / f"{starter.key}.txt").write_text(mustache.compile(compiled.text).render(values), "utf-8")
    return file


def photograph(browser: Browser, file: Path, width: int, scheme: str) -> Image.Image:
    """Return a picture of the whole mail."""
    page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
    page.goto(file.resolve().as_uri())
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    page.close()
    return picture


def paste(pictures: list[Image.Image]) -> Image.Image:
    """Return the pictures in rows."""
    rows = [pictures[at : at + PER_ROW] for at in range(0, len(pictures), PER_ROW)]
    heights = [max(picture.height for picture in row) + GAP for row in rows]
    sheet = Image.new("RGB", (PER_ROW * (pictures[0].width + GAP), sum(heights)), "#808080")
    for number, row in enumerate(rows):
        for column, picture in enumerate(row):
            sheet.paste(picture, (column * (picture.width + GAP), sum(heights[:number])))
    return sheet


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")

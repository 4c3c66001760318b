"""The media page and the composer's picture block in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from campaigns.models import Asset, Campaign
from campaigns.services import assets
from campaigns.views import live_preview
from tests.campaigns.making import make_campaign, make_member, make_workspace
from tests.pages import LOOKS, PageFor, assert_accessible, assert_fits, save_picture

pytestmark = pytest.mark.django_db(transaction=True)

COLOURS = {"harvest beans on an oak table, early morning.png": "#a5512b", "logo.png": "#2f6f4f", "cup.jpg": "#394a7a"}


@pytest.fixture
def workspace(settings: Any, tmp_path: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    settings.MEDIA_ROOT = tmp_path / "media"
    # the policy of the preview names the address that was known when the module was loaded
    policy = live_preview.FRAME_POLICY.replace(settings.PUBLIC_URL, live_server.url)
    monkeypatch.setattr(live_preview, "FRAME_POLICY", policy)
    settings.PUBLIC_URL = live_server.url
    return make_workspace()


@pytest.fixture
def open_page(live_server: LiveServer, page_for: PageFor, workspace: Workspace) -> Callable[..., Page]:
    client = Client()
    client.force_login(make_member(workspace))
    name = settings.SESSION_COOKIE_NAME

    def open_at(path: str, **options: Any) -> Page:
        page = page_for(**options)
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_at


def drawn(colour: str, size: tuple[int, int] = (320, 180)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def fill(workspace: Workspace) -> None:
    for name, colour in COLOURS.items():
        assets.add_asset(
            workspace=workspace, actor=None, file=io.BytesIO(drawn(colour)), name=name, alt=f"It is {name}"
        )


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.parametrize("is_filled", [False, True], ids=["empty", "filled"])
def test_the_page_is_accessible_and_fits(
    theme: str, width: int, is_filled: bool, workspace: Workspace, open_page: Callable[..., Page]
) -> None:
    if is_filled:
        fill(workspace)
    page = open_page("/media", theme=theme, width=width)
    expect(page.locator(".gallery > li")).to_have_count(3 if is_filled else 0)
    assert_accessible(page)
    assert_fits(page)
    save_picture(page, f"media-{'filled' if is_filled else 'empty'}-{theme}-{width}")


def test_pictures_go_up_and_what_is_none_is_named(open_page: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawn("#123456"))
    (tmp_path / "b.png").write_bytes(drawn("#654321"))
    (tmp_path / "c.png").write_bytes(b"no picture")
    page = open_page("/media")
    page.expected_errors = ["400"]  # type: ignore[attr-defined]
    page.set_input_files('input[type="file"]', [tmp_path / "a.png", tmp_path / "b.png"])
    expect(page.locator(".gallery > li")).to_have_count(2)
    page.set_input_files('input[type="file"]', [tmp_path / "c.png"])
    expect(page.get_by_role("alert")).to_contain_text("c.png: Only PNG, JPEG, GIF and WebP")


def test_a_picture_is_described_and_deleted_after_a_question(
    workspace: Workspace, open_page: Callable[..., Page]
) -> None:
    fill(workspace)
    page = open_page("/media")
    page.get_by_label("What it shows").first.fill("A blue cup")
    page.get_by_role("button", name="Save what cup.jpg shows").click()
    expect(page.get_by_label("What it shows").first).to_have_value("A blue cup")
    page.get_by_role("button", name="Delete cup.jpg").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".gallery > li")).to_have_count(2)


def test_the_composer_takes_a_picture_from_media_with_its_description(
    workspace: Workspace, open_page: Callable[..., Page]
) -> None:
    fill(workspace)
    campaign: Campaign = make_campaign(
        workspace, variants=[{"label": "A", "body": [{"type": "image", "src": "", "alt": ""}]}]
    )
    page = open_page(reverse("campaigns:composer", args=[campaign.pk]))
    page.get_by_role("group", name="Picture block").focus()
    page.get_by_role("button", name="Choose from media").click()
    dialog = page.get_by_role("dialog", name="Choose a picture")
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    assert_accessible(page)
    save_picture(page, "media-picker")
    dialog.get_by_role("button", name="logo.png").click()
    logo = Asset.objects.across_workspaces().get(name="logo.png")
    expect(page.get_by_label("Address of the picture")).to_have_value(logo.url)
    expect(page.get_by_label("What it shows, for those who cannot see it")).to_have_value("It is logo.png")
    expect(page.locator("[data-saved-text]")).to_contain_text("Saved")
    expect(page.locator("[data-block] img.art")).to_have_attribute("src", logo.url)

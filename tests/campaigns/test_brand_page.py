"""The brand page: what it takes, what it refuses, and that a preview saves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from campaigns.content.brand import Brand
from tests.campaigns.making import make_member, make_workspace

pytestmark = pytest.mark.django_db

GOOD = {
    "color": "#204080", "background": "#eef1f6", "surface": "#ffffff", "ink": "#101828", "muted": "#475467",
    "font": "serif", "logo_url": "https://cdn.io/logo.png", "logo_alt": "Northwind", "logo_text": "",
    "postal_address": "1 High Street, Leeds", "reason_line": "You joined.",
}  # fmt: skip


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(brand={"website": "https://northwind.io", "logo_text": "Old"})


@pytest.fixture
def client(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_member(workspace))
    return client


def test_a_brand_is_saved_and_keeps_what_others_put_there(client: Client, workspace: Workspace) -> None:
    assert client.post(reverse("campaigns:brand"), GOOD).status_code == 302
    workspace.refresh_from_db()
    assert workspace.brand == {
        "website": "https://northwind.io", "logo_url": "https://cdn.io/logo.png", "logo_alt": "Northwind",
        "color": "#204080", "background": "#eef1f6", "surface": "#ffffff", "ink": "#101828", "muted": "#475467",
        "font": "serif",
    }  # fmt: skip
    assert workspace.postal_address == "1 High Street, Leeds"
    assert Brand.of(workspace.brand).accent == "#204080"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ink": "#cccccc"}, "Text on paper has a contrast of"),
        ({"muted": "#c0c4cc"}, "Small print around the mail has a contrast of"),
        ({"color": "red"}, "Enter a valid value"),
        ({"font": "Papyrus"}, "Select a valid choice"),
        ({"logo_url": "javascript:alert(1)"}, "Enter a valid URL"),
        ({"logo_text": "{{evil}}"}, "merge tag"),
    ],
)
def test_what_nobody_could_read_or_no_program_could_show_is_refused(
    client: Client, workspace: Workspace, change: Any, words: str
) -> None:
    answer = client.post(reverse("campaigns:brand"), GOOD | change)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    workspace.refresh_from_db()
    assert workspace.brand["logo_text"] == "Old"


def test_a_preview_shows_what_is_typed_and_saves_nothing(client: Client, workspace: Workspace) -> None:
    answer = client.post(reverse("campaigns:brand_preview"), GOOD | {"ink": "nonsense"})
    page = answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "#204080" in page
    assert "https://cdn.io/logo.png" in page
    assert "1 High Street, Leeds" in page
    dark = client.post(reverse("campaigns:brand_preview"), GOOD | {"look": "dark"}).content.decode()
    assert "prefers-color-scheme:dark" not in dark
    workspace.refresh_from_db()
    assert workspace.brand["logo_text"] == "Old"


def test_editors_see_the_brand_and_owners_change_it(workspace: Workspace) -> None:
    editor = Client()
    editor.force_login(make_member(workspace, "analyst"))
    assert "not change it" in editor.get(reverse("campaigns:brand")).content.decode()
    assert editor.post(reverse("campaigns:brand"), GOOD).status_code == 403

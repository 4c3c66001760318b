"""The admin and the browsable API wear the project's colours, and the error pages stand without any help."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.pages import PageFor, assert_accessible, save_picture

PASSWORD = "pour-over-at-dawn"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_admin_is_branded_within_the_strict_policy(live_server: LiveServer, page_for: PageFor, theme: str) -> None:
    get_user_model().objects.create_superuser(email="ops@pulsequill.example", password=PASSWORD)
    page = page_for(theme=theme)
    page.goto(f"{live_server.url}/admin/login/?next=/admin/")
    save_picture(page, f"admin-login-{theme}")
    page.fill("[name=username]", "ops@pulsequill.example")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("#site-name >> text=PulseQuill")
    save_picture(page, f"admin-{theme}")
    assert_accessible(page)


def test_the_page_for_our_own_faults_needs_nothing() -> None:
    text = render_to_string("500.html")
    assert "Something broke on our side" in text
    assert "{%" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [("/no-such-page", 404, "There is no such page"), ("/admin", 404, "There is no such page")],
)
def test_wrong_addresses_get_a_kind_page(client: Client, path: str, status: int, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.content.decode()


@pytest.mark.django_db
def test_a_form_from_an_old_page_is_refused_with_a_reason() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "This page has expired" in answer.content.decode()

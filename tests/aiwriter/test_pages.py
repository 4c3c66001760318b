"""The AI studio, and a generation watched in a browser."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import Activity
from aiwriter.agents import running
from aiwriter.gateway.keys import providers_for
from aiwriter.models import BrandVoice, Budget, Generation, ProviderKey
from aiwriter.services.voices import save_brand_voice
from tests.aiwriter.making import ask, make_member, make_workspace, written
from tests.pages import LOOKS, assert_accessible, assert_fits, save_picture


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def owner(workspace, client: Client) -> Client:
    client.force_login(make_member(workspace))
    return client


def test_the_studio_is_honest_about_missing_models(owner, workspace):
    written(ask(workspace))

    page = owner.get(reverse("aiwriter:studio")).content.decode()

    assert "No AI model: template drafts" in page
    assert "Template, no AI model" in page
    assert "harvest roast" in page


def test_the_studio_never_shows_a_key(owner, settings):
    settings.OPENAI_API_KEY = "sk-very-secret"

    page = owner.get(reverse("aiwriter:studio")).content.decode()

    assert "Models ready" in page
    assert "sk-very-secret" not in page


def test_the_studio_takes_the_same_queries_whatever_it_holds(owner, workspace, django_assert_max_num_queries):
    for _ in range(5):
        written(ask(workspace))
    owner.get(reverse("aiwriter:studio"))

    with django_assert_max_num_queries(20):
        owner.get(reverse("aiwriter:studio"))


def test_a_generation_shows_its_drafts_and_calls(owner, workspace):
    generation = written(ask(workspace))

    page = owner.get(reverse("aiwriter:generation_detail", args=[generation.pk])).content.decode()
    state = owner.get(
        reverse("aiwriter:generation_detail", args=[generation.pk]), headers={"Accept": "application/json"}
    )

    assert page.count("Template draft – no AI model was used") >= 4
    assert "Every call" in page
    assert state.json()["drafts"][0]["subject"] == generation.ordered_drafts[0].subject


def test_the_budget_is_set_by_those_who_may(owner, workspace):
    owner.post(reverse("aiwriter:budget_edit"), {"monthly_cap": "12.50", "warn_percent": "70"})
    assert Budget.objects.get(workspace=workspace).monthly_cap_micro_usd == 12_500_000

    owner.post(reverse("aiwriter:budget_edit"), {"monthly_cap": "-1", "warn_percent": "70"})
    owner.force_login(make_member(workspace, "editor"))
    refused = owner.post(reverse("aiwriter:budget_edit"), {"monthly_cap": "99", "warn_percent": "70"})

    assert refused.status_code == 403
    assert Budget.objects.get(workspace=workspace).monthly_cap_micro_usd == 12_500_000


def test_a_workspace_uses_its_own_key_and_never_sees_it_again(owner, workspace, settings):
    settings.OPENAI_API_KEY = "sk-of-the-installation"
    owner.post(reverse("aiwriter:key_set"), {"provider": "openai", "key": "sk-own-key-of-ours-1234"})

    page = owner.get(reverse("aiwriter:studio")).content.decode()
    assert providers_for(workspace.pk)["openai"].api_key == "sk-own-key-of-ours-1234"
    assert "Own key" in page
    assert "Ends in 1234" in page
    assert "sk-own-key" not in page
    assert b"sk-own-key" not in bytes(ProviderKey.objects.get(workspace=workspace).key_encrypted)
    assert "sk-own-key" not in str(list(Activity.objects.filter(workspace=workspace).values()))
    assert providers_for(make_workspace("Rival Tea").pk)["openai"].api_key == "sk-of-the-installation"

    owner.post(reverse("aiwriter:key_remove"), {"provider": "openai"})
    assert providers_for(workspace.pk)["openai"].api_key == "sk-of-the-installation"


def test_a_key_that_cannot_be_read_any_more_is_not_replaced_by_somebody_elses(workspace, settings):
    settings.OPENAI_API_KEY = "sk-of-the-installation"
    ProviderKey.objects.create(workspace=workspace, provider="openai", key_encrypted=b"from another key", hint="1234")

    assert providers_for(workspace.pk) == {}


@pytest.mark.parametrize(
    "form", [{"provider": "openai", "key": "short"}, {"provider": "openai", "key": "two words and more than sixteen"},
             {"provider": "elsewhere", "key": "sk-own-key-of-ours-1234"}, {}],
)  # fmt: skip
def test_what_cannot_be_a_key_is_refused(owner, workspace, form):
    page = owner.post(reverse("aiwriter:key_set"), form, follow=True).content.decode()

    assert "The key was not saved" in page
    assert not ProviderKey.objects.filter(workspace=workspace).exists()


def test_only_admins_set_keys(owner, workspace):
    owner.force_login(make_member(workspace, "editor"))

    refused = owner.post(reverse("aiwriter:key_set"), {"provider": "openai", "key": "sk-own-key-of-ours-1234"})

    assert refused.status_code == 403


def test_a_voice_is_written_line_by_line(owner, workspace):
    form = {"name": "House", "status": "active", "formality": "casual", "traits": "warm\n\nplain", "banned_phrases": ""}
    response = owner.post(reverse("aiwriter:voice_new"), form)
    voice = BrandVoice.objects.get(workspace=workspace)

    assert response.status_code == 302
    assert voice.profile["traits"] == ["warm", "plain"]
    assert "warm" in owner.get(reverse("aiwriter:voice_edit", args=[voice.pk])).content.decode()
    again = owner.post(reverse("aiwriter:voice_new"), form)
    assert again.status_code == 400
    assert "of this name already" in again.content.decode()
    owner.post(reverse("aiwriter:voice_delete", args=[voice.pk]))
    assert not BrandVoice.objects.exists()


def test_another_workspaces_pages_are_not_there(owner):
    foreign = ask(make_workspace("Rival Tea"))
    voice = save_brand_voice(workspace=foreign.workspace, actor=None, name="House", profile={})

    assert owner.get(reverse("aiwriter:generation_detail", args=[foreign.pk])).status_code == 404
    assert owner.post(reverse("aiwriter:generation_cancel", args=[foreign.pk])).status_code == 404
    assert owner.get(reverse("aiwriter:voice_edit", args=[voice.pk])).status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == Generation.Status.QUEUED


@pytest.mark.parametrize(("theme", "width"), LOOKS)
@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit(live_server, page_for, theme, width):
    workspace = make_workspace()
    generation = written(ask(workspace, facts=["Picked in June", "1,450 bags"]))
    voice = save_brand_voice(workspace=workspace, actor=None, name="House", profile={"traits": ["warm"]})
    page = page_for(theme=theme, width=width)
    _sign_in(page, live_server, make_member(workspace))

    for name, path in (
        ("studio", reverse("aiwriter:studio")),
        ("generation", reverse("aiwriter:generation_detail", args=[generation.pk])),
        ("voice", reverse("aiwriter:voice_edit", args=[voice.pk])),
    ):
        page.goto(live_server.url + path)
        save_picture(page, f"ai-{name}-{width}-{theme}")
        assert_accessible(page)
        assert_fits(page)


@pytest.mark.django_db(transaction=True)
def test_a_watched_generation_appears_even_where_sockets_do_not_work(live_server, page_for):
    """The test server speaks no WebSocket: the page must fall back to asking."""
    workspace = make_workspace()
    generation = ask(workspace)
    page = page_for()
    page.expected_errors = ["WebSocket", "ws/generations"]
    _sign_in(page, live_server, make_member(workspace))
    page.goto(live_server.url + reverse("aiwriter:generation_detail", args=[generation.pk]))
    page.get_by_role("button", name="Stop").wait_for()

    running.run(generation.pk)

    page.get_by_role("heading", name="The harvest roast is back", level=3).wait_for(timeout=30_000)
    page.get_by_text("All checks passed").nth(2).wait_for()
    assert page.locator("[data-angle]").count() == 3


@pytest.mark.django_db(transaction=True)
def test_stop_stops_it(live_server, page_for):
    workspace = make_workspace()
    generation = ask(workspace)
    page = page_for()
    page.expected_errors = ["WebSocket", "ws/generations"]
    _sign_in(page, live_server, make_member(workspace))
    page.goto(live_server.url + reverse("aiwriter:generation_detail", args=[generation.pk]))

    page.get_by_role("button", name="Stop").click()

    page.get_by_text("Cancelled").first.wait_for(timeout=30_000)
    generation.refresh_from_db()
    assert generation.status == Generation.Status.CANCELLED


def _sign_in(page, live_server, member) -> None:
    client = Client()
    client.force_login(member)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])

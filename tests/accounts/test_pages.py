"""The account pages: signing in and up, and the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Invitation, Membership, User, WebhookEndpoint, Workspace
from accounts.services import workspaces
from pulsequill.celery import app
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db

SETTINGS_PAGES = [
    "accounts:settings",
    "accounts:settings_team",
    "accounts:settings_api_keys",
    "accounts:settings_webhooks",
    "accounts:settings_activity",
    "accounts:settings_profile",
    "accounts:settings_danger",
    "accounts:notification_list",
]


@pytest.fixture(autouse=True)
def _tasks_run_at_once() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_signing_up_makes_a_workspace_and_signs_in(client: Client) -> None:
    answer = client.post(
        "/sign-up",
        {"name": "Jo", "email": "Jo@Roastery.example", "password": PASSWORD, "workspace_name": "Roastery"},
    )
    assert answer.status_code == 302
    user = User.objects.get(email="jo@roastery.example")
    assert user.memberships.get().role == "owner"
    assert client.get("/settings").status_code == 200


def test_signing_in_goes_where_the_person_wanted_but_never_off_the_site(client: Client, owner, workspace) -> None:
    body = {"email": owner.email, "password": PASSWORD}
    assert client.post("/sign-in?next=/settings", {**body, "next": "/settings"})["Location"] == "/settings"
    client.logout()
    assert client.post("/sign-in", {**body, "next": "https://evil.example/"})["Location"] == reverse("analytics:home")


def test_the_session_id_changes_when_somebody_signs_in(client: Client, owner, workspace) -> None:
    client.get("/sign-in")
    client.session["x"] = 1
    client.session.save()
    before = client.session.session_key
    client.post("/sign-in", {"email": owner.email, "password": PASSWORD})
    assert client.session.session_key != before


def test_unknown_and_wrong_look_the_same_on_the_page(client: Client, owner) -> None:
    def page(email: str) -> str:
        answer = client.post("/sign-in", {"email": email, "password": "not the right one"})
        assert answer.status_code == 401
        text = re.sub(r"nonce=\"[^\"]+\"|value=\"[^\"]*\"|content=\"[^\"]*\"", "", answer.content.decode())
        return text.replace(email, "")

    assert page(owner.email) == page("nobody@brand.example")


def test_signing_out_needs_a_post(signed_in: Client) -> None:
    assert signed_in.get("/sign-out").status_code == 405
    assert signed_in.post("/sign-out").status_code == 302
    assert signed_in.get("/settings")["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("name", SETTINGS_PAGES)
def test_every_settings_page_renders(signed_in: Client, name: str, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(8):
        answer = signed_in.get(reverse(name))
    assert answer.status_code == 200
    assert "data-missing-icon" not in answer.content.decode()
    assert "style=" not in answer.content.decode()


def test_a_password_reset_works_once_and_ends_every_session(
    signed_in: Client, owner: User, settings, django_capture_on_commit_callbacks
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    visitor = Client()
    with django_capture_on_commit_callbacks(execute=True):
        known = visitor.post("/password/forgot", {"email": owner.email})
        unknown = visitor.post("/password/forgot", {"email": "nobody@brand.example"})
    assert known.status_code == unknown.status_code == 200
    assert len(mail.outbox) == 1
    link = re.search(r"/password/reset/\S+", mail.outbox[0].body)[0]
    form = visitor.get(link, follow=True)
    assert form.request["PATH_INFO"].endswith("/set")
    new = {"new_password": "another long and quiet one"}
    assert visitor.post(form.request["PATH_INFO"], new)["Location"] == "/sign-in"
    assert signed_in.get("/settings").status_code == 302
    assert visitor.get(link, follow=True).status_code == 404
    owner.refresh_from_db()
    assert owner.check_password("another long and quiet one")


def test_changing_the_password_needs_the_old_one_and_keeps_only_this_session(signed_in: Client, owner: User) -> None:
    other = Client()
    other.force_login(owner)
    wrong = {"current_password": "no", "new_password": "another long and quiet one"}
    assert signed_in.post("/settings/profile/password", wrong).status_code == 400
    right = {**wrong, "current_password": PASSWORD}
    assert signed_in.post("/settings/profile/password", right).status_code == 302
    assert signed_in.get("/settings").status_code == 200
    assert other.get("/settings").status_code == 302


def test_saving_the_workspace_leaves_its_brand_alone(signed_in: Client, workspace: Workspace) -> None:
    workspace.brand = {"font": "Inter"}
    workspace.save()
    body = {
        "name": "Brand & Sons",
        "postal_address": "1 High Street, Leeds",
        "reason_line": "You joined.",
        "time_zone": "Europe/London",
    }
    assert signed_in.post("/settings", body).status_code == 302
    workspace.refresh_from_db()
    assert workspace.name == "Brand & Sons"
    assert workspace.brand == {"font": "Inter"}


def test_an_api_key_is_shown_once(signed_in: Client, workspace: Workspace) -> None:
    answer = signed_in.post("/settings/api-keys", {"name": "Shop", "expires_in_days": "30"})
    text = re.search(r"pq_live_\w+", answer.content.decode())[0]
    assert answer["Cache-Control"].count("no-store")
    key = ApiKey.objects.for_workspace(workspace).get()
    assert text not in signed_in.get("/settings/api-keys").content.decode()
    bearer = {"Authorization": f"Bearer {text}"}
    assert Client().get("/v1/workspace", headers=bearer).status_code == 200
    signed_in.post(reverse("accounts:api_key_revoke", args=[key.pk]))
    assert Client().get("/v1/workspace", headers=bearer).status_code == 401


def test_an_invited_person_makes_an_account_and_joins(
    signed_in: Client, workspace: Workspace, settings, django_capture_on_commit_callbacks
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.post("/settings/team", {"email": "New@Brand.example", "role": "editor"})
    link = re.search(r"/invitations/\S+", mail.outbox[0].body)[0]
    guest = Client()
    assert "new@brand.example" in guest.get(link).content.decode()
    assert guest.post(link, {"name": "New", "password": PASSWORD}).status_code == 302
    assert Membership.objects.for_workspace(workspace).get(user__email="new@brand.example").role == "editor"
    assert guest.get("/settings").status_code == 200
    assert Client().get(link).status_code == 404
    assert Invitation.objects.for_workspace(workspace).get().accepted_at


def test_an_invitation_is_for_its_address_only(signed_in: Client, workspace: Workspace) -> None:
    signed_in.post("/settings/team", {"email": "new@brand.example", "role": "admin"})
    link = re.search(r"/invitations/[\w-]+", signed_in.get("/settings/team").content.decode())[0]
    stranger = User.objects.create_user("stranger@else.example", PASSWORD)
    browser = Client()
    browser.force_login(stranger)
    assert browser.post(link).status_code == 403
    assert not Membership.objects.for_workspace(workspace).filter(user=stranger).exists()


def test_the_last_owner_stays_one(signed_in: Client, workspace: Workspace) -> None:
    own = Membership.objects.for_workspace(workspace).get()
    signed_in.post(reverse("accounts:member_role", args=[own.pk]), {"role": "editor"})
    signed_in.post(reverse("accounts:member_remove", args=[own.pk]))
    own.refresh_from_db()
    assert own.role == "owner"


def test_an_admin_cannot_make_owners(client: Client, workspace: Workspace, member) -> None:
    client.force_login(member("admin"))
    editor = Membership.objects.for_workspace(workspace).get(user=member("editor"))
    assert client.post(reverse("accounts:member_role", args=[editor.pk]), {"role": "owner"}).status_code == 403
    editor.refresh_from_db()
    assert editor.role == "editor"


def test_a_webhook_into_the_own_network_is_refused(signed_in: Client, workspace: Workspace) -> None:
    answer = signed_in.post("/settings/webhooks", {"url": "http://127.0.0.1/hook"})
    assert answer.status_code == 400
    assert "public internet" in answer.content.decode()
    assert not WebhookEndpoint.objects.for_workspace(workspace).exists()


def test_switching_goes_only_to_workspaces_of_ones_own(signed_in: Client, owner: User) -> None:
    second = workspaces.create_workspace(owner=owner, name="Second")
    other = workspaces.create_workspace(owner=User.objects.create_user("x@y.example", PASSWORD), name="Other")
    assert signed_in.post("/workspaces/switch", {"workspace": str(second.pk)}).status_code == 302
    assert "Second" in signed_in.get("/settings").content.decode()
    assert signed_in.post("/workspaces/switch", {"workspace": str(other.pk)}).status_code == 404
    assert signed_in.post("/workspaces/switch", {"workspace": "no-uuid"}).status_code == 404


def test_the_demo_goes_with_one_click_and_others_need_their_name(signed_in: Client, workspace: Workspace) -> None:
    assert signed_in.post("/settings/danger", {"confirmation": ""}).status_code == 400
    assert Workspace.objects.filter(pk=workspace.pk).exists()
    workspace.is_demo = True
    workspace.save()
    assert signed_in.post("/settings/danger", {"confirmation": ""}).status_code == 302
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert signed_in.get("/settings")["Location"] == "/workspaces/new"


@pytest.mark.parametrize("role", ["analyst", "approver", "editor"])
def test_lesser_roles_do_not_see_keys_webhooks_or_the_log(client: Client, member, role: str) -> None:
    client.force_login(member(role))
    for name in ("accounts:settings_api_keys", "accounts:settings_webhooks", "accounts:settings_danger"):
        assert client.get(reverse(name)).status_code == 403
    assert client.post("/settings", {"name": "Mine now"}).status_code == 403

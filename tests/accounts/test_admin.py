"""The admin of `accounts`: every list and every row opens, and ledgers cannot be changed."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.activity import record
from accounts.models import Activity, User, Workspace
from accounts.services import api_keys, members, sessions

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label == "accounts"]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ops@pulsequill.example", "a long and quiet password"))
    return client


@pytest.fixture
def rows(workspace: Workspace, owner: User) -> None:
    api_keys.create_api_key(workspace=workspace, actor=owner, name="Shop")
    members.invite(workspace=workspace, actor=owner, email="new@brand.example", role="editor")
    sessions.start_session(user=owner)
    for n in range(12):
        record(workspace=workspace, actor=owner, kind="campaign.sent", summary=f"Sent {n}", subject=workspace)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_row_opens_without_a_query_per_row(
    operator: Client, rows: None, model, django_assert_max_num_queries
) -> None:
    name = f"admin:accounts_{model._meta.model_name}"
    with django_assert_max_num_queries(12):
        answer = operator.get(reverse(f"{name}_changelist"), {"q": "a"})
    assert answer.status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert operator.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


def test_the_audit_log_cannot_be_changed(operator: Client, rows: None) -> None:
    row = Activity.objects.first()
    address = reverse("admin:accounts_activity_change", args=[row.pk])
    assert operator.post(address, {"summary": "Nothing happened"}).status_code == 403
    assert operator.post(reverse("admin:accounts_activity_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.summary != "Nothing happened"


def test_guessing_the_operators_password_is_slowed_down(client: Client) -> None:
    User.objects.create_superuser("ops@pulsequill.example", "a long and quiet password")
    for n in range(6):
        client.post("/admin/login/", {"username": "ops@pulsequill.example", "password": f"guess {n}"})
    right = {"username": "ops@pulsequill.example", "password": "a long and quiet password"}
    assert client.post("/admin/login/", right).status_code == 200
    assert "_auth_user_id" not in client.session

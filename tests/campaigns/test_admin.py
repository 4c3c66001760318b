"""An operator finds every campaign row in the admin, and cannot rewrite history there."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from campaigns.delivery import pipeline
from campaigns.models import CapturedMessage, Message
from tests.campaigns.sending import make_launched

pytestmark = pytest.mark.django_db

MODELS = list(apps.get_app_config("campaigns").get_models())
LEDGERS = {
    "message", "deliveryminute", "capturedmessage", "approval", "templateversion", "variantversion", "settlement",
    "pace", "providersettings", "smtpserver", "draftingrun",
}  # fmt: skip


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ops@pulsequill.example", "a-long-password-here"))
    return client


def list_url(name: str) -> str:
    return reverse(f"admin:campaigns_{name}_changelist")


@pytest.mark.parametrize("model", [model for model in MODELS if not model._meta.auto_created], ids=lambda m: m.__name__)
def test_every_model_has_a_list_that_can_be_searched(operator: Client, model: type) -> None:
    name = model._meta.model_name
    assert model in admin.site._registry
    assert operator.get(list_url(name)).status_code == 200
    assert operator.get(list_url(name), {"q": "northwind"}).status_code == 200
    assert operator.get(reverse(f"admin:campaigns_{name}_add")).status_code == (403 if name in LEDGERS else 200)


def send(size: int) -> None:
    campaign, _ = make_launched(size)
    pipeline.deliver(campaign_id=campaign.pk)


@pytest.mark.parametrize("name", ["campaign", "variant", "message", "capturedmessage", "link", "deliveryminute"])
def test_a_list_costs_the_same_however_many_rows_it_shows(operator: Client, name: str) -> None:
    send(1)
    operator.get(list_url(name))
    with CaptureQueriesContext(
        connection,
    ) as few:
        operator.get(list_url(name))
    for _ in range(3):
        send(3)
    with CaptureQueriesContext(connection) as many:
        operator.get(list_url(name))
    assert len(many) <= len(few)


def test_the_ledger_is_found_by_address_and_shown_but_not_changed(operator: Client) -> None:
    send(3)
    row = Message.objects.order_by("id").first()
    found = operator.get(list_url("message"), {"q": row.email_normalized})
    assert found.context["cl"].result_count == 1

    page = reverse("admin:campaigns_message_change", args=[row.pk])
    assert operator.get(page).status_code == 200
    assert operator.post(page, {"status": "queued"}).status_code == 403
    assert operator.post(reverse("admin:campaigns_message_delete", args=[row.pk])).status_code == 403


def test_system_mail_is_read_in_the_admin(operator: Client) -> None:
    mail = CapturedMessage.objects.create(
        to="maya@northwind.example", subject="Reset", raw=b"Subject: Reset\r\n\r\n<b>link</b>"
    )
    page = operator.get(reverse("admin:campaigns_capturedmessage_change", args=[mail.pk]))
    assert b"&lt;b&gt;link&lt;/b&gt;" in page.content

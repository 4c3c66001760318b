"""The operator's pages of the audience: each opens, searches, and costs the same for few and many."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audiences import services
from audiences.importing import run
from audiences.models import Contact, ContactImport, FormerContact, Suppression

pytestmark = pytest.mark.django_db

MODELS = [model._meta.model_name for model in apps.get_app_config("audiences").get_models()]


@pytest.fixture
def admin_client(client, db):
    user = User.objects.create_superuser(email="ops@pulsequill.example", password=None)
    client.force_login(user)
    return client


@pytest.fixture
def fill(workspace, newsletter, make_contact):
    def fill(start: int, number: int) -> None:
        for index in range(start, start + number):
            contact = make_contact(f"c{index}@example.com", lists=[newsletter], consent_source="Form")
            services.create_list(workspace=workspace, name=f"List {index}")
            services.create_field(workspace=workspace, key=f"f{index}")
            rules = {"field": "email", "op": "is_set"}
            services.create_segment(workspace=workspace, name=f"S {index}", rules=rules)
            services.suppress_email(workspace=workspace, email=f"s{index}@example.com", reason="manual", source="t")
            FormerContact.objects.create(workspace=workspace, email_normalized=contact.email_normalized)
            file = SimpleUploadedFile("a.csv", f"email\ni{index}@example.com\nbad\n".encode())
            run(services.start_import(workspace=workspace, file=file).pk)

    return fill


@pytest.mark.parametrize("model", MODELS)
def test_lists_in_the_admin_cost_the_same_for_few_and_many(admin_client, fill, model):
    address = reverse(f"admin:audiences_{model}_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(address).status_code == 200
        return len(captured)

    fill(0, 1)
    few = queries()
    fill(1, 5)
    assert queries() == few
    assert admin_client.get(f"{address}?q=c1").status_code == 200


def test_single_rows_open_and_histories_cannot_be_edited(admin_client, fill):
    fill(0, 1)
    for row in (Contact.objects.first(), ContactImport.objects.get(), Suppression.objects.get()):
        address = reverse(f"admin:audiences_{row._meta.model_name}_change", args=[row.pk])
        assert admin_client.get(address).status_code == 200
    suppression = Suppression.objects.get()
    delete = reverse("admin:audiences_suppression_delete", args=[suppression.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403

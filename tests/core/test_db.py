"""Tenant rows are never read in a request without saying whose."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import Workspace
from audiences.models import Contact, ContactList, Subscription
from pulsequill.core.db import UnscopedQuery, request_scope


@pytest.fixture
def workspace(db) -> Workspace:
    return Workspace.objects.create(name="Northwind", slug="northwind")


class TestUnscopedQueries:
    @pytest.mark.parametrize(
        "ask",
        [
            lambda: list(Contact.objects.all()),
            lambda: Contact.objects.filter(email="a@example.com").first(),
            lambda: Contact.objects.filter(pk=uuid.uuid4()).exists(),
            lambda: Contact.objects.count(),
            lambda: Contact.objects.filter(email="a").delete(),
            lambda: Contact.objects.filter(email="a").update(first_name="x"),
            lambda: list(Contact.objects.values_list("email", flat=True)),
            lambda: list(Contact.objects.all().iterator()),
            lambda: Contact.objects.exclude(workspace=uuid.uuid4()).count(),
        ],
    )
    def test_it_refuses_a_query_that_names_no_workspace(self, workspace, ask):
        with request_scope(), pytest.raises(UnscopedQuery):
            ask()

    @pytest.mark.parametrize(
        "ask",
        [
            lambda ws: list(Contact.objects.for_workspace(ws)),
            lambda ws: Contact.objects.filter(workspace=ws).count(),
            lambda ws: Contact.objects.for_workspace(ws).filter(email="x").exists(),
            lambda ws: list(Contact.objects.across_workspaces()),
            lambda ws: Contact.objects.for_workspace(ws).update(first_name="x"),
        ],
    )
    def test_it_allows_a_query_that_names_one(self, workspace, ask):
        with request_scope():
            ask(workspace)

    def test_it_allows_the_related_rows_of_a_row_one_already_has(self, workspace):
        contact_list = ContactList.objects.create(workspace=workspace, name="News")
        contact = Contact.objects.create(workspace=workspace, email="a@example.com", email_normalized="a@example.com")
        Subscription.objects.create(workspace=workspace, list=contact_list, contact=contact)
        with request_scope():
            assert contact.subscriptions.count() == 1
            assert contact.subscriptions.get().list == contact_list

    def test_it_leaves_background_work_alone(self, workspace):
        assert Contact.objects.count() == 0

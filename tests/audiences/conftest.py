"""A workspace with an owner, and short ways to make contacts and files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership, User, Workspace
from audiences import services
from audiences.models import Contact, ContactImport, ContactList


@pytest.fixture(autouse=True)
def _media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def workspace(db) -> Workspace:
    return Workspace.objects.create(name="Northwind Coffee", slug="northwind")


@pytest.fixture
def other_workspace(db) -> Workspace:
    return Workspace.objects.create(name="Rival Tea", slug="rival")


@pytest.fixture
def owner(workspace) -> User:
    user = User.objects.create_user(email="maya@northwind.example", password=None)
    Membership.objects.create(workspace=workspace, user=user, role="owner")
    return user


@pytest.fixture
def newsletter(workspace) -> ContactList:
    return ContactList.objects.create(workspace=workspace, name="Newsletter")


@pytest.fixture
def make_contact(workspace) -> Callable[..., Contact]:
    def make(email: str, **values) -> Contact:
        return services.create_contact(workspace=values.pop("workspace", workspace), email=email, **values)

    return make


@pytest.fixture
def upload(workspace) -> Callable[..., ContactImport]:
    """Start an import of CSV text (or bytes) without running it."""

    def start(content: str | bytes, *, name: str = "contacts.csv", **options) -> ContactImport:
        data = content.encode() if isinstance(content, str) else content
        return services.start_import(
            workspace=options.pop("workspace", workspace), file=SimpleUploadedFile(name, data), **options
        )

    return start

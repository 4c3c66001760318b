"""People and workspaces for the account tests."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from accounts.models.membership import Role
from accounts.services import workspaces

PASSWORD = "a long and quiet password"


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@brand.example", PASSWORD, name="Olive Owner")


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return workspaces.create_workspace(owner=owner, name="Brand")


@pytest.fixture
def member(workspace: Workspace):
    """Make a member of the workspace with a role: `member("analyst")`."""

    def make(role: str, email: str = "") -> User:
        user = User.objects.create_user(email or f"{role}@brand.example", PASSWORD, name=f"{role.title()} Person")
        Membership.objects.create(workspace=workspace, user=user, role=Role(role))
        return user

    return make


@pytest.fixture
def signed_in(client: Client, owner: User, workspace: Workspace) -> Client:
    client.force_login(owner)
    return client

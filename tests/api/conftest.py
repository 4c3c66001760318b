"""A signed-in API client and rows to ask for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from accounts.services import api_keys, sessions, workspaces

PASSWORD = "a long and quiet password"


class Api:
    """A thin client of `/v1`: JSON in and out, one Authorization header."""

    def __init__(self, token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
        data = {} if body is None else {"data": body, "content_type": "application/json"}
        return self.client.generic(method, f"/v1/{path}", headers=sent, **_encoded(data))


def _encoded(data: dict[str, Any]) -> dict[str, Any]:
    import json

    if "data" in data and not isinstance(data["data"], str | bytes):
        data["data"] = json.dumps(data["data"])
    return data


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@brand.example", PASSWORD, name="Olive Owner")


@pytest.fixture
def workspace(owner: User) -> Workspace:
    return workspaces.create_workspace(owner=owner, name="Brand")


@pytest.fixture
def api(owner: User, workspace: Workspace) -> Api:
    return Api(sessions.start_session(user=owner).access)


@pytest.fixture
def key_text(owner: User, workspace: Workspace) -> str:
    return api_keys.create_api_key(workspace=workspace, actor=owner, name="Shop")[1]

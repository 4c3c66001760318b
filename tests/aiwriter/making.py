"""Rows that the writer's tests start from."""

from __future__ import annotations

from itertools import count
from typing import Any

from accounts.models import Membership, User, Workspace
from aiwriter.agents import running
from aiwriter.models import Generation
from aiwriter.services.generations import request_drafts

_serial = count(1)
SENTENCE = "Tell our subscribers that the harvest roast is back, free shipping until Sunday"


def make_workspace(name: str = "Northwind Coffee", **fields: Any) -> Workspace:
    return Workspace.objects.create(name=name, slug=f"writer-{next(_serial)}", **fields)


def make_member(workspace: Workspace, role: str = "owner") -> User:
    user = User.objects.create_user(email=f"writer{next(_serial)}@northwind.example", password=None)
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


def ask(workspace: Workspace, **brief: Any) -> Generation:
    """A generation in the queue."""
    fields = {"goal": SENTENCE, "cta_url": "https://northwind.example/harvest", **brief}
    return request_drafts(workspace=workspace, actor=None, brief=fields)


def written(generation: Generation) -> Generation:
    """The generation after a worker ran it."""
    running.run(generation.pk)
    return Generation.objects.select_related("workspace").get(pk=generation.pk)

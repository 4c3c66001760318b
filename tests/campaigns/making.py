"""Rows that the campaign tests start from."""

from __future__ import annotations

from itertools import count
from typing import Any

from accounts.models import Membership, User, Workspace
from audiences.models import Contact, ContactList, Subscription
from campaigns.models import Campaign, Sender
from campaigns.services import composing

_serial = count(1)

HELLO: list[dict[str, Any]] = [
    {"type": "heading", "text": "It is here", "level": 1},
    {
        "type": "text",
        "html": '<p>Hi {{first_name}}, see <a href="https://shop.example.io/beans?a=1&amp;b=2">the beans</a>.</p>',
    },
    {"type": "button", "label": "Reserve a bag", "url": "https://shop.example.io/beans?a=1&b=2"},
]


def make_workspace(name: str = "Northwind", **fields: Any) -> Workspace:
    """A workspace with a postal address, which preflight asks for."""
    return Workspace.objects.create(
        name=name, slug=f"workspace-{next(_serial)}", **{"postal_address": "14 Harbour Row, Bristol", **fields}
    )


def make_member(workspace: Workspace, role: str = "owner") -> User:
    """A person of a workspace."""
    user = User.objects.create_user(email=f"person{next(_serial)}@northwind.example", password=None)
    Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


def make_list(workspace: Workspace, *contacts: Contact, name: str = "") -> ContactList:
    """A list with active subscriptions."""
    made = ContactList.objects.create(workspace=workspace, name=name or f"List {next(_serial)}")
    for contact in contacts:
        Subscription.objects.create(workspace=workspace, contact=contact, list=made)
    return made


def make_contact(workspace: Workspace, email: str = "", **fields: Any) -> Contact:
    """A contact that may be mailed once it is on a list."""
    email = email or f"reader{next(_serial)}@example.org"
    return Contact.objects.create(workspace=workspace, email=email, email_normalized=email.lower(), **fields)


def make_sender(workspace: Workspace) -> Sender:
    """A sender without a verified domain."""
    return Sender.objects.create(
        workspace=workspace, from_name="Northwind", from_email=f"hello{next(_serial)}@northwind.io"
    )


def make_campaign(workspace: Workspace, **changes: Any) -> Campaign:
    """A draft with subject, preview text, a body, and a sender."""
    content = {"subject": "Beans, {{first_name}}", "preview_text": "Picked in June", "body": HELLO}
    return composing.create_campaign(
        workspace=workspace,
        actor=None,
        name=changes.pop("name", "Harvest launch"),
        changes={"variants": [content], "sender": make_sender(workspace), **changes},
    )

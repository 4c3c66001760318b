"""Rules about one campaign: a later app owns campaigns, so it says here how their mail is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Mailings:
    """What the owner of the campaigns brings.

    Attributes:
        sql: a SELECT of `opened_at`, `clicked_at`, `bounced_at`, `complained_at` and `unsubscribed_at` of the mail that
            left for the contact row `c`, with two parameters: the campaign's id and the workspace's.
        names: the campaigns of a workspace (or workspace id) that have been sent, by id, the newest first.
    """

    sql: str
    names: Callable[[Any], dict[UUID, str]]


_registered: list[Mailings] = []


def register_mailings(mailings: Mailings) -> None:
    """Make campaigns known to rules; called once, when the app that owns them is ready."""
    _registered[:] = [mailings]


def mail_sql() -> str:
    """Return the SELECT of a contact's mail of one campaign."""
    return _registered[0].sql


def campaign_names(workspace: Any) -> dict[UUID, str]:
    """Return the campaigns that rules may name, the newest first."""
    return _registered[0].names(workspace) if _registered else {}

"""How a workspace's mail leaves: the ways there are, which one is in use, and what each still needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings

from accounts.models import Workspace
from campaigns.models import Campaign, ProviderSettings, SmtpServer


@dataclass(frozen=True, slots=True)
class Kind:
    """One way for mail to leave, as people see it. `key` is a key of `delivery.providers.PROVIDERS`."""

    key: str
    name: str
    icon: str
    sentence: str


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("capture", "Outbox", "outbox", "Keeps every mail in PulseQuill and sends none: for trying things out."),
        Kind("smtp", "SMTP", "mail", "Your own mail servers, or any service that speaks SMTP. Several share the work."),
        Kind("sendgrid", "SendGrid", "send", "Your SendGrid account, by its API. Reports bounces and complaints back."),
    )
}


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A way to raise the volume of a new sending address day by day: the most messages of each day."""

    key: str
    name: str
    sentence: str
    days: tuple[int, ...]


#: Twice as much every day is what providers advise for own addresses, "gentle" takes twice as long; both begin with the
#: fifty a day that mailbox providers accept from strangers, and end where a limit stops making sense.
WARM_UPS: dict[str, WarmUp] = {
    plan.key: plan
    for plan in (
        WarmUp(
            "gentle", "Gentle", "For a new domain, or when earlier mail bounced a lot.",
            (50, 75, 100, 150, 200, 300, 400, 600, 800, 1_100, 1_500, 2_000, 2_800, 4_000, 5_500, 7_500, 10_000, 14_000,
             20_000, 28_000, 40_000, 55_000, 75_000, 100_000, 140_000, 200_000, 280_000, 400_000),
        ),
        WarmUp(
            "standard", "Standard", "For a new address of a domain that readers know.",
            (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_000, 50_000, 100_000, 200_000, 400_000),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerShare:
    """A mail server and its part of the messages, 0 to 1."""

    server: SmtpServer
    share: float


@dataclass(frozen=True, slots=True)
class ProviderState:
    """One way as it stands for a workspace.

    Attributes:
        own: the workspace's settings for it; None when there are none.
        is_used: new mail leaves by it.
        is_installations: it is used because the installation says so, not the workspace.
        is_ready: nothing is missing.
    """

    kind: Kind
    own: ProviderSettings | None
    is_used: bool
    is_installations: bool
    is_ready: bool
    servers: list[ServerShare] = field(default_factory=list)


def get_states(workspace: Workspace) -> list[ProviderState]:
    """Return the state of every way, in the order of `KINDS`."""
    rows = {row.provider: row for row in ProviderSettings.objects.for_workspace(workspace).select_related("workspace")}
    has_choice = any(row.is_active for row in rows.values() if row.provider in KINDS)
    servers = list_servers(workspace)
    return [
        _state(kind, rows.get(kind.key), has_choice=has_choice, servers=servers if kind.key == "smtp" else [])
        for kind in KINDS.values()
    ]


def get_state(workspace: Workspace, kind: str) -> ProviderState:
    """Return the state of one way.

    Raises:
        KeyError: there is no such way.
    """
    return next(state for state in get_states(workspace) if state.kind is KINDS[kind])


def _state(kind: Kind, own: ProviderSettings | None, *, has_choice: bool, servers: list[ServerShare]) -> ProviderState:
    is_installations = not has_choice and kind.key == settings.EMAIL_PROVIDER
    ready = {
        "capture": True,
        "smtp": bool(servers),
        "sendgrid": own is not None and own.secret_encrypted is not None,
    }
    return ProviderState(
        kind=kind,
        own=own,
        is_used=bool(own and own.is_active) or is_installations,
        is_installations=is_installations,
        is_ready=ready[kind.key],
        servers=servers,
    )


def list_servers(workspace: Workspace) -> list[ServerShare]:
    """Return a workspace's mail servers in the order they were added, each with its share."""
    rows = list(
        SmtpServer.objects.for_workspace(workspace).filter(settings__provider="smtp").order_by("created_at", "pk")
    )
    total = sum(row.weight for row in rows) or 1
    return [ServerShare(row, row.weight / total) for row in rows]


def find_server(workspace: Workspace, server_id: UUID) -> SmtpServer | None:
    """Return one mail server of a workspace, with its settings."""
    rows = SmtpServer.objects.for_workspace(workspace).select_related("settings", "settings__workspace")
    return rows.filter(pk=server_id).first()


def find_running(workspace: Workspace | UUID, kind: str) -> Campaign | None:
    """Return a campaign that began with a way and has not ended, if there is one."""
    running = (Campaign.Status.PREPARING, Campaign.Status.SENDING, Campaign.Status.PAUSED)
    rows = Campaign.objects.for_workspace(workspace).filter(provider=kind, status__in=running)
    return rows.order_by("launched_at").first()


def get_sendgrid_keys(workspace_id: UUID) -> list[str]:
    """Return the public keys that may sign SendGrid's events for a workspace: its own first, then the installation's.

    Both, because messages of before a workspace brought its own account are reported with the installation's.
    """
    own = ProviderSettings.objects.for_workspace(workspace_id).filter(provider="sendgrid").first()
    keys = [own.options.get("webhook_public_key", "") if own else "", settings.SENDGRID_WEBHOOK_PUBLIC_KEY]
    return [key for key in keys if key]


@dataclass(frozen=True, slots=True)
class WarmUpDay:
    """One day of a plan."""

    day: date
    number: int
    most: int
    is_today: bool


def list_warm_up_days(plan: list[int] | tuple[int, ...], *, start: date, today: date) -> list[WarmUpDay]:
    """Return a plan's days with their dates."""
    return [
        WarmUpDay(day := start + timedelta(days=index), index + 1, most, day == today)
        for index, most in enumerate(plan)
    ]

"""How a workspace's mail leaves: its own accounts at providers, which of them is used, and a mail to try them out.

Secrets come in here, are encrypted at once, and never come out again; the audit log names what changed, not the values.
A running campaign ends with the account it began with: switching is about new mail, and what a running campaign uses
can neither be removed nor slipped under it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import activity
from accounts.models import Membership, User, Workspace
from campaigns.delivery.trial import Report, run_trial
from campaigns.models import ProviderSettings, Sender, SmtpServer
from campaigns.selectors.providers import KINDS, find_running, get_state
from campaigns.services import provider_input as given
from pulsequill.core.errors import Invalid, NotFound, WrongState
from pulsequill.core.signing import encrypt

MOST_SERVERS = 20


def _say(own: ProviderSettings, kind: str, summary: str, actor: User | None, **data: Any) -> None:
    activity.record(workspace=own.workspace, actor=actor, kind=kind, summary=summary, subject=own, **data)


def _find(workspace: Workspace, provider: str) -> ProviderSettings | None:
    if provider not in KINDS:
        raise NotFound
    rows = ProviderSettings.objects.for_workspace(workspace).select_related("workspace")
    return rows.filter(provider=provider).select_for_update(of=("self",)).first()


def _find_or_make(workspace: Workspace, provider: str) -> ProviderSettings:
    """Return the settings of a workspace for one provider, locked, and made when there are none.

    Raises:
        NotFound: there is no such provider.
        WrongState: a campaign is leaving by the installation's account of that kind, and would change over.
    """
    if (own := _find(workspace, provider)) is not None:
        return own
    # The outbox is no account: kept mail is kept mail, whoever chose it.
    if provider != "capture" and (running := find_running(workspace, provider)):
        raise WrongState(
            f"“{running.name}” is being sent through this installation’s {KINDS[provider].name}. "
            "Your own can be set up when it has ended."
        )
    try:
        with transaction.atomic():
            return ProviderSettings.objects.create(workspace=workspace, provider=provider)
    except IntegrityError:
        found = _find(workspace, provider)
        assert found is not None
        return found


@transaction.atomic
def save_provider(*, workspace: Workspace, actor: User | None, provider: str, **changes: Any) -> ProviderSettings:
    """Change a workspace's settings of one provider; they are made when there are none. What is left out stays.

    Args:
        workspace: whose settings.
        actor: who changes them.
        provider: a key of `KINDS`.
        changes: `api_key`, `region` and `webhook_public_key` of SendGrid; `rate_per_second`, `warm_up_start_date` and
            `warm_up_plan` (messages for each day) of all. None or an empty value takes a limit or a key away; an empty
            `api_key` keeps the stored one.

    Raises:
        NotFound: there is no such provider.
        Invalid: a value is not valid; `errors` says which.
        WrongState: a running campaign would change over to these settings.
    """
    fields = given.read_settings(provider, changes)
    own = _find_or_make(workspace, provider)
    if api_key := fields.pop("api_key", ""):
        own.secret_encrypted, own.secret_set_at = encrypt(api_key), timezone.now()
    own.options = {**own.options, **{name: fields.pop(name) for name in given.OPTIONS if name in fields}}
    for name, value in fields.items():
        setattr(own, name, value)
    own.save()
    changed = sorted(name for name in changes if name != "api_key" or changes[name])
    _say(own, "provider.changed", f"Changed how mail leaves by {KINDS[provider].name}.", actor, fields=changed)
    return own


@transaction.atomic
def use_provider(*, workspace: Workspace, actor: User | None, provider: str) -> ProviderSettings:
    """Let new mail of a workspace leave by its own account at a provider.

    Raises:
        NotFound: there is no such provider.
        WrongState: something is still missing, or somebody else is switching at this moment.
    """
    if provider not in KINDS:
        raise NotFound
    if not get_state(workspace, provider).is_ready:
        missing = "a mail server" if provider == "smtp" else "an API key"
        raise WrongState(f"{KINDS[provider].name} needs {missing} first.", code="not_configured")
    own = _find_or_make(workspace, provider)
    if own.is_active:
        return own
    try:
        with transaction.atomic():
            ProviderSettings.objects.for_workspace(workspace).filter(is_active=True).update(is_active=False)
            own.is_active = True
            own.save(update_fields=["is_active", "updated_at"])
    except IntegrityError as error:
        raise WrongState("Somebody else is switching right now. Look again.") from error
    _say(own, "provider.activated", f"New mail leaves by {KINDS[provider].name}.", actor)
    return own


@transaction.atomic
def use_installation(*, workspace: Workspace, actor: User | None) -> None:
    """Let new mail of a workspace leave the way the installation is set to; own settings stay, unused.

    Raises:
        WrongState: no own account is in use, or the installation uses the same provider, where own settings come first.
    """
    rows = ProviderSettings.objects.for_workspace(workspace).select_related("workspace")
    own = rows.filter(is_active=True, provider__in=KINDS).select_for_update(of=("self",)).first()
    if own is None:
        raise WrongState("Mail leaves the way this installation is set to already.")
    name = KINDS[settings.EMAIL_PROVIDER].name
    if rows.filter(provider=settings.EMAIL_PROVIDER).exists() and settings.EMAIL_PROVIDER != "capture":
        raise WrongState(f"The installation uses {name} too. Remove your own {name} to use the installation’s.")
    own.is_active = False
    own.save(update_fields=["is_active", "updated_at"])
    _say(own, "provider.deactivated", f"New mail leaves by the installation’s {name}.", actor)


@transaction.atomic
def remove_provider(*, workspace: Workspace, actor: User | None, provider: str) -> None:
    """Forget a workspace's account at a provider, its keys and servers; was it in use, the installation's takes over.

    Raises:
        NotFound: there is none.
        WrongState: a campaign that has not ended leaves by it.
    """
    own = _find(workspace, provider)
    if own is None:
        raise NotFound
    if running := find_running(workspace, provider):
        raise WrongState(f"“{running.name}” is being sent this way. It must end first.")
    _say(own, "provider.removed", f"Removed the own {KINDS[provider].name} with its keys.", actor)
    own.delete()


# --- mail servers ----------------------------------------------------------------------------------------------------
@transaction.atomic
def add_server(*, workspace: Workspace, actor: User | None, **fields: Any) -> SmtpServer:
    """Add a mail server to a workspace's SMTP.

    Args:
        workspace: whose server.
        actor: who adds it.
        fields: `host`, `port`, `security`, `username`, `password`, `weight`, `max_connections`,
            `messages_per_connection`.

    Raises:
        Invalid: a field is not valid, or the server is there already.
        WrongState: there are too many, or a running campaign would change over to it.
    """
    cleaned = given.read_server(fields)
    own = _find_or_make(workspace, "smtp")
    if SmtpServer.objects.for_workspace(workspace).filter(settings=own).count() >= MOST_SERVERS:
        raise WrongState(f"A workspace can have {MOST_SERVERS} mail servers.", code="too_many")
    server = SmtpServer(workspace=workspace, settings=own)
    _write(server, cleaned)
    _touch(own)
    _say(own, "provider.server_added", f"Added the mail server {server}.", actor)
    return server


@transaction.atomic
def change_server(*, server: SmtpServer, actor: User | None, **fields: Any) -> SmtpServer:
    """Change a mail server; a password that is left out or empty stays, but only for the same server and user.

    Raises:
        Invalid: a field is not valid, or the password must be entered again.
    """
    cleaned = given.read_server(fields, server=server)
    was = str(server)
    _write(server, cleaned)
    _touch(server.settings)
    _say(
        server.settings,
        "provider.server_changed",
        f"Changed the mail server {was}.",
        actor,
        fields=sorted(name for name in fields if name != "password" or fields[name]),
    )
    return server


@transaction.atomic
def remove_server(*, server: SmtpServer, actor: User | None) -> None:
    """Remove a mail server; the others take over its share.

    Raises:
        WrongState: it is the last one, and mail leaves by it.
    """
    own = ProviderSettings.objects.for_workspace(server.workspace_id).select_for_update().get(pk=server.settings_id)
    is_last = SmtpServer.objects.for_workspace(server.workspace_id).filter(settings=own).count() == 1
    if is_last and (own.is_active or find_running(server.workspace_id, "smtp")):
        raise WrongState("This is the last server, and mail leaves by it. Add another, or choose another way first.")
    _say(server.settings, "provider.server_removed", f"Removed the mail server {server}.", actor)
    server.delete()
    _touch(own)


@transaction.atomic
def replace_servers(*, workspace: Workspace, actor: User | None, servers: Sequence[Mapping[str, Any]]) -> None:
    """Make a workspace's mail servers exactly these; a server is known by its host and port.

    Raises:
        Invalid: a field is not valid, or a server is named twice.
        WrongState: see `add_server` and `remove_server`.
    """
    known = {
        (row.host, row.port): row
        for row in SmtpServer.objects.for_workspace(workspace).select_related("settings__workspace")
    }
    wanted = [given.server_key(fields) for fields in servers]
    if len(set(wanted)) != len(wanted):
        raise given.refuse("servers", "taken", "A server is named twice.")
    for key, fields in zip(wanted, servers, strict=True):
        if key in known:
            change_server(server=known[key], actor=actor, **fields)
        else:
            add_server(workspace=workspace, actor=actor, **fields)
    for key in known.keys() - set(wanted):
        remove_server(server=known[key], actor=actor)


def _write(server: SmtpServer, cleaned: dict[str, Any]) -> None:
    password = cleaned.pop("password", None)
    for name, value in cleaned.items():
        setattr(server, name, value)
    if password:
        server.password_encrypted, server.password_set_at = encrypt(password), timezone.now()
    if not server.username:
        server.password_encrypted = server.password_set_at = None
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError as error:
        raise given.refuse("host", "taken", "This server is there already.") from error


def _touch(own: ProviderSettings) -> None:
    """Mark the settings as changed: running workers make their provider anew."""
    own.save(update_fields=["updated_at"])


# --- a mail to try it ------------------------------------------------------------------------------------------------
def send_trial(
    *, workspace: Workspace, actor: User | None, provider: str, to: str, sender: Sender | None = None
) -> list[Report]:
    """Hand one real mail over by a workspace's own settings, used or not, and tell step by step what came of it.

    Args:
        workspace: whose settings.
        actor: who asked.
        provider: a key of `KINDS`.
        to: the address of somebody in the workspace; empty for the actor's own.
        sender: whom it comes from; None for the workspace's first sender.

    Raises:
        NotFound: there is no such provider.
        Invalid: the address is nobody's in the workspace, or there is no sender.
        WrongState: something is still missing.
    """
    state = get_state(workspace, provider) if provider in KINDS else None
    if state is None:
        raise NotFound
    address = to.strip() or (actor.email if actor else "")
    people = Membership.objects.for_workspace(workspace).filter(user__email__iexact=address, user__is_active=True)
    if not address or not people.exists():
        raise given.refuse("to", "not_a_member", "A test goes to somebody of this workspace only.")
    sender = sender or Sender.objects.for_workspace(workspace).order_by("created_at", "pk").first()
    if sender is None:
        raise Invalid("Add a sender first: the test comes from it, as campaigns do.", code="no_sender")
    if not state.is_ready:
        missing = "a mail server" if provider == "smtp" else "an API key"
        raise WrongState(f"{state.kind.name} needs {missing} first.", code="not_configured")
    own = state.own or ProviderSettings(workspace=workspace, provider=provider)  # the outbox needs no settings
    reports = run_trial(own, to=address, sender=sender)
    _note_trial(own, reports, actor, to=address)
    return reports


def _note_trial(own: ProviderSettings, reports: list[Report], actor: User | None, *, to: str) -> None:
    wrong = next((report for report in reports if not report.is_right), None)
    error = f"{wrong.way}: {wrong.meaning}" if wrong else ""
    # Not `save()`: a test changes nothing that a running worker would have to read again.
    rows = ProviderSettings.objects.for_workspace(own.workspace_id).filter(pk=own.pk)
    rows.update(tested_at=timezone.now(), test_error=error[:300])
    _say(
        own,
        "provider.tested",
        f"Sent a test mail by {KINDS[own.provider].name} to {to}: {'it failed' if wrong else 'accepted'}.",
        actor,
        codes=[report.code for report in reports],
    )

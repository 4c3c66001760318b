"""From addresses and the domains behind them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import activity
from accounts.models import User, Workspace
from campaigns.deliverability.verify import ensure_key, replace_key, verify
from campaigns.domain_names import FREE_MAIL, ascii_domain, domain_of
from campaigns.models import Campaign, Sender, SendingDomain
from campaigns.selectors.domains import find_domain
from pulsequill.core.errors import FieldError, Invalid, WrongState


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])


def _one_line(value: str, field: str, limit: int) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise _refuse(field, "control_character", "Line breaks and control characters cannot stand in a mail header.")
    value = value.strip()
    if len(value) > limit:
        raise _refuse(field, "too_long", f"This is longer than {limit} characters.")
    return value


def _address(value: str, field: str) -> str:
    value = _one_line(value, field, 254)
    try:
        validate_email(value)
    except ValidationError as error:
        raise _refuse(field, "bad_email", "This is not an email address.") from error
    return value


def _clean(fields: dict[str, Any]) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    if "from_name" in fields:
        cleaned["from_name"] = _one_line(fields["from_name"], "from_name", 120)
        if not cleaned["from_name"]:
            raise _refuse("from_name", "required", "Say whom the mail comes from.")
    if "from_email" in fields:
        cleaned["from_email"] = _address(fields["from_email"], "from_email")
    if "reply_to" in fields:
        reply_to = fields["reply_to"] or ""
        cleaned["reply_to"] = _address(reply_to, "reply_to") if reply_to.strip() else ""
    return cleaned


def create_sender(
    *, workspace: Workspace, actor: User | None, from_name: str, from_email: str, reply_to: str = ""
) -> Sender:
    """Make a sender, and note its domain as one to verify.

    Raises:
        Invalid: a field is not valid, or name and address are taken.
    """
    fields = _clean({"from_name": from_name, "from_email": from_email, "reply_to": reply_to})
    sender = Sender(workspace=workspace, **fields)
    try:
        with transaction.atomic():
            sender.save()
            _note_domain(sender)
            activity.record(
                workspace=workspace, actor=actor, kind="sender.created", summary=f"Made the sender {sender}.",
                subject=sender,
            )  # fmt: skip
    except IntegrityError as error:
        raise _refuse("from_email", "taken", "This name and address are a sender already.") from error
    return sender


def _note_domain(sender: Sender) -> None:
    """Note the domain of a new sender as one to verify, unless one above it is there or nobody could verify it."""
    name = domain_of(sender.from_email)
    if name in FREE_MAIL or find_domain(sender.workspace_id, name):
        return
    domain, is_new = SendingDomain.objects.get_or_create(workspace=sender.workspace, name=name)
    if is_new:
        ensure_key(domain)
        domain.save()


def update_sender(*, sender: Sender, actor: User | None, **fields: Any) -> Sender:
    """Change name, address or reply address of a sender.

    Raises:
        Invalid: a field is not valid, or name and address are taken.
        WrongState: a campaign is being sent from it.
    """
    for name, value in _clean(fields).items():
        setattr(sender, name, value)
    running = (Campaign.Status.PREPARING, Campaign.Status.SENDING, Campaign.Status.PAUSED)
    if _campaigns_of(sender).filter(status__in=running).exists():
        raise WrongState("A campaign is being sent from this sender.")
    try:
        with transaction.atomic():
            sender.save()
            activity.record(
                workspace=sender.workspace, actor=actor, kind="sender.changed", summary=f"Changed the sender {sender}.",
                subject=sender,
            )  # fmt: skip
    except IntegrityError as error:
        raise _refuse("from_email", "taken", "This name and address are a sender already.") from error
    return sender


def _campaigns_of(sender: Sender) -> QuerySet[Campaign]:
    """Return the campaigns that name a sender, themselves or in a variant."""
    rows = Campaign.objects.for_workspace(sender.workspace_id)
    return rows.filter(Q(sender=sender) | Q(variants__sender=sender))


@transaction.atomic
def delete_sender(*, sender: Sender, actor: User | None) -> None:
    """Delete a sender that no campaign names.

    Raises:
        WrongState: a campaign uses it.
    """
    if _campaigns_of(sender).exists():
        raise WrongState("Campaigns use this sender.")
    activity.record(
        workspace=sender.workspace, actor=actor, kind="sender.deleted", summary=f"Deleted the sender {sender}.",
        subject=sender,
    )  # fmt: skip
    sender.delete()


def create_domain(*, workspace: Workspace, actor: User | None, name: str) -> SendingDomain:
    """Note a domain to send from, and make its DKIM key.

    Raises:
        Invalid: it is no domain name, or there already.
    """
    name = ascii_domain(_one_line(name, "name", 253))
    try:
        validate_email(f"x@{name}")
    except ValidationError as error:
        raise _refuse("name", "bad_domain", "This is not a domain name.") from error
    domain = SendingDomain(workspace=workspace, name=name)
    ensure_key(domain)
    try:
        with transaction.atomic():
            domain.save()
            activity.record(
                workspace=workspace, actor=actor, kind="domain.created", summary=f"Added the sending domain {name}.",
                subject=domain,
            )  # fmt: skip
    except IntegrityError as error:
        raise _refuse("name", "taken", "This domain is there already.") from error
    return domain


def verify_domain(*, domain: SendingDomain, actor: User | None) -> SendingDomain:
    """Look the domain's records up now and keep what was found; verified when all that is required is right."""
    verify(domain, actor=actor)
    return domain


def replace_dkim_key(*, domain: SendingDomain, actor: User | None) -> SendingDomain:
    """Make a new DKIM key; mail goes out unsigned, and the domain is unverified, until it is published and checked."""
    replace_key(domain, actor=actor)
    return domain


@transaction.atomic
def delete_domain(*, domain: SendingDomain, actor: User | None) -> None:
    """Forget a sending domain."""
    activity.record(
        workspace=domain.workspace, actor=actor, kind="domain.deleted", summary=f"Removed the domain {domain.name}.",
        subject=domain,
    )  # fmt: skip
    domain.delete()

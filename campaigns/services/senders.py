"""From addresses and the domains behind them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import activity
from accounts.models import User, Workspace
from campaigns.models import Campaign, Sender, SendingDomain
from campaigns.preflight.dns_records import check_domain
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
            domain = domain_of(sender.from_email)
            SendingDomain.objects.for_workspace(workspace).get_or_create(workspace=workspace, name=domain)
            activity.record(
                workspace=workspace, actor=actor, kind="sender.created", summary=f"Made the sender {sender}.",
                subject=sender,
            )  # fmt: skip
    except IntegrityError as error:
        raise _refuse("from_email", "taken", "This name and address are a sender already.") from error
    return sender


def update_sender(*, sender: Sender, actor: User | None, **fields: Any) -> Sender:
    """Change name, address or reply address of a sender.

    Raises:
        Invalid: a field is not valid, or name and address are taken.
        WrongState: a campaign is being sent from it.
    """
    for name, value in _clean(fields).items():
        setattr(sender, name, value)
    running = (Campaign.Status.PREPARING, Campaign.Status.SENDING, Campaign.Status.PAUSED)
    if Campaign.objects.for_workspace(sender.workspace_id).filter(sender=sender, status__in=running).exists():
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


@transaction.atomic
def delete_sender(*, sender: Sender, actor: User | None) -> None:
    """Delete a sender that no campaign names.

    Raises:
        WrongState: a campaign uses it.
    """
    if Campaign.objects.for_workspace(sender.workspace_id).filter(sender=sender).exists():
        raise WrongState("Campaigns use this sender.")
    activity.record(
        workspace=sender.workspace, actor=actor, kind="sender.deleted", summary=f"Deleted the sender {sender}.",
        subject=sender,
    )  # fmt: skip
    sender.delete()


def domain_of(address: str) -> str:
    """Return the domain of an email address, lower case."""
    return address.rpartition("@")[2].lower()


def create_domain(*, workspace: Workspace, actor: User | None, name: str) -> SendingDomain:
    """Note a domain to send from.

    Raises:
        Invalid: it is no domain name, or there already.
    """
    name = _one_line(name, "name", 253).lower().rstrip(".")
    try:
        validate_email(f"x@{name}")
    except ValidationError as error:
        raise _refuse("name", "bad_domain", "This is not a domain name.") from error
    domain = SendingDomain(workspace=workspace, name=name)
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
    """Look the domain's SPF, DKIM and DMARC records up and store what was found; verified when all three are right."""
    findings = check_domain(domain.name)
    domain.findings = [finding.as_json() for finding in findings]
    domain.checked_at = timezone.now()
    domain.verified_at = domain.checked_at if all(finding.is_right for finding in findings) else None
    domain.save(update_fields=["findings", "checked_at", "verified_at", "updated_at"])
    activity.record(
        workspace=domain.workspace, actor=actor, kind="domain.checked",
        summary=f"Checked {domain.name}: {'verified' if domain.verified_at else 'not verified'}.", subject=domain,
    )  # fmt: skip
    return domain


@transaction.atomic
def delete_domain(*, domain: SendingDomain, actor: User | None) -> None:
    """Forget a sending domain."""
    activity.record(
        workspace=domain.workspace, actor=actor, kind="domain.deleted", summary=f"Removed the domain {domain.name}.",
        subject=domain,
    )  # fmt: skip
    domain.delete()

"""One transactional message: a receipt, a password link, a notice. Over the ledger, like everything that leaves.

No line in the audit log for each: the ledger row says who got what and when, and there may be thousands a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Workspace
from audiences.addresses import BadAddress, parse_address
from audiences.models import Contact, Suppression
from campaigns import tasks
from campaigns.content import mustache
from campaigns.content.merge_tags import MAX_VALUE_CHARACTERS
from campaigns.delivery.headers import refuse_injection
from campaigns.delivery.providers import active_provider
from campaigns.delivery.transactional import compile_template, refuse_unknown_tags, values_of
from campaigns.models import EmailTemplate, Message, Sender
from campaigns.selectors.domains import get_domain_of
from pulsequill.core.errors import Blocked, FieldError, Invalid

MOST_VALUES = 100
#: What stops even a receipt. Unsubscribing is about marketing and does not.
HARD_REASONS = (Suppression.Reason.HARD_BOUNCE, Suppression.Reason.COMPLAINT, Suppression.Reason.MANUAL)


def send_transactional(
    *, workspace: Workspace, template: str, to: str, data: Mapping[str, str], sender: Sender | None = None
) -> Message:
    """Write a ledger row for one message and wake a worker for it.

    Args:
        workspace: whose template and sender.
        template: a template's id or name.
        to: one address; when it is a contact's, the contact's merge tags are known too.
        data: values of the template's tags; they win over the contact's.
        sender: None for the workspace's first one.

    Returns:
        The row: `queued`, or `skipped` with the reason when the address bounced, complained or was blocked.

    Raises:
        Invalid: no such template, no sender, no address, a tag without a value, or a value that does not fit.
        Blocked: the sender's domain is not verified and this installation asks for that.
    """
    chosen = _find_template(workspace, template)
    sender = sender or _first_sender(workspace)
    _refuse_unverified(sender)
    try:
        address = parse_address(to)
    except BadAddress as error:
        raise Invalid(error.detail, errors=[FieldError("to", error.code, error.detail)]) from error
    contact = Contact.objects.for_workspace(workspace).filter(email_normalized=address.normalized).first()
    _check_values(chosen, workspace=workspace, email=address.email, contact=contact, data=data)
    with transaction.atomic():
        stop = (
            Suppression.objects.for_workspace(workspace)
            .filter(email_normalized=address.normalized, reason__in=HARD_REASONS)
            .values_list("reason", flat=True)
            .first()
        )
        message = Message.objects.create(
            workspace=workspace,
            template=chosen,
            sender=sender,
            contact=contact,
            data=dict(data),
            email=address.email,
            email_normalized=address.normalized,
            status=Message.Status.SKIPPED if stop else Message.Status.QUEUED,
            reason=f"suppressed_{stop}" if stop else "",
            provider=active_provider(workspace),
        )
        if not stop:
            tasks.deliver_message.delay_on_commit(message_id=message.pk)
    return message


def _find_template(workspace: Workspace, reference: str) -> EmailTemplate:
    rows = EmailTemplate.objects.for_workspace(workspace).select_related("workspace")
    found = rows.filter(name=reference).first()
    if found is None:
        try:
            found = rows.filter(pk=UUID(reference)).first()
        except ValueError:
            found = None
    if found is None:
        detail = "There is no template of this id or name."
        raise Invalid(detail, errors=[FieldError("template", "does_not_exist", detail)])
    return found


def _first_sender(workspace: Workspace) -> Sender:
    sender = Sender.objects.for_workspace(workspace).order_by("created_at", "pk").first()
    if sender is None:
        detail = "The workspace has no sender yet. Make one first."
        raise Invalid(detail, code="no_sender", errors=[FieldError("sender", "required", detail)])
    return sender


def _refuse_unverified(sender: Sender) -> None:
    if not settings.REQUIRE_VERIFIED_DOMAIN:
        return
    domain = get_domain_of(sender)
    if domain is None or domain.verified_at is None:
        host = sender.from_email.rpartition("@")[2]
        raise Blocked(f"{host} is not verified, so nothing may be sent from it.", code="domain_unverified")


def _check_values(
    template: EmailTemplate, *, workspace: Workspace, email: str, contact: Contact | None, data: Mapping[str, str]
) -> None:
    """Refuse what could not be composed, now that somebody can still correct it."""
    if len(data) > MOST_VALUES:
        detail = f"More than {MOST_VALUES} values."
        raise Invalid(detail, errors=[FieldError("data", "too_many", detail)])
    for name, value in data.items():
        if name in mustache.SYSTEM_NAMES | mustache.DOTTED_NAMES or name.startswith(mustache.RESERVED_PREFIX):
            detail = f"{name[:60]} is filled in by PulseQuill."
            raise Invalid(detail, errors=[FieldError(f"data.{name[:60]}", "reserved", detail)])
        if len(value) > MAX_VALUE_CHARACTERS:
            detail = f"A value may have {MAX_VALUE_CHARACTERS:,} characters."
            raise Invalid(detail, errors=[FieldError(f"data.{name[:60]}", "too_long", detail)])
    compiled = compile_template(template)
    names = values_of(workspace=workspace, email=email, contact_id=contact.pk if contact else None, data=data)
    refuse_unknown_tags(compiled, names=names, has_contact=contact is not None)
    for name in sorted(mustache.compile(compiled.subject).tags & data.keys()):
        try:
            refuse_injection(f"{name}, which stands in the subject,", data[name])
        except Invalid as error:
            raise Invalid(
                error.detail, code=error.code, errors=[FieldError(f"data.{name}", error.code, error.detail)]
            ) from error

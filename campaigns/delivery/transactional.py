"""Transactional messages: one template, one address, the values that came with the request.

A receipt or a password link is no marketing: it carries no unsubscribe headers and no footer, its links are as
written, and nothing counts who opened it. What it shares with campaigns is everything that makes sending safe: the
ledger, the claim, the skeleton of the message, the providers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Literal
from uuid import UUID

from django.conf import settings

from accounts.models import Workspace
from audiences.selectors import contact_values, known_merge_tags
from audiences.tokens import preferences_token, unsubscribe_token
from campaigns.content import mustache
from campaigns.content.compile import Compiled, compile_variant
from campaigns.content.merge_tags import contact_context
from campaigns.delivery.envelope import Envelope
from campaigns.delivery.headers import FixedHeaders, ascii_address
from campaigns.delivery.mime import Skeleton
from campaigns.delivery.providers import Outcome, OutgoingMessage
from campaigns.delivery.rendering import Claimed
from campaigns.models import Campaign, EmailTemplate, Message, Variant
from pulsequill.core.errors import DomainError, FieldError, Invalid

#: RFC 3834: a program wrote this, so no out-of-office answers to it.
EXTRA_HEADERS = {"Auto-Submitted": "auto-generated"}
#: Links that only a contact has.
CONTACT_LINKS = frozenset({"unsubscribe_url", "preferences_url"})


def compile_template(template: EmailTemplate) -> Compiled:
    """Return a template's frozen source, without tracking and without the marketing footer.

    Args:
        template: with its workspace.

    Raises:
        Invalid: it has no subject, or cannot be compiled.
    """
    if not template.subject.strip():
        detail = f"The template “{template.name}” has no subject."
        raise Invalid(detail, errors=[FieldError("template", "no_subject", detail)])
    workspace = template.workspace
    variant = Variant(
        workspace=workspace,
        subject=template.subject,
        preview_text=template.preview_text,
        format=template.format,
        body=template.body,
    )
    return compile_variant(
        variant=variant,
        campaign=Campaign(workspace=workspace, name=template.name),
        workspace=workspace,
        has_tracking=False,
        wants_footer=False,
    )


def values_of(*, workspace: Workspace, email: str, contact_id: UUID | None, data: Mapping[str, str]) -> dict[str, str]:
    """Return what the tags of a message stand for: the request's values over the contact's own.

    A contact's merge tags are all there, empty where nothing is known; an address that is no contact has fallbacks
    only.
    """
    tags = known_merge_tags(workspace)
    person = next(iter(contact_values([contact_id])), None) if contact_id else None
    known = dict.fromkeys(tags, "") if person else {}
    return {**known, "email": email, **contact_context(person, tags, workspace, None), **data}


def refuse_unknown_tags(compiled: Compiled, *, names: Mapping[str, str], has_contact: bool) -> None:
    """Check that every tag of a template has a value.

    Raises:
        Invalid: one has none; `errors` names each.
    """
    links = CONTACT_LINKS if has_contact else frozenset()
    missing = sorted(compiled.tags - names.keys() - links)
    if missing:
        errors = [FieldError(f"data.{tag}", "unknown_tag", f"The template uses {{{{{tag}}}}}.") for tag in missing]
        raise Invalid(f"There is no value for {', '.join(missing)}.", code="unknown_tag", errors=errors)


class TransactionalRenderer:
    """Composes one transactional message; the counterpart of `rendering.Renderer`."""

    def __init__(self, message: Message) -> None:
        """Compile the message's template as it stands now.

        Args:
            message: with its workspace, template and sender.

        Raises:
            Invalid: template or sender are gone, the template does not compile, or a header would be injected.
        """
        if message.template is None:
            raise Invalid("Its template has been deleted.", code="no_template")
        if message.sender is None:
            raise Invalid("Its sender has been deleted.", code="no_sender")
        self._message = message
        message.template.workspace = message.workspace
        self._compiled = compile_template(message.template)
        workspace, sender = message.workspace, message.sender
        self._skeleton = Skeleton(
            headers=FixedHeaders.build(
                from_name=sender.from_name,
                from_email=sender.from_email,
                reply_to=sender.reply_to,
                workspace_name=workspace.name,
                workspace_slug=workspace.slug,
                stream=message.template.pk.hex,
            ),
            subject=mustache.compile(self._compiled.subject),
            html=mustache.compile(self._compiled.html),
            text=mustache.compile(self._compiled.text),
        )
        self._envelope = Envelope(workspace.pk, self._skeleton.headers.from_email)

    def render(
        self, rows: Sequence[Claimed], *, content: Literal["mime", "parts"], now: datetime
    ) -> list[OutgoingMessage | Outcome]:
        """Return a message for each row (there is one), or the outcome of a row that cannot be composed."""
        rendered: list[OutgoingMessage | Outcome] = []
        for row in rows:
            try:
                rendered.append(self._render(row, content, format_datetime(now)))
            except DomainError as error:
                rendered.append(Outcome("bad_message", detail=error.detail))
        return rendered

    def _context(self, row: Claimed) -> dict[str, str]:
        context = values_of(
            workspace=self._message.workspace,
            email=row.email,
            contact_id=row.contact_id,
            data=self._message.data or {},
        )
        refuse_unknown_tags(self._compiled, names=context, has_contact=row.contact_id is not None)
        if row.contact_id is not None:
            base = settings.PUBLIC_URL
            context["unsubscribe_url"] = f"{base}/u/{unsubscribe_token(row.contact_id, row.id)}"
            context["preferences_url"] = f"{base}/p/{preferences_token(row.contact_id, row.id)}"
        return context

    def _render(self, row: Claimed, content: Literal["mime", "parts"], date: str) -> OutgoingMessage:
        context = self._context(row)
        skeleton = self._skeleton
        mime, parts = b"", None
        if content == "mime":
            mime = self._envelope.seal(
                skeleton.mime(message_id=row.id, to=row.email, date=date, list_headers=EXTRA_HEADERS, context=context)
            )
        else:
            parts = skeleton.parts(message_id=row.id, list_headers=EXTRA_HEADERS, context=context)
        return OutgoingMessage(
            message_id=row.id,
            attempt_id=row.attempt_id,
            workspace_id=self._message.workspace_id,
            campaign_id=None,
            to=ascii_address(row.email),
            mail_from=self._envelope.sender(row.id),
            subject=skeleton.subject(context),
            mime=mime,
            parts=parts,
        )

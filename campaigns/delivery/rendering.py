"""From claimed ledger rows to messages that a provider can take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.conf import settings

from audiences.selectors import MergeTag, contact_values, known_merge_tags
from audiences.tokens import preferences_token, unsubscribe_token
from campaigns.content import mustache
from campaigns.content.compile import compile_variant
from campaigns.content.merge_tags import contact_context, shared_context
from campaigns.delivery.envelope import Envelope
from campaigns.delivery.headers import FixedHeaders, ascii_address
from campaigns.delivery.mime import Skeleton
from campaigns.delivery.providers import Outcome, OutgoingMessage
from campaigns.delivery.tracking import click_url, open_url, web_version_url
from campaigns.models import Campaign, Link, Sender, Variant
from pulsequill.core.errors import DomainError, Invalid

LINK_TAG = "pq_link_{}"
PIXEL_TAG = "pq_open_pixel"
PIXEL = '<img src="{}" width="1" height="1" alt="" border="0">'
#: What the unsubscribe link of a test send says: nobody is unsubscribed by testing.
TEST_TOKEN = "test"  # noqa: S105 - a word in a link, not a secret
#: Stands for a recipient's token in headers that are prepared for all; no header holds it by itself.
TOKEN_MARK = "pq-token-of-the-recipient"  # noqa: S105 - as above


class Claimed(NamedTuple):
    """A ledger row whose attempt is ours."""

    id: int
    attempt_id: UUID
    attempt_no: int
    contact_id: UUID | None
    #: None in a transactional message.
    variant_id: UUID | None
    email: str


class _Origin:
    """What all mail of one sender has alike."""

    def __init__(self, campaign: Campaign, sender: Sender) -> None:
        self.headers = FixedHeaders.build(
            from_name=sender.from_name,
            from_email=sender.from_email,
            reply_to=sender.reply_to,
            workspace_name=campaign.workspace.name,
            workspace_slug=campaign.workspace.slug,
            stream=campaign.pk.hex,
        )
        self._workspace_id = campaign.workspace_id

    @cached_property
    def envelope(self) -> Envelope:
        """Where its bounces go and what signs it; asks the database once, and only for mail that leaves."""
        return Envelope(self._workspace_id, self.headers.from_email)


def _origins_of(campaign: Campaign) -> dict[UUID, _Origin]:
    """Return the origin of each variant's mail; variants of one sender share it.

    Raises:
        Invalid: a variant has no sender, or a header would be injected.
    """
    variants = Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign)
    made: dict[UUID, _Origin] = {}
    origins = {}
    for variant in variants.select_related("sender").only("sender"):
        sender = variant.sender or campaign.sender
        if sender is None:
            raise Invalid("The campaign has no sender.", code="no_sender")
        if sender.pk not in made:
            made[sender.pk] = _Origin(campaign, sender)
        origins[variant.pk] = made[sender.pk]
    return origins


@dataclass(frozen=True, slots=True)
class _Prepared:
    variant_id: UUID
    skeleton: Skeleton
    #: Of everybody, with `TOKEN_MARK` where the recipient's own token stands.
    list_headers: dict[str, str]
    #: The contact's merge tags that occur in it.
    tags: dict[str, MergeTag]
    #: Tag and link row of each link that is tracked.
    tracked: list[tuple[str, int]]
    has_pixel: bool
    has_preferences: bool
    has_web_version: bool


class Renderer:
    """Composes the messages of one campaign; made once for a slice."""

    def __init__(self, campaign: Campaign, *, is_test: bool = False) -> None:
        """Prepare the headers of each sender; variants follow when the first of their messages is rendered.

        Args:
            campaign: with its workspace and sender.
            is_test: compile the content as it stands now, without tracking, and unsubscribe nobody.

        Raises:
            Invalid: a variant has no sender, or a header would be injected.
        """
        self._campaign = campaign
        self._workspace = campaign.workspace
        self._is_test = is_test
        self._tags = known_merge_tags(campaign.workspace)
        self._prepared: dict[UUID, _Prepared] = {}
        self._origins = _origins_of(campaign)

    def render(
        self, rows: Sequence[Claimed], *, content: Literal["mime", "parts"], now: datetime
    ) -> list[OutgoingMessage | Outcome]:
        """Return a message for each row, or the outcome of a row that cannot be composed, in order.

        Raises:
            Invalid: nothing of this sender can be composed.
        """
        contacts = {values[0]: values for values in contact_values([row.contact_id for row in rows if row.contact_id])}
        date = format_datetime(now)
        # each sender's key is read before the first row: no row is to blame when that fails
        envelopes = {variant_id: origin.envelope for variant_id, origin in self._origins.items()}
        rendered: list[OutgoingMessage | Outcome] = []
        for row in rows:
            try:
                values = contacts.get(row.contact_id) if row.contact_id else None
                rendered.append(self._render(row, values, content, date, envelopes))
            except DomainError as error:
                rendered.append(Outcome("bad_message", detail=error.detail))
        return rendered

    def web_page(self, row: Claimed) -> str:
        """Return the HTML part of one message, for reading it in the browser; no pixel, because that is no open."""
        values = next(iter(contact_values([row.contact_id])), None) if row.contact_id else None
        prepared = self._prepare(row.variant_id)
        context = self._context(row, values, prepared, self._token(row))
        context.pop(PIXEL_TAG, None)
        return prepared.skeleton.html(context)

    def _token(self, row: Claimed) -> str:
        return TEST_TOKEN if self._is_test or row.contact_id is None else unsubscribe_token(row.contact_id, row.id)

    def _context(self, row: Claimed, values: tuple[Any, ...] | None, prepared: _Prepared, token: str) -> dict[str, str]:
        """Return the values of one message; only what occurs in its template is computed."""
        context = contact_context(values, prepared.tags, self._workspace, self._campaign)
        context.setdefault("email", row.email)
        context["unsubscribe_url"] = f"{settings.PUBLIC_URL}/u/{token}"
        if prepared.has_preferences:
            own = TEST_TOKEN if self._is_test or row.contact_id is None else preferences_token(row.contact_id, row.id)
            context["preferences_url"] = f"{settings.PUBLIC_URL}/p/{own}"
        if prepared.has_web_version:
            context["web_version_url"] = web_version_url(row.id)
        for name, link_id in prepared.tracked:
            context[name] = click_url(row.id, link_id)
        if prepared.has_pixel:
            context[PIXEL_TAG] = PIXEL.format(open_url(row.id))
        return context

    def _render(
        self,
        row: Claimed,
        values: tuple[Any, ...] | None,
        content: Literal["mime", "parts"],
        date: str,
        envelopes: dict[UUID, Envelope],
    ) -> OutgoingMessage:
        prepared = self._prepare(row.variant_id)
        skeleton, envelope = prepared.skeleton, envelopes[prepared.variant_id]
        token = self._token(row)
        context = self._context(row, values, prepared, token)
        list_headers = {name: value.replace(TOKEN_MARK, token) for name, value in prepared.list_headers.items()}
        subject = skeleton.subject(context)
        mime, parts = b"", None
        if content == "mime":
            mime = envelope.seal(
                skeleton.mime(
                    message_id=row.id,
                    to=row.email,
                    date=date,
                    list_headers=list_headers,
                    context=context,
                    subject=subject,
                )
            )
        else:
            parts = skeleton.parts(message_id=row.id, list_headers=list_headers, context=context)
        return OutgoingMessage(
            message_id=row.id,
            attempt_id=row.attempt_id,
            workspace_id=self._campaign.workspace_id,
            campaign_id=self._campaign.pk,
            to=ascii_address(row.email),
            mail_from=envelope.sender(row.id),
            subject=subject,
            mime=mime,
            parts=parts,
        )

    def _prepare(self, variant_id: UUID | None) -> _Prepared:
        if variant_id is None:
            raise Invalid("The message belongs to no variant.", code="no_variant")
        if known := self._prepared.get(variant_id):
            return known
        variant = Variant.objects.for_workspace(self._workspace).get(pk=variant_id)
        if self._is_test:
            compiled = compile_variant(
                variant=variant, campaign=self._campaign, workspace=self._workspace, has_tracking=False
            )
            html, text, links = compiled.html, compiled.text, {}
        else:
            html, text = variant.compiled_html, variant.compiled_text
            links = _link_tags(Link.objects.filter(variant=variant).values_list("position", "id"))
        origin = self._origins[variant_id]
        skeleton = Skeleton(
            headers=origin.headers,
            subject=mustache.compile(mustache.unescaped(variant.subject)),
            html=mustache.compile(html),
            text=mustache.compile(text),
            fixed=shared_context(self._workspace, self._campaign),
        )
        used = skeleton.tags
        prepared = self._prepared[variant_id] = _Prepared(
            variant_id=variant_id,
            skeleton=skeleton,
            list_headers=origin.headers.list_headers(f"{settings.PUBLIC_URL}/u/{TOKEN_MARK}"),
            tags={name: tag for name, tag in self._tags.items() if name in used},
            tracked=[(name, link_id) for name, link_id in links.items() if name in used],
            has_pixel=PIXEL_TAG in used and not self._is_test,
            has_preferences="preferences_url" in used,
            has_web_version="web_version_url" in used,
        )
        return prepared


def _link_tags(links: Iterable[tuple[int, int]]) -> dict[str, int]:
    return {LINK_TAG.format(position): link_id for position, link_id in links}

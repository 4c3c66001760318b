"""What one contact would see: the delivery's own compile step, with real links and no tracking."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings

from audiences import selectors as audiences
from audiences.models import Contact
from campaigns.content import mustache
from campaigns.content.compile import compile_variant
from campaigns.content.merge_tags import contact_context
from campaigns.models import Variant

_WHITE_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Preview:
    """A finished mail of one contact; `size_bytes` is what counts against Gmail's 102 KB clip."""

    subject: str
    preview_text: str
    html: str
    text: str
    size_bytes: int


def one_line(text: str) -> str:
    """Return a header text on one line: merge values may hold line breaks, headers may not."""
    return _WHITE_SPACE.sub(" ", text).strip()


def render_preview(*, variant: Variant, contact: Contact | None) -> Preview:
    """Return a variant as a contact would get it; links are real and nothing is counted.

    Args:
        variant: saved or not; its `campaign` and `workspace` must be set.
        contact: None for a contact of whom only the fallbacks are known.

    Raises:
        Invalid: the variant cannot be compiled; says where.
    """
    workspace, campaign = variant.workspace, variant.campaign
    compiled = compile_variant(variant=variant, campaign=campaign, workspace=workspace, has_tracking=False)
    values = None
    if contact is not None:
        values = (contact.pk, contact.email, contact.first_name, contact.last_name, contact.attributes)
    context = contact_context(values, audiences.known_merge_tags(workspace), workspace, campaign)
    context |= {
        "unsubscribe_url": f"{settings.PUBLIC_URL}/u/preview",
        "preferences_url": f"{settings.PUBLIC_URL}/p/preview",
        "web_version_url": f"{settings.PUBLIC_URL}/w/preview",
    }
    html = mustache.compile(compiled.html).render(context)
    return Preview(
        subject=one_line(mustache.compile(compiled.subject).render(context)),
        preview_text=one_line(mustache.compile(compiled.preview_text).render(context)),
        html=html,
        text=mustache.compile(compiled.text).render(context),
        size_bytes=len(html.encode()),
    )

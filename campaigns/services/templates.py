"""Saved bodies that campaigns start from."""

from __future__ import annotations

import io
from typing import Any

from django.db import IntegrityError, transaction

from accounts import activity
from accounts.models import User, Workspace
from campaigns.content import mustache
from campaigns.content.blocks import Block
from campaigns.content.brand import Brand
from campaigns.content.starters import Starter
from campaigns.content.starters.pictures import draw_picture
from campaigns.models import Campaign, EmailTemplate, Variant
from campaigns.services.assets import add_asset
from campaigns.services.composing import clean_body, clean_name, create_campaign
from campaigns.services.versions import keep_template_version
from pulsequill.core.errors import FieldError, Invalid, NotFound


def _apply(template: EmailTemplate, fields: dict[str, Any]) -> None:
    if "name" in fields:
        template.name = clean_name(fields["name"])[:120]
    if "purpose" in fields:
        if fields["purpose"] not in {"", *EmailTemplate.Purpose.values}:
            detail = f"A purpose is one of {', '.join(EmailTemplate.Purpose.values)}."
            raise Invalid(detail, errors=[FieldError("purpose", "not_a_choice", detail)])
        template.purpose = fields["purpose"]
    for name in ("subject", "preview_text"):
        if name in fields:
            mustache.validate(fields[name], field=name)
            setattr(template, name, " ".join(fields[name].split()))
    if "format" in fields or "body" in fields:
        new_format = fields.get("format", template.format)
        empty: Any = [] if new_format == Variant.Format.BLOCKS else ""
        body = fields.get("body", template.body if new_format == template.format else empty)
        template.format, template.body = new_format, clean_body(body, new_format)


def _save(template: EmailTemplate, actor: User | None, kind: str, summary: str, *, note: str = "") -> EmailTemplate:
    try:
        with transaction.atomic():
            template.save()
            if template.subject or template.body:
                keep_template_version(template=template, actor=actor, note=note)
            activity.record(workspace=template.workspace, actor=actor, kind=kind, summary=summary, subject=template)
    except IntegrityError as error:
        detail = "A template of this name is there already."
        raise Invalid(detail, errors=[FieldError("name", "taken", detail)]) from error
    return template


def create_template(*, workspace: Workspace, actor: User | None, name: str, **fields: Any) -> EmailTemplate:
    """Save a body under a name.

    Raises:
        Invalid: a field is not valid, or the name is taken.
    """
    template = EmailTemplate(workspace=workspace)
    _apply(template, {"name": name, **fields})
    return _save(template, actor, "template.created", f"Saved the template {template.name}.", note="As it began")


def update_template(*, template: EmailTemplate, actor: User | None, **fields: Any) -> EmailTemplate:
    """Change a template.

    Raises:
        Invalid: a field is not valid, or the name is taken.
    """
    _apply(template, fields)
    return _save(template, actor, "template.changed", f"Changed the template {template.name}.")


@transaction.atomic
def delete_template(*, template: EmailTemplate, actor: User | None) -> None:
    """Delete a template; campaigns that started from it keep their content."""
    activity.record(
        workspace=template.workspace, actor=actor, kind="template.deleted",
        summary=f"Deleted the template {template.name}.", subject=template,
    )  # fmt: skip
    template.delete()


def save_as_template(*, campaign: Campaign, label: str, actor: User | None, name: str) -> EmailTemplate:
    """Save the content of a campaign's variant as a template.

    Raises:
        NotFound: the campaign has no such variant.
        Invalid: the name is empty or taken.
    """
    variant = Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, label=label).first()
    if variant is None:
        raise NotFound
    return create_template(
        workspace=campaign.workspace,
        actor=actor,
        name=name,
        subject=variant.subject,
        preview_text=variant.preview_text,
        format=variant.format,
        body=variant.body,
    )


def free_name(workspace: Workspace, name: str) -> str:
    """Return the name, with a number behind it when it is taken."""
    taken = set(
        EmailTemplate.objects.for_workspace(workspace).filter(name__startswith=name).values_list("name", flat=True)
    )
    numbered = (f"{name[:110]} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(free for free in numbered if free not in taken)


@transaction.atomic
def duplicate_template(*, template: EmailTemplate, actor: User | None) -> EmailTemplate:
    """Return a copy under a free name; its history begins anew."""
    return create_template(
        workspace=template.workspace,
        actor=actor,
        name=free_name(template.workspace, f"{template.name[:105]} (copy)"),
        purpose=template.purpose,
        subject=template.subject,
        preview_text=template.preview_text,
        format=template.format,
        body=template.body,
    )


def _blocks_of(starter: Starter, workspace: Workspace, actor: User | None) -> list[Block]:
    """Return a starter's body; its pictures become the workspace's own, drawn in its colours and stored once."""
    brand, addresses = Brand.of(workspace.brand), {}
    for name, shows in starter.pictures.items():
        file = io.BytesIO(draw_picture(name, brand))
        asset, _is_new = add_asset(workspace=workspace, actor=actor, file=file, name=f"{name}.png", alt=shows)
        addresses[name] = asset.url
    return starter.blocks(addresses.__getitem__)


def create_from_starter(*, workspace: Workspace, actor: User | None, starter: Starter) -> EmailTemplate:
    """Return a template of the workspace's own that says what a starter says.

    Raises:
        Invalid: the workspace has no room for its pictures.
    """
    return create_template(
        workspace=workspace,
        actor=actor,
        name=free_name(workspace, starter.name),
        purpose=starter.purpose,
        subject=starter.subject,
        preview_text=starter.preview_text,
        body=_blocks_of(starter, workspace, actor),
    )


def start_campaign_from_starter(*, workspace: Workspace, actor: User | None, starter: Starter) -> Campaign:
    """Return a new draft campaign with a starter's content.

    Raises:
        Invalid: the workspace has no room for its pictures.
    """
    content = {
        "label": "A",
        "subject": starter.subject,
        "preview_text": starter.preview_text,
        "body": _blocks_of(starter, workspace, actor),
    }
    return create_campaign(workspace=workspace, actor=actor, name=starter.name, changes={"variants": [content]})


def start_campaign_from_template(*, template: EmailTemplate, actor: User | None, name: str = "") -> Campaign:
    """Return a new draft campaign with the template's content."""
    content = {
        "label": "A",
        "subject": template.subject,
        "preview_text": template.preview_text,
        "format": template.format,
        "body": template.body,
    }
    return create_campaign(
        workspace=template.workspace, actor=actor, name=name or template.name, changes={"variants": [content]}
    )

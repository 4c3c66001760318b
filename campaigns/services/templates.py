"""Saved bodies that campaigns start from."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts import activity
from accounts.models import User, Workspace
from campaigns.content import mustache
from campaigns.models import Campaign, EmailTemplate, Variant
from campaigns.services.composing import clean_body, clean_name, create_campaign
from campaigns.services.versions import keep_template_version
from pulsequill.core.errors import FieldError, Invalid, NotFound


def _apply(template: EmailTemplate, fields: dict[str, Any]) -> None:
    if "name" in fields:
        template.name = clean_name(fields["name"])[:120]
    for name in ("subject", "preview_text"):
        if name in fields:
            mustache.validate(fields[name], field=name)
            setattr(template, name, " ".join(fields[name].split()))
    if "format" in fields or "body" in fields:
        new_format = fields.get("format", template.format)
        empty: Any = [] if new_format == Variant.Format.BLOCKS else ""
        body = fields.get("body", template.body if new_format == template.format else empty)
        template.format, template.body = new_format, clean_body(body, new_format)


def _save(template: EmailTemplate, actor: User | None, kind: str, summary: str) -> EmailTemplate:
    try:
        with transaction.atomic():
            template.save()
            keep_template_version(template=template, actor=actor)
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
    return _save(template, actor, "template.created", f"Saved the template {template.name}.")


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

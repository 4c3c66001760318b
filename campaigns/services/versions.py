"""Kept states of what variants and templates say: a history to compare with and go back to.

Editing keeps one state for each ten minutes: the newest one grows with what is typed until then, so it holds how a
sitting ended. Whatever has a reason (`note`: a draft was adopted, a version restored, a campaign launched) is kept for
itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import activity
from accounts.models import User
from campaigns.content.comparing import DiffRow, diff, is_same
from campaigns.models import Campaign, EmailTemplate, TemplateVersion, Variant, VariantVersion
from campaigns.models.content_version import ContentVersion
from campaigns.services.editing import lock_for_edit
from pulsequill.core.errors import NotFound

__all__ = [
    "DiffRow",
    "diff",
    "keep_template_version",
    "keep_variant_version",
    "list_versions",
    "restore_template_version",
    "restore_variant_version",
]

#: Edits of one person within this time are one version.
SITTING = timedelta(minutes=10)
MOST_VERSIONS = 100
_SHARED = ("subject", "preview_text", "format", "body")

_V = TypeVar("_V", bound=ContentVersion)


def keep_variant_version(*, variant: Variant, actor: User | None, note: str = "") -> VariantVersion | None:
    """Keep what a saved variant says now.

    Args:
        variant: as it was just saved.
        actor: who wrote it.
        note: why it is kept; empty for editing, which is gathered into one version for each ten minutes.

    Returns:
        The version, or None when nothing changed since the last one.
    """
    return _keep(VariantVersion, {"variant": variant}, variant, (*_SHARED, "text"), actor, note)


def keep_template_version(*, template: EmailTemplate, actor: User | None, note: str = "") -> TemplateVersion | None:
    """Keep what a saved template says now; as `keep_variant_version`."""
    return _keep(TemplateVersion, {"template": template}, template, _SHARED, actor, note)


@transaction.atomic
def _keep(
    model: type[_V],
    owner: dict[str, Variant | EmailTemplate],
    source: Variant | EmailTemplate,
    columns: tuple[str, ...],
    actor: User | None,
    note: str,
) -> _V | None:
    # Two savers would give out the same number.
    type(source).objects.for_workspace(source.workspace_id).select_for_update(of=("self",)).get(pk=source.pk)
    kept: QuerySet[_V] = model.objects.for_workspace(source.workspace_id).filter(**owner)
    newest = kept.order_by("-number").first()
    content: dict[str, Any] = {name: getattr(source, name) for name in columns}
    if newest is not None and is_same(newest, source) and newest.text == content.get("text", ""):
        return None
    if newest is not None and not note and _is_open(newest, actor):
        for name, value in content.items():
            setattr(newest, name, value)
        newest.save(update_fields=[*content, "updated_at"])
        return newest
    number = newest.number + 1 if newest is not None else 1
    version = model(
        workspace_id=source.workspace_id, number=number, note=note[:120], created_by=actor, **owner, **content
    )
    version.save()
    kept.filter(number__lte=number - MOST_VERSIONS).delete()
    return version


def _is_open(version: ContentVersion, actor: User | None) -> bool:
    """Return whether the version is this person's sitting that still goes on."""
    is_recent = timezone.now() - version.created_at < SITTING
    return not version.note and is_recent and version.created_by_id == (actor.pk if actor else None)


def list_versions(of: Variant | EmailTemplate) -> QuerySet[Any]:
    """Return the kept versions of a variant or a template, the newest first, without their bodies."""
    rows = of.versions.for_workspace(of.workspace_id)
    return rows.select_related("created_by").defer("body", "text").order_by("-number")


@transaction.atomic
def restore_variant_version(
    *, version: VariantVersion, actor: User | None, expected_revision: int | None = None
) -> Campaign:
    """Let a draft's variant say again what a version says; what it said until now is kept, so this can be undone.

    Args:
        version: one of the variant's versions.
        actor: who restores.
        expected_revision: the revision of the campaign that the editor saw; None overwrites.

    Returns:
        The campaign with its new revision.

    Raises:
        WrongState: the campaign is not a draft any more.
        Stale: somebody else changed it since `expected_revision`.
        NotFound: it was deleted meanwhile.
    """
    campaign = lock_for_edit(version.variant.campaign, expected_revision)
    variant = Variant.objects.for_workspace(campaign.workspace_id).filter(pk=version.variant_id).first()
    if variant is None:
        raise NotFound
    keep_variant_version(variant=variant, actor=actor)
    for name in (*_SHARED, "text"):
        setattr(variant, name, getattr(version, name))
    variant.save()
    keep_variant_version(variant=variant, actor=actor, note=_restored(version))
    campaign.revision += 1
    campaign.save(update_fields=["revision", "updated_at"])
    return campaign


@transaction.atomic
def restore_template_version(*, version: TemplateVersion, actor: User | None) -> EmailTemplate:
    """Let a template say again what a version says; what it said until now is kept, so this can be undone.

    Raises:
        NotFound: the template was deleted meanwhile.
    """
    template = (
        EmailTemplate.objects.for_workspace(version.workspace_id)
        .select_related("workspace")
        .select_for_update(of=("self",))
        .filter(pk=version.template_id)
        .first()
    )
    if template is None:
        raise NotFound
    keep_template_version(template=template, actor=actor)
    for name in _SHARED:
        setattr(template, name, getattr(version, name))
    template.save()
    keep_template_version(template=template, actor=actor, note=_restored(version))
    activity.record(
        workspace=template.workspace, actor=actor, kind="template.restored", subject=template,
        summary=f"Went back to version {version.number} of the template {template.name}.",
    )  # fmt: skip
    return template


def _restored(version: ContentVersion) -> str:
    return f"Restored version {version.number}"

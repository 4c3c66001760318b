"""Reads of templates and their versions."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Workspace
from campaigns.models import EmailTemplate, TemplateVersion
from pulsequill.core.errors import NotFound


def list_templates(workspace: Workspace, *, search: str = "", purpose: str = "") -> QuerySet[EmailTemplate]:
    """Return a workspace's templates, the newest first, filtered by a part of name or subject and by purpose."""
    rows = EmailTemplate.objects.for_workspace(workspace).order_by("-updated_at", "-pk")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(subject__icontains=search))
    return rows.filter(purpose=purpose) if purpose else rows


def get_template(workspace: Workspace, template_id: UUID | str, *, is_locked: bool = False) -> EmailTemplate:
    """Return one template with its workspace; `is_locked` until the transaction ends.

    Raises:
        NotFound: the workspace has no such template.
    """
    rows = EmailTemplate.objects.for_workspace(workspace).select_related("workspace").filter(pk=template_id)
    found = (rows.select_for_update(of=("self",)) if is_locked else rows).first()
    if found is None:
        raise NotFound
    return found


def get_template_version(template: EmailTemplate, number: int) -> TemplateVersion:
    """Return one kept version of a template.

    Raises:
        NotFound: the template has no such version (any more).
    """
    found = (
        TemplateVersion.objects.for_workspace(template.workspace_id)
        .select_related("created_by")
        .filter(template=template, number=number)
        .first()
    )
    if found is None:
        raise NotFound
    return found

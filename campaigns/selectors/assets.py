"""Reads of pictures: a workspace's, the one behind a public address, and where one is shown."""

from __future__ import annotations

import json
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.models import Workspace
from campaigns.models import Asset, EmailTemplate, Variant

#: How many places are named; one is enough to keep a picture.
MOST_USES = 3


def list_assets(workspace: Workspace, *, search: str = "") -> QuerySet[Asset]:
    """Return a workspace's pictures, the newest first, filtered by a part of name or description."""
    rows = Asset.objects.for_workspace(workspace).order_by("-created_at", "-pk")
    return rows.filter(Q(name__icontains=search) | Q(alt__icontains=search)) if search else rows


def get_public_asset(asset_id: UUID, extension: str) -> Asset | None:
    """Return the picture behind a public address, whoever's it is: readers of mail belong to no workspace."""
    asset = Asset.objects.across_workspaces().filter(pk=asset_id).first()
    return asset if asset is not None and asset.extension == extension else None


def uses_of(asset: Asset) -> list[str]:
    """Return the names of some places that show a picture: campaigns, sent ones too, templates, the brand."""
    mark = asset.path
    variants = (
        Variant.objects.for_workspace(asset.workspace_id)
        .annotate(source=Cast("body", TextField()))
        .filter(Q(source__contains=mark) | Q(compiled_html__contains=mark))
    )
    saved = (
        EmailTemplate.objects.for_workspace(asset.workspace_id)
        .annotate(source=Cast("body", TextField()))
        .filter(source__contains=mark)
    )
    names = [f"“{name}”" for name in variants.values_list("campaign__name", flat=True).distinct()[:MOST_USES]]
    names += [f"the template “{name}”" for name in saved.values_list("name", flat=True)[:MOST_USES]]
    if mark in json.dumps(asset.workspace.brand):
        names.append("the brand")
    return names[:MOST_USES]

"""Pictures: taking them in, naming what they show, letting them go."""

from __future__ import annotations

import re
from typing import IO

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts import activity
from accounts.models import User, Workspace
from campaigns.content.pictures import read_picture, refusal
from campaigns.models import Asset
from campaigns.selectors.assets import uses_of
from pulsequill.core.errors import FieldError, Invalid, WrongState

#: What all pictures of a workspace may take together.
QUOTA_BYTES = 2 * 1024**3
ALT_LENGTH = 300
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def _clean_alt(alt: str) -> str:
    alt = " ".join(_CONTROLS.sub(" ", alt).split())
    if len(alt) > ALT_LENGTH:
        detail = f"This is longer than {ALT_LENGTH} characters."
        raise Invalid(detail, errors=[FieldError("alt", "too_long", detail)])
    return alt


def _clean_name(name: str) -> str:
    return _CONTROLS.sub("", name.replace("\\", "/").rpartition("/")[2]).strip()[-200:] or "picture"


def add_asset(
    *, workspace: Workspace, actor: User | None, file: IO[bytes], name: str, alt: str = ""
) -> tuple[Asset, bool]:
    """Take in a picture. The same picture is stored once.

    Args:
        workspace: whose it becomes.
        actor: who uploads it.
        file: the upload, at its start.
        name: what the file was called; shown, never used as a path.
        alt: what it shows.

    Returns:
        The asset, and whether it is new.

    Raises:
        Invalid: see `content.pictures.read_picture`; or the workspace has no room left.
    """
    alt = _clean_alt(alt)
    picture = read_picture(file)
    mine = Asset.objects.for_workspace(workspace)
    if known := mine.filter(sha256=picture.sha256).first():
        return known, False
    if (mine.aggregate(total=Sum("size_bytes"))["total"] or 0) + len(picture.content) > QUOTA_BYTES:
        raise refusal("quota", f"All pictures together may take {QUOTA_BYTES // 1024**3} GB. Delete some first.")
    asset = Asset(
        workspace=workspace,
        name=_clean_name(name),
        alt=alt,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size_bytes=len(picture.content),
        sha256=picture.sha256,
    )
    storage = asset.file.storage
    path = storage.save(f"assets/{workspace.pk}/{asset.pk}.{picture.extension}", ContentFile(picture.content))
    asset.file.name = path
    try:
        with transaction.atomic():
            asset.save()
            activity.record(
                workspace=workspace, actor=actor, kind="asset.created", summary=f"Uploaded the picture {asset.name}.",
                subject=asset,
            )  # fmt: skip
    except BaseException as error:
        storage.delete(path)
        if isinstance(error, IntegrityError) and (known := mine.filter(sha256=picture.sha256).first()):
            return known, False  # another upload of the same picture was first
        raise
    return asset, True


def describe_asset(*, asset: Asset, alt: str) -> Asset:
    """Say what a picture shows; mails that exist keep their own wording.

    Raises:
        Invalid: the text is too long.
    """
    asset.alt = _clean_alt(alt)
    asset.save(update_fields=["alt", "updated_at"])
    return asset


def delete_asset(*, asset: Asset, actor: User | None) -> None:
    """Delete a picture that no mail shows.

    Raises:
        WrongState: a campaign (sent ones too: readers open old mail), a template or the brand shows it.
    """
    if uses := uses_of(asset):
        raise WrongState(f"It is shown in {', '.join(uses)}.", code="in_use")
    storage, path = asset.file.storage, str(asset.file.name)
    with transaction.atomic():
        activity.record(
            workspace=asset.workspace, actor=actor, kind="asset.deleted", summary=f"Deleted the picture {asset.name}.",
            subject=asset,
        )  # fmt: skip
        asset.delete()
        transaction.on_commit(lambda: storage.delete(path))

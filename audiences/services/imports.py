"""Imports: taking a file, deciding what its columns become, starting, cancelling, undoing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts.activity import record
from audiences.importing import UnreadableFile, sniff
from audiences.importing.mapping import PROPERTIES
from audiences.models import ContactField, ContactImport, ContactList
from audiences.services.fields import KEY, create_field
from audiences.tasks import run_import, undo_import_rows
from pulsequill.core.errors import FieldError, Invalid, WrongState
from pulsequill.core.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User, Workspace

Status = ContactImport.Status
#: Guesses at least this sure are taken when nobody chose.
TRUSTED_GUESS = 0.6


def upload_import(
    *, workspace: Workspace, file: UploadedFile[Any], list_: ContactList | None = None, actor: User | None = None
) -> ContactImport:
    """Keep an uploaded file and what it looks like; its columns wait to be mapped.

    Raises:
        Invalid: the file is no CSV, is empty, or is over a limit.
    """
    keys = ContactField.objects.for_workspace(workspace).values_list("key", flat=True)
    try:
        found = sniff(file.file, known_fields=keys)  # type: ignore[arg-type]
    except UnreadableFile as error:
        raise Invalid(error.detail, errors=[FieldError("file", error.code, error.detail)]) from error
    name = PurePath((file.name or "contacts.csv").replace("\\", "/")).name.replace("\0", "")[:200]
    contact_import = ContactImport(
        id=uuid7(),
        workspace=workspace,
        file_name=name,
        list=list_,
        columns=found.columns_as_json(),
        mapping={
            column.name: column.guess for column in found.columns if column.confidence >= TRUSTED_GUESS and column.guess
        },
        encoding=found.encoding,
        delimiter=found.delimiter,
        has_header=found.has_header,
        total_rows=found.total_rows,
        created_by=actor,
    )
    file.seek(0)
    contact_import.file.save(f"imports/{workspace.pk}/{contact_import.pk}.csv", file, save=False)
    contact_import.save(force_insert=True)
    return contact_import


def start_mapped_import(
    *,
    contact_import: ContactImport,
    mapping: Mapping[str, str] | None = None,
    list_: ContactList | None = None,
    update_existing: bool = True,
    consent_source: str = "",
    actor: User | None = None,
) -> ContactImport:
    """Start an uploaded import.

    Args:
        contact_import: one whose columns wait to be mapped.
        mapping: column name to property or field key; None takes the guesses. A key that no field has yet makes a
            field, of the type that the column's values have.
        list_: the list that the contacts join.
        update_existing: whether values of contacts that exist already are replaced by non-empty cells.
        consent_source: where the contacts agreed, for their consent records.
        actor: who starts it.

    Raises:
        Invalid: an unknown column, a key that cannot be a field, one target twice, or no email column.
        WrongState: it was started before.
    """
    workspace = contact_import.workspace
    with transaction.atomic():
        chosen = _clean_mapping(contact_import, contact_import.mapping if mapping is None else mapping, actor)
        took = (
            ContactImport.objects.for_workspace(workspace)
            .filter(pk=contact_import.pk, status=Status.MAPPING)
            .update(
                status=Status.QUEUED,
                mapping=chosen,
                list=list_ or contact_import.list,
                update_existing=update_existing,
                consent_source=consent_source.replace("\0", "").strip()[:120],
                updated_at=timezone.now(),
            )
        )
        if not took:
            raise WrongState("This import was started already.")
        record(
            workspace=workspace,
            kind="import.started",
            summary=f"Started importing {contact_import.file_name}",
            actor=actor,
            subject=contact_import,
        )
        run_import.delay_on_commit(import_id=str(contact_import.pk))
    contact_import.refresh_from_db()
    return contact_import


def start_import(
    *,
    workspace: Workspace,
    file: UploadedFile[Any],
    list_: ContactList | None = None,
    mapping: Mapping[str, str] | None = None,
    update_existing: bool = True,
    consent_source: str = "",
    actor: User | None = None,
) -> ContactImport:
    """Upload and start in one step, as `/v1` does; arguments and errors are those of the two steps."""
    with transaction.atomic():
        contact_import = upload_import(workspace=workspace, file=file, list_=list_, actor=actor)
        try:
            return start_mapped_import(
                contact_import=contact_import,
                mapping=mapping,
                list_=list_,
                update_existing=update_existing,
                consent_source=consent_source,
                actor=actor,
            )
        except Invalid:
            contact_import.file.delete(save=False)
            raise


def _clean_mapping(contact_import: ContactImport, mapping: Mapping[str, str], actor: User | None) -> dict[str, str]:
    columns = {column["name"]: column for column in contact_import.columns}
    keys = set(ContactField.objects.for_workspace(contact_import.workspace_id).values_list("key", flat=True))
    chosen: dict[str, str] = {}
    faults: list[FieldError] = []
    missing: list[tuple[str, str]] = []
    for name, target in mapping.items():
        path = f"mapping.{name}"[:120]
        if not target:
            continue
        if name not in columns:
            faults.append(FieldError(path, "unknown_column", f"The file has no column “{name[:60]}”."))
        elif target in chosen.values():
            faults.append(FieldError(path, "duplicate", f"Two columns cannot both be {target[:60]}."))
        elif target in PROPERTIES or target in keys:
            chosen[name] = target
        elif KEY.fullmatch(target):
            chosen[name] = target
            missing.append((name, target))
        else:
            faults.append(FieldError(path, "invalid", f"“{target[:60]}” cannot be a field's key."))
    if not faults and "email" not in chosen.values():
        faults.append(FieldError("mapping", "email_missing", "Choose the column that holds the email address."))
    if faults:
        raise Invalid(faults[0].detail, errors=faults)
    for name, key in missing:
        create_field(workspace=contact_import.workspace, key=key, label=name, type=columns[name]["type"], actor=actor)
    return chosen


def cancel_import(*, contact_import: ContactImport, actor: User | None = None) -> ContactImport:
    """Stop an import: at once when it has not begun, else after the chunk under way. What is stored stays.

    Raises:
        WrongState: it has ended.
    """
    rows = ContactImport.objects.for_workspace(contact_import.workspace_id).filter(pk=contact_import.pk)
    now: dict[str, Any] = {"is_cancel_requested": True, "updated_at": timezone.now()}
    with transaction.atomic():
        took = rows.filter(status__in=[Status.MAPPING, Status.QUEUED]).update(
            status=Status.CANCELLED, finished_at=timezone.now(), **now
        ) or rows.filter(status=Status.RUNNING).update(**now)
        if not took:
            raise WrongState("This import has ended.")
        record(
            workspace=contact_import.workspace,
            kind="import.cancelled",
            summary=f"Cancelled importing {contact_import.file_name}",
            actor=actor,
            subject=contact_import,
        )
    contact_import.refresh_from_db()
    return contact_import


def undo_import(*, contact_import: ContactImport, actor: User | None = None) -> ContactImport:
    """Take an import back: its subscriptions, and the contacts that it created and nobody mailed.

    Raises:
        WrongState: it has not ended, or was undone.
    """
    ended = [Status.DONE, Status.CANCELLED, Status.FAILED]
    with transaction.atomic():
        took = (
            ContactImport.objects.for_workspace(contact_import.workspace_id)
            .filter(pk=contact_import.pk, status__in=ended)
            .update(status=Status.UNDOING, heartbeat_at=timezone.now(), updated_at=timezone.now())
        )
        if not took:
            raise WrongState("Only an import that has ended can be undone, once.")
        record(
            workspace=contact_import.workspace,
            kind="import.undone",
            summary=f"Undid importing {contact_import.file_name}",
            actor=actor,
            subject=contact_import,
        )
        undo_import_rows.delay_on_commit(import_id=str(contact_import.pk))
    contact_import.refresh_from_db()
    return contact_import

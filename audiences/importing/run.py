"""Running an import: a thread reads and checks while this one stores, chunk by chunk.

Every chunk is one transaction with its figures, so whatever stops a run (cancel, kill -9, a restart of PostgreSQL)
stops it between two chunks, and the next run goes on after `processed` rows without counting anything twice. A run
owns the import through `run_id`: each chunk first locks the row with that id, so a run that was believed dead and
replaced stores nothing more.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from psycopg.errors import DeadlockDetected, SerializationFailure

from audiences.addresses import ERASED_PREFIX
from audiences.importing.mapping import plan_of
from audiences.importing.rows import Chunk, RowChecker, check_rows
from audiences.importing.staging import drop_staging, refresh_statistics, store
from audiences.models import ContactImport, Suppression
from audiences.selectors.imports import progress_of
from pulsequill.core.live import push_now, workspace_group

logger = structlog.get_logger(__name__)

Status = ContactImport.Status
#: A run that has not stored a chunk for this long is taken for dead.
LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 20
#: Frames to open pages: at most two a second.
FRAME_INTERVAL = 0.5
CHUNKS_AHEAD = 2
#: An import that adds so many contacts can mislead a plan that was made before it.
ROWS_WORTH_STATISTICS = 10_000
CHUNK_TRIES = 4


class Overtaken(Exception):
    """Another run owns the import now, or it is not running any more."""


def claim(import_id: UUID) -> ContactImport | None:
    """Take an import that waits, or whose run is dead; None when there is nothing to take."""
    now, run_id = timezone.now(), uuid4()
    waiting = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, heartbeat_at__lt=now - LEASE)
    took = ContactImport.objects.filter(waiting, pk=import_id).update(
        status=Status.RUNNING, run_id=run_id, heartbeat_at=now, attempt_no=F("attempt_no") + 1, updated_at=now
    )
    if not took:
        return None
    ContactImport.objects.filter(pk=import_id, started_at=None).update(started_at=now)
    return ContactImport.objects.select_related("workspace").get(pk=import_id)


def run(import_id: UUID) -> ContactImport | None:
    """Run an import to its end, or to its cancellation.

    Returns:
        The import as it stands; None when it was not waiting, or another run took it over.

    Raises:
        OperationalError: PostgreSQL went away; the import stays claimable and goes on later.
    """
    contact_import = claim(import_id)
    if contact_import is None:
        return None
    if contact_import.attempt_no > MAX_ATTEMPTS:
        return _finish(contact_import, Status.FAILED, "The import stopped too often and was given up.")
    try:
        return _run(contact_import)
    except Overtaken:
        return None
    except OperationalError:
        raise
    except FileNotFoundError:
        return _finish(contact_import, Status.FAILED, "The uploaded file is gone. Upload it again.")
    except IntegrityError:
        logger.warning("import_failed", import_id=str(import_id), exc_info=True)
        return _finish(contact_import, Status.FAILED, "The list was deleted while the import ran.")
    except Exception:
        _finish(contact_import, Status.FAILED, "Something went wrong on our side; nothing is half stored.")
        raise


def _run(contact_import: ContactImport) -> ContactImport:
    last_frame = 0.0
    is_cancelled = contact_import.is_cancel_requested
    with contact_import.file.open("rb") as handle, _read_ahead(_chunks(contact_import, handle.file)) as chunks:
        for chunk in chunks:
            if is_cancelled:
                break
            is_cancelled = _store(contact_import, chunk)
            if time.monotonic() - last_frame >= FRAME_INTERVAL:
                last_frame = time.monotonic()
                push_progress(contact_import)
    drop_staging()
    if contact_import.created >= ROWS_WORTH_STATISTICS:
        refresh_statistics()
    return _finish(contact_import, Status.CANCELLED if is_cancelled else Status.DONE)


def _chunks(contact_import: ContactImport, file: Any) -> Iterator[Chunk]:
    erased = Suppression.objects.for_workspace(contact_import.workspace_id).filter(
        email_normalized__startswith=ERASED_PREFIX
    )
    checker = RowChecker(plan_of(contact_import), erased=frozenset(erased.values_list("email_normalized", flat=True)))
    return check_rows(
        file,
        encoding=contact_import.encoding,
        delimiter=contact_import.delimiter,
        has_header=contact_import.has_header,
        checker=checker,
        resume_after=contact_import.processed,
    )


@contextmanager
def _read_ahead(chunks: Iterator[Chunk]) -> Iterator[Iterator[Chunk]]:
    """Let a thread produce the chunks while the caller stores: waiting for PostgreSQL costs no reading time.

    At most `CHUNKS_AHEAD` chunks wait, so memory does not grow with the file.
    """
    ahead: queue.Queue[Chunk | BaseException | None] = queue.Queue(CHUNKS_AHEAD)
    stopped = threading.Event()

    def put(item: Chunk | BaseException | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ahead.put(item, timeout=0.2)
                return

    def produce() -> None:
        try:
            for chunk in chunks:
                put(chunk)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
            put(error)

    def consume() -> Iterator[Chunk]:
        while (item := ahead.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=produce, name="import-reader", daemon=True)
    thread.start()
    try:
        yield consume()
    finally:
        stopped.set()
        thread.join(timeout=10)


def _store(contact_import: ContactImport, chunk: Chunk) -> bool:
    """Store a chunk with its figures; return whether somebody asked to cancel."""
    for attempt in range(1, CHUNK_TRIES + 1):
        try:
            return _store_once(contact_import, chunk)
        except OperationalError as error:
            if attempt == CHUNK_TRIES or not isinstance(error.__cause__, DeadlockDetected | SerializationFailure):
                raise
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")


def _store_once(contact_import: ContactImport, chunk: Chunk) -> bool:
    with transaction.atomic():
        row = (
            ContactImport.objects.select_for_update(no_key=True)
            .filter(pk=contact_import.pk, run_id=contact_import.run_id, status=Status.RUNNING)
            .first()
        )
        if row is None:
            raise Overtaken
        if row.is_cancel_requested:
            return True
        stored = store(row, chunk)
        row.processed = chunk.processed
        row.total_rows = max(row.total_rows, row.processed)
        row.created += stored.created
        row.updated += stored.updated
        row.unchanged += stored.unchanged
        row.suppressed += stored.suppressed
        row.rejected += len(chunk.rejects)
        row.heartbeat_at = timezone.now()
        row.save(update_fields=[*_FIGURES, "heartbeat_at", "updated_at"])
    for name in _FIGURES:
        setattr(contact_import, name, getattr(row, name))
    return False


_FIGURES = ("processed", "total_rows", "created", "updated", "unchanged", "suppressed", "rejected")


def _finish(contact_import: ContactImport, status: str, failure: str = "") -> ContactImport:
    now = timezone.now()
    figures: dict[str, Any] = {"total_rows": F("processed")} if status == Status.DONE else {}
    took = ContactImport.objects.filter(
        pk=contact_import.pk, run_id=contact_import.run_id, status=Status.RUNNING
    ).update(status=status, failure=failure, finished_at=now, updated_at=now, **figures)
    contact_import.refresh_from_db()
    if took:
        push_progress(contact_import)
        if status == Status.DONE:  # personal data that nothing needs any more
            contact_import.file.storage.delete(str(contact_import.file.name))
    return contact_import


def push_progress(contact_import: ContactImport) -> None:
    """Tell open pages how far an import is."""
    push_now(workspace_group(contact_import.workspace_id), {"type": "import", **progress_of(contact_import)})

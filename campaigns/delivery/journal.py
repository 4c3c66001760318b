"""What a sending process knows about the messages in its hands, kept where a kill -9 cannot reach it.

A claim of a thousand rows is committed before its first byte leaves, so without more knowledge a killed worker would
put a thousand rows in doubt. The journal is a small file in memory (`mmap`) with a slot for each claimed row:
*claimed*, *started* (its bytes may have left), *settled* (the answer). Writing a slot is a copy of bytes without a
system call, and what was written stays in the kernel when the process dies. The file is locked by its owner; whoever
finds it unlocked replays it: answers are recorded, rows that were never started go back to the queue, and only what
was under way on an open connection is in doubt.

A machine that loses its power may lose the newest slots. So a journal of an earlier start of the machine still proves
answers, and no longer that nothing was started.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.utils import timezone

from campaigns.delivery import ledger
from campaigns.delivery.providers import ANSWERS, Outcome, OutgoingMessage
from campaigns.delivery.providers.answers import NOT_SENT
from campaigns.delivery.rendering import Claimed

logger = structlog.get_logger(__name__)

SUFFIX = ".journal"
#: One batch is handed over while the next is claimed and composed.
PAGES = 2
#: Format, start of the machine, whether the provider reports deliveries, slots of a page.
_HEADER = struct.Struct("<8s36s?I")
_FORMAT = b"pqjrnl01"
#: Message id, attempt id, state, length of the answer; the answer follows.
_SLOT = struct.Struct("<q16sBB")
_SLOT_BYTES = 256
_STATE, _LENGTH, _TEXT = 24, 25, _SLOT.size
_TEXT_BYTES = _SLOT_BYTES - _TEXT
#: Between the parts of an answer; no header and no reply holds it.
_SEPARATOR = "\x1f"

_EMPTY, _CLAIMED, _STARTED, _SETTLED = range(4)


def _directory() -> Path:
    return Path(settings.HOME) / "journal"


def _start_of_machine() -> bytes:
    """Return what changes when the machine starts again; empty where nothing tells."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()[:36]
    except OSError:
        return b""


class Page:
    """The slots of one claim: the witness of its hand-over."""

    def __init__(self, memory: mmap.mmap, begin: int) -> None:
        self._memory = memory
        self._begin = begin
        self._slots: dict[int | None, int] = {}

    @property
    def is_free(self) -> bool:
        """Whether no claim is on it."""
        return not self._slots

    def fill(self, rows: Sequence[Claimed]) -> None:
        """Note what was claimed."""
        at = self._begin
        for row in rows:
            _SLOT.pack_into(self._memory, at, row.id, row.attempt_id.bytes, _CLAIMED, 0)
            self._slots[row.id] = at
            at += _SLOT_BYTES

    def starting(self, message: OutgoingMessage) -> None:
        """Note that the message's bytes may leave from now on."""
        self._memory[self._slots[message.message_id] + _STATE] = _STARTED

    def settled(self, message: OutgoingMessage, outcome: Outcome) -> None:
        """Note a message's answer; the state comes last, so that half an answer counts as none."""
        slot = self._slots[message.message_id]
        parts = (outcome.code, outcome.provider_message_id, outcome.detail)
        text = _SEPARATOR.join(parts).encode("utf-8", "replace")[:_TEXT_BYTES]
        memory = self._memory
        memory[slot + _TEXT : slot + _TEXT + len(text)] = text
        memory[slot + _LENGTH] = len(text)
        memory[slot + _STATE] = _SETTLED

    def clear(self) -> None:
        """Forget the claim, because all of it stands in the ledger."""
        for slot in self._slots.values():
            self._memory[slot + _STATE] = _EMPTY
        self._slots = {}


class Journal:
    """The journal of one slice of sending. Rows name it (`claimed_by`), so that it can be matched with them later.

    Use it as a context manager: when everything on its pages was recorded, the file goes; if not, the next sweep of
    this machine finds it unlocked.
    """

    def __init__(self, *, claim_size: int, reports_delivery: bool) -> None:
        """Make the file and lock it.

        Args:
            claim_size: the most rows that one claim brings.
            reports_delivery: the provider's, for whoever replays.
        """
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:12]}"
        directory = _directory()
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / (self.name + SUFFIX)
        unlocked = self._path.with_suffix(".new")
        page_bytes = claim_size * _SLOT_BYTES
        self._file = unlocked.open("w+b")
        self._file.truncate(_HEADER.size + PAGES * page_bytes)
        self._memory = mmap.mmap(self._file.fileno(), 0)
        _HEADER.pack_into(self._memory, 0, _FORMAT, _start_of_machine(), reports_delivery, claim_size)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unlocked.rename(self._path)  # only now can a sweep see it
        self._pages = [Page(self._memory, _HEADER.size + number * page_bytes) for number in range(PAGES)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if all(page.is_free for page in self._pages):
            self._path.unlink(missing_ok=True)
        self._memory.close()
        self._file.close()

    def open_page(self, rows: Sequence[Claimed]) -> Page:
        """Note a claim; at most `PAGES` may be open."""
        page = next(page for page in self._pages if page.is_free)
        page.fill(rows)
        return page


@dataclass(frozen=True, slots=True)
class _Slot:
    message_id: int
    attempt_id: UUID
    state: int
    answer: str

    @property
    def outcome(self) -> Outcome | None:
        """What the slot proves; None when the message was under way."""
        if self.state == _CLAIMED:
            return NOT_SENT
        code, _, rest = self.answer.partition(_SEPARATOR)
        if self.state != _SETTLED or code not in ANSWERS:
            return None
        provider_message_id, _, detail = rest.partition(_SEPARATOR)
        return Outcome(code, detail=detail, provider_message_id=provider_message_id)


def _slots(content: bytes) -> Iterable[_Slot]:
    for at in range(_HEADER.size, len(content) - _SLOT_BYTES + 1, _SLOT_BYTES):
        message_id, attempt, state, length = _SLOT.unpack_from(content, at)
        if state != _EMPTY:
            answer = content[at + _TEXT : at + _TEXT + length].decode("utf-8", "replace")
            yield _Slot(message_id, UUID(bytes=attempt), state, answer)


def replay_abandoned() -> int:
    """Settle what dead processes of this machine left behind; return how many rows changed.

    Safe at any time and from any number of processes: a journal that is locked belongs to somebody who lives, and a row
    takes a result only for the attempt that the journal names.
    """
    changed = 0
    for path in sorted(_directory().glob("*" + SUFFIX)):
        with suppress(FileNotFoundError), path.open("rb") as file:
            if _lock(file):
                changed += _replay(path.name.removesuffix(SUFFIX), file.read())
                path.unlink(missing_ok=True)
    return changed


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replay(name: str, content: bytes) -> int:
    kind, start_of_machine, reports_delivery, _claim_size = _HEADER.unpack_from(content)
    if kind != _FORMAT:
        logger.warning("journal_unreadable", journal=name)
        return 0
    proves_absence = bool(start_of_machine.strip(b"\0")) and start_of_machine == _start_of_machine().ljust(36, b"\0")
    slots = {(slot.message_id, slot.attempt_id): slot for slot in _slots(content)}
    rows, outcomes = [], []
    for row in ledger.left_by(worker=name, message_ids=[message_id for message_id, _ in slots]):
        slot = slots.get((row.id, row.attempt_id))
        outcome = slot.outcome if slot else NOT_SENT  # no slot: killed between the claim and its first step
        if outcome is not None and (outcome is not NOT_SENT or proves_absence):
            rows.append(row)
            outcomes.append(outcome)
    recorded = ledger.record(rows, outcomes, reports_delivery=reports_delivery, now=timezone.now()) if rows else 0
    in_doubt = sum(ledger.reap(worker=name).values())
    logger.warning("journal_replayed", journal=name, recorded=recorded, in_doubt=in_doubt)
    return recorded + in_doubt

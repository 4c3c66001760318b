"""What a check says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """`block` stops a send everywhere: in the page, in `/v1` and in the scheduler."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to fix or to know.

    `message` is a headline, `detail` what it means for the reader, `fix_url` the page that mends it, `affected` how
    many contacts it touches (None when that is not a matter of contacts).
    """

    code: str
    severity: Severity
    message: str
    fix_url: str = ""
    affected: int | None = None
    detail: str = ""

    @property
    def is_block(self) -> bool:
        """Whether this stops a send."""
        return self.severity is Severity.BLOCK

    @property
    def verb(self) -> str:
        """What the link to `fix_url` says: contacts are looked at, everything else is mended."""
        return "See them" if "/contacts?" in self.fix_url else "Fix"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `/v1` shows it."""
        return {**asdict(self), "severity": self.severity.value}

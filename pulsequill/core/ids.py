"""Public ids: UUIDv7 (RFC 9562 section 5.7) for every row that has an address.

Messages and events keep a `bigint` primary key, because a million of them are planned and joined at once. Their
public id is a UUIDv7 that *contains* the key, so it needs neither a column nor an index.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from uuid_utils import compat

_VERSION = 0x7
_VARIANT = 0b10


def uuid7() -> uuid.UUID:
    """Return a new time-ordered UUID (version 7)."""
    return compat.uuid7()


def uuid7_from_bigint(key: int, at: datetime) -> uuid.UUID:
    """Return the public id of a row with a bigint key.

    Args:
        key: the primary key, 0 to 2**63 - 1.
        at: when the row was made; fills the 48 bits of milliseconds.

    Returns:
        A UUIDv7 whose 74 "random" bits hold the key, so that `bigint_from_uuid7` can read it back.
    """
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    high = key >> 62
    low = key & (2**62 - 1)
    return uuid.UUID(int=(milliseconds << 80) | (_VERSION << 76) | (high << 64) | (_VARIANT << 62) | low)


def bigint_from_uuid7(public_id: uuid.UUID) -> int:
    """Return the bigint key inside a public id made by `uuid7_from_bigint`."""
    return (((public_id.int >> 64) & 0xFFF) << 62) | (public_id.int & (2**62 - 1))

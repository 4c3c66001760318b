"""Public ids contain the key of rows that are counted in millions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pulsequill.core.ids import bigint_from_uuid7, uuid7, uuid7_from_bigint


class TestPublicIds:
    @given(st.integers(0, 2**63 - 1), st.datetimes(datetime(2000, 1, 1), datetime(2500, 1, 1)))
    def test_a_key_survives_its_public_id(self, key, at):
        public_id = uuid7_from_bigint(key, at.replace(tzinfo=UTC))
        assert public_id.version == 7
        assert public_id.variant == uuid.RFC_4122
        assert bigint_from_uuid7(public_id) == key

    def test_new_ids_sort_by_age(self):
        ids = [uuid7() for _ in range(1000)]
        assert ids == sorted(ids)
